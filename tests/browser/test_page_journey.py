"""A morning with the page, on the product itself: from the key to work that is done, its case and its label."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

import pytest
from playwright.sync_api import expect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from monitory import clock
from monitory.alerts import store
from monitory.alerts.case import Outcome, Status
from monitory.alerts.rule import Rule
from monitory.logbook.entry import Kind
from monitory.machine import Machine
from monitory_predict.api.caller import LOCAL
from monitory_predict.api.routes import create_app
from monitory_predict.telemetry import NoTelemetry
from monitory_retrain.ingest.logbook_source import logbook
from tests.support.browser import Browser
from tests.support.page_server import listening
from tests.support.predicting import V1, World
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


class Gate:
    """What the gateway does: no key, no data; and the page without one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope.get("headers", ()))
        if "/api/v1/" in scope["path"] and headers.get(b"x-api-key") != KEY.encode():
            refusal = JSONResponse({"detail": "x-api-key is missing, or its key is not valid"}, 403)
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)


@pytest.fixture
def morning() -> Iterator[Morning]:
    world, now = World(), clock.now()
    world.promote(V1)
    for age in range(8, 0, -1):
        for machine in MACHINES:
            world.write(now - age * HOUR, machine=machine, value=watts)
        new_run(world, rule=EAGER).score(now - (age - 1) * HOUR, lambda: True)
    app = create_app(predicting(world, {LOCAL}), world.log, NoTelemetry())
    with listening(Gate(app)) as address:
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
