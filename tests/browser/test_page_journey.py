"""A morning with the page, on the product itself: from the key to work that is done, its case and its label."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

import pytest
from playwright.sync_api import expect

from monitory import clock
from monitory.alerts import store
from monitory.alerts.case import Outcome, Status
from monitory.alerts.rule import Rule
from monitory.logbook.entry import Kind
from monitory.logbook.logbook import Logbook
from monitory.machine import Machine
from monitory.settings import RetrainSettings
from monitory_predict.api.caller import LOCAL
from monitory_predict.api.routes import create_app
from monitory_predict.telemetry import NoTelemetry
from monitory_retrain.dataset.labels import Labels, label_by
from monitory_retrain.ingest.ingest import Ingest
from monitory_retrain.ingest.logbook_source import logbook
from tests.support.browser import Browser
from tests.support.fakes import WatchedStorage
from tests.support.gatekeeper import Gatekeeper
from tests.support.models import SENSORS
from tests.support.page_server import listening
from tests.support.predicting import V1, World
from tests.support.retrain.nights import MemorySource
from tests.support.scoring import LAKE, new_run, predicting

KEY = "k-0123456789abcdef"
HOUR = timedelta(hours=1)
MACHINES = [Machine("ZONE-001", f"EQUIP-00{number}") for number in (1, 2)]
EAGER = Rule(limits_days=(31.0, 30.5))
"""Every prediction of the test's model is urgent."""


class Morning(NamedTuple):
    """A factory whose machines are urgent, and where its page is."""

    world: World
    address: str
    now: datetime


def watts(number: int) -> float:
    return 50_000.0 + number % 7


def labelled(world: World, learned: Logbook, now: datetime) -> Labels:
    """The hours of yesterday and today as the next retrain labels them."""
    MemorySource.storages[world.lake_storage.name] = world.lake_storage
    source = MemorySource(world.lake_storage.name, "", "EQUIPMENT/", SENSORS)
    days = [(clock.naive(now) - timedelta(days=age)).date() for age in (1, 0)]
    table = Ingest(source, WatchedStorage("cache"), world.log, 1).days(days, refresh=None, in_time=lambda: True).table
    return label_by(RetrainSettings(), table, SENSORS, learned)


@pytest.fixture
def morning() -> Iterator[Morning]:
    world, now = World(), clock.now()
    world.promote(V1)
    for age in range(8, 0, -1):
        for machine in MACHINES:
            world.write(now - age * HOUR, machine=machine, value=watts)
        new_run(world, rule=EAGER).score(now - (age - 1) * HOUR, lambda: True)
    app = create_app(predicting(world, {LOCAL}), world.log, NoTelemetry())
    with listening(Gatekeeper(app, KEY)) as address:
        yield Morning(world, address, now)


def test_from_the_key_to_a_case_that_is_closed_and_a_label_that_is_learned(browser: Browser, morning: Morning) -> None:
    world, now = morning.world, morning.now
    page = browser.open(morning.address, width=390).page

    page.get_by_label("API key").fill(KEY)
    page.get_by_role("button", name="Open").click()
    row = page.get_by_role("row", name="EQUIP-001")
    expect(row).to_be_visible()
    expect(row).to_contain_text("Act now", use_inner_text=True)
    expect(row).to_contain_text("nobody yet", use_inner_text=True)

    row.get_by_role("link").click()
    page.get_by_role("button", name="Seen").click()
    page.get_by_label("Note").fill("hums")
    page.get_by_role("button", name="Write down: Seen").click()
    expect(page.get_by_text("wear, level 2, acknowledged").first).to_be_visible()

    page.get_by_role("button", name="Planned").click()
    page.get_by_label("Work begins").fill(f"{now + timedelta(days=1):%Y-%m-%dT09:00}")
    page.get_by_role("button", name="Write down: Planned").click()
    expect(page.get_by_role("definition").get_by_text("planned")).to_be_visible()

    page.get_by_role("button", name="Maintenance done").click()
    page.get_by_label("Note").fill("new bearing")
    page.get_by_role("button", name="Write down: Maintenance done").click()
    expect(page.get_by_text("no case", exact=True)).to_be_visible()
    expect(page.get_by_text("maintenance was done")).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="new bearing")).to_have_count(1)

    page.get_by_role("link", name="Fleet").first.click()
    expect(page.get_by_role("row", name="EQUIP-002")).to_contain_text("nobody yet", use_inner_text=True)
    expect(row).to_contain_text("Act now", use_inner_text=True)
    expect(row).not_to_contain_text("nobody yet", use_inner_text=True)

    # the next run of scoring closes the case for good, and the machine's clock starts again
    world.write(now, machine=MACHINES[0], value=watts)
    new_run(world, rule=EAGER).score(now + HOUR, lambda: True)
    alerts = store.state_object(LAKE).read(world.model_storage).value.machines[str(MACHINES[0])]
    (case,) = [one for one in alerts.cases if one.status is Status.CLOSED]
    assert case.outcome is Outcome.MAINTENANCE
    assert alerts.since > clock.hour_of(clock.naive(now)) - 1

    # what the next retrain learns from
    learned = logbook(world.lake_storage, world.model_storage, None)
    assert learned is not None
    entries = learned.entries_of(MACHINES[0])
    assert [(one.kind, one.note) for one in entries if one.kind is Kind.MAINTENANCE] == [
        (Kind.MAINTENANCE, "new bearing")
    ]
    labels = labelled(world, learned, now)
    first_hour = clock.hour_of(clock.naive(now - 8 * HOUR))
    (work,) = labels.maintenance[MACHINES[0]]
    assert work in {clock.hour_of(clock.naive(now)), clock.hour_of(clock.naive(clock.now()))}
    assert labels.maintenance[MACHINES[1]] == []
    assert labels.failures[MACHINES[0]] == []
    # a run that work has ended tells that the machine lasts at least so long
    assert labels.seen[0] == pytest.approx((work - first_hour) / clock.HOURS_PER_DAY)
