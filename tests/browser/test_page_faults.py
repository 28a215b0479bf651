"""What the page says in each state, provoked by its real fault: the application over an S3 server, behind a gateway."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event

import pytest
from playwright.sync_api import expect

from monitory import clock
from monitory.settings import PredictSettings, ScoreSettings, from_environment
from monitory.storage.s3 import S3Storage
from monitory_local.s3 import S3
from monitory_predict.api.caller import LOCAL
from monitory_predict.application import build_app
from monitory_predict.telemetry import NoTelemetry
from monitory_score.bootstrap import build_run
from tests.support import proxy_faults as faults
from tests.support.browser import Browser, Tab
from tests.support.gatekeeper import Gatekeeper
from tests.support.page_server import listening
from tests.support.proxy import Exchange, Proxy, through
from tests.support.world import MODEL_KEY, REGION, World, hasten

KEY = "k-0123456789abcdef"
FLEET = "^state/fleet/"
HOUR = timedelta(hours=1)


@dataclass
class Plant:
    """A service without a model or a run of scoring.

    Attributes:
        world: its buckets, past the proxy.
        score: runs the score function as of a moment.
        proxy: stands between the application and the store.
        gate: stands between browsers and the application.
        address: where the page is.
    """

    world: World
    score: Callable[[datetime], object]
    proxy: Proxy
    gate: Gatekeeper
    address: str

    def open(self, browser: Browser, path: str = "", key: str = KEY) -> Tab:
        """The page in a tab, opened with a key."""
        return browser.open(f"{self.address}{path or f'#key={key}'}", width=390)

    def serve(self, machines: int = 2) -> None:
        """Let it have a model, and machines that were scored just now."""
        self.world.promote()
        for _ in range(machines):
            self.world.machine()
        self.score(clock.now())


@pytest.fixture
def plant(s3: S3, lake_bucket: str, model_bucket: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Plant]:
    hasten(monkeypatch)
    world = World(S3Storage(lake_bucket, region=REGION), S3Storage(model_bucket, region=REGION))
    # with limits that no prediction of the test's models reaches
    run = build_run(
        from_environment(ScoreSettings, alert_level1_days=0.01, alert_level2_days=0.01, log_level="CRITICAL")
    )
    with Proxy(s3.endpoint) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        settings = from_environment(PredictSettings, scoring=True, operator_key_ids=LOCAL, log_level="CRITICAL")
        gate = Gatekeeper(build_app(settings, NoTelemetry()), KEY)
        with listening(gate) as address:
            yield Plant(world, lambda moment: run.score(moment, lambda: True), proxy, gate, address)


def refresh(tab: Tab) -> None:
    """What the page does by itself each minute, and when its tab is looked at again."""
    tab.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_a_refused_key(plant: Plant, browser: Browser) -> None:
    page = plant.open(browser, key="wrong").page
    page.get_by_text("The key was refused").wait_for()
    assert page.get_by_label("API key").is_visible()


def test_nothing_is_there_yet(plant: Plant, browser: Browser) -> None:
    page = plant.open(browser).page
    page.get_by_text("No model yet").wait_for()
    assert page.get_by_text("7 days of readings, 2 machines and 5 runs").is_visible()


def test_machines_that_were_scored_without_a_model_are_not_called_fine(plant: Plant, browser: Browser) -> None:
    plant.world.machine()
    plant.score(clock.now())
    page = plant.open(browser).page
    page.get_by_text("No model yet").wait_for()
    assert "No answer" in page.get_by_role("row", name="EQUIP-001").inner_text()
    assert page.get_by_text("Nothing urgent").count() == 0


def test_a_model_that_is_none(plant: Plant, browser: Browser) -> None:
    plant.world.machine()
    plant.world.models.put(MODEL_KEY, b"not a model", content_type="text/plain")
    plant.score(clock.now())
    page = plant.open(browser).page
    page.get_by_text("The model cannot be used").first.wait_for()
    assert page.get_by_role("link", name="EQUIP-001").is_visible()


def test_nothing_urgent_and_machines_that_nobody_knows_about(plant: Plant, browser: Browser) -> None:
    plant.serve()
    tab = plant.open(browser)
    tab.page.get_by_text("Nothing urgent").wait_for()
    assert tab.page.get_by_role("row").count() == 3
    plant.world.lake.put(_unreadable_key(), b"not one line is JSON", content_type="text/plain")
    plant.score(clock.now())
    refresh(tab)
    tab.page.get_by_text("Machines without an answer: 1").wait_for()


def _unreadable_key() -> str:
    return f"EQUIPMENT/date={clock.now():%Y-%m-%d}/zone_id=ZONE-001/equip_id=EQUIP-404/readings.json"


def test_a_used_up_quota_leaves_the_last_data_in_view(plant: Plant, browser: Browser) -> None:
    plant.serve()
    tab = plant.open(browser)
    tab.page.get_by_role("link", name="EQUIP-001").wait_for()
    plant.gate.left = 0
    refresh(tab)
    tab.page.get_by_text("Too many requests").wait_for()
    hour = {f"{clock.naive(clock.now() + HOUR - timedelta(minutes=late)):%H:%M}" for late in (0, 1)}
    assert any(time in tab.page.get_by_text("Next try").inner_text() for time in hour)
    assert tab.page.get_by_role("link", name="EQUIP-001").is_visible()


@pytest.mark.parametrize("fault", [pytest.param(faults.internal_error, id="500"), faults.reset])
def test_a_failing_storage_leaves_the_last_data_in_view_with_its_time(
    plant: Plant, browser: Browser, fault: Callable[..., None]
) -> None:
    plant.serve()
    tab = plant.open(browser)
    tab.page.get_by_role("link", name="EQUIP-002").wait_for()
    at = clock.naive(clock.now())
    with plant.proxy.failing(fault):
        refresh(tab)
        tab.page.get_by_text("The storage does not answer", exact=True).wait_for()
        notice = tab.page.get_by_text("as of").inner_text()
        assert any(f"{at - timedelta(minutes=early):%H:%M}" in notice for early in (0, 1))
        assert tab.page.get_by_role("link", name="EQUIP-002").is_visible()
    tab.page.get_by_role("button", name="Try again").click()
    tab.page.get_by_text("The storage does not answer", exact=True).wait_for(state="detached")


def test_a_storage_that_fails_from_the_beginning(plant: Plant, browser: Browser) -> None:
    plant.serve()
    with plant.proxy.failing(faults.internal_error):
        tab = plant.open(browser)
        tab.page.get_by_text("The storage does not answer", exact=True).wait_for()
        assert tab.page.get_by_text("Nothing has been scored yet").count() == 0
    tab.page.get_by_role("button", name="Try again").click()
    tab.page.get_by_role("link", name="EQUIP-001").wait_for()


def test_a_machine_whose_storage_fails(plant: Plant, browser: Browser) -> None:
    plant.serve()
    tab = plant.open(browser)
    tab.page.get_by_role("link", name="EQUIP-001").click()
    tab.page.get_by_role("heading", name="Sensors, last 72 hours").wait_for()
    with plant.proxy.failing(faults.internal_error):
        refresh(tab)
        tab.page.get_by_text("The storage does not answer", exact=True).wait_for()
        assert tab.page.get_by_role("heading", name="Sensors, last 72 hours").is_visible()


def test_scoring_that_has_stopped(plant: Plant, browser: Browser) -> None:
    plant.world.promote()
    plant.world.machine(hours=6)
    plant.score(clock.now() - 3 * HOUR)
    page = plant.open(browser).page
    page.get_by_text("Scoring is late").wait_for()
    assert page.get_by_role("link", name="EQUIP-001").is_visible()


def test_a_slow_storage_shows_that_the_page_is_loading(plant: Plant, browser: Browser) -> None:
    plant.serve()
    page = browser.open(plant.address, width=390).page
    page.get_by_label("API key").fill(KEY)
    seen = Event()

    def held(exchange: Exchange) -> None:
        seen.wait(30)
        through(exchange)

    with plant.proxy.failing(held, key=FLEET):
        page.get_by_role("button", name="Open").click()
        expect(page.get_by_text("Loading")).to_be_visible()
        seen.set()
        expect(page.get_by_role("link", name="EQUIP-001")).to_be_visible()
        expect(page.get_by_text("Loading")).to_have_count(0)
