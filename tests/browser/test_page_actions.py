"""What people write down on the page: shown at once, sent once and in order, kept while unsent; and markup."""

from pathlib import Path

import pytest
from playwright.sync_api import APIResponse, Route, expect

from tests.support.browser import Browser, Tab
from tests.support.page_factory import Factory
from tests.support.page_server import PageServer, serving

RECORDS = "machines/ZONE-002/EQUIP-002/records"
MARKUP = '<img src=x onerror="window.hacked=1">'
STORED = "localStorage.getItem('monitory.outbox')"


@pytest.fixture
def tab(browser: Browser, server: PageServer) -> Tab:
    opened = browser.open(f"{server.address}#/machine/ZONE-002/EQUIP-002", width=390)
    expect(opened.page.get_by_role("heading", name="Write down")).to_be_visible()
    return opened


def write(tab: Tab, kind: str, note: str = "", **fields: str) -> None:
    tab.page.get_by_role("button", name=kind, exact=True).click()
    for label, value in fields.items():
        tab.page.get_by_label(label.replace("_", " ")).fill(value)
    tab.page.get_by_label("Note").fill(note)
    tab.page.get_by_role("button", name=f"Write down: {kind}").click()


def posts(server: PageServer) -> list[str]:
    """Idempotency keys of what was sent."""
    return [headers["idempotency-key"] for method, _, headers in server.seen if method == "POST"]


@pytest.mark.parametrize(
    ("kind", "stored"),
    [
        ("Seen", "seen"),
        ("Planned", "planned"),
        ("Maintenance done", "maintenance"),
        ("Failed", "failure"),
        ("Prediction wrong", "false_alarm"),
    ],
)
def test_each_action_writes_one_record(tab: Tab, server: PageServer, kind: str, stored: str) -> None:
    write(tab, kind, "a note")
    expect(tab.page.get_by_text("by this machine")).to_be_visible()
    (record,) = server.factory.records["ZONE-002", "EQUIP-002"]
    assert (record["kind"], record["note"]) == (stored, "a note")
    assert record["start"].endswith("Z")
    assert len(posts(server)) == 1
    assert tab.page.evaluate(STORED) is None
    expect(tab.page.get_by_role("listitem").filter(has_text="a note")).to_have_count(1)


def test_times_are_those_of_the_reader(tab: Tab, server: PageServer) -> None:
    write(tab, "Planned", Work_begins="2099-01-02T09:00")
    expect(tab.page.get_by_text("by this machine")).to_be_visible()
    (record,) = server.factory.records["ZONE-002", "EQUIP-002"]
    assert record["start"] == "2099-01-02T00:00:00.000Z"  # 09:00 in Seoul


def test_the_past_is_not_in_the_future(tab: Tab, server: PageServer) -> None:
    write(tab, "Failed", Failed_at="2099-01-02T09:00")
    expect(tab.page.get_by_text("This is in the future")).to_be_visible()
    assert tab.page.evaluate(STORED) is None, "nothing waits to be sent"
    assert posts(server) == []


def test_offline_records_show_at_once_and_are_sent_once_and_in_order(tab: Tab, server: PageServer) -> None:
    tab.page.context.set_offline(True)
    write(tab, "Seen", "first")
    write(tab, "Planned", "second", Work_begins="2099-01-02T09:00")
    expect(tab.page.get_by_role("listitem").filter(has_text="waits to be sent")).to_have_count(2)
    expect(tab.page.get_by_text("Waiting to be sent: 2")).to_be_visible()
    assert server.factory.records["ZONE-002", "EQUIP-002"] == []
    tab.page.context.set_offline(False)
    expect(tab.page.get_by_text("Waiting to be sent")).to_have_count(0)
    assert [record["note"] for record in server.factory.records["ZONE-002", "EQUIP-002"]] == ["second", "first"]
    assert tab.page.evaluate(STORED) is None


def test_records_outlive_the_tab(tab: Tab, server: PageServer) -> None:
    server.faults[RECORDS] = (503, "the storage does not answer; try again", {"retry-after": "3600"})
    write(tab, "Seen", "kept")
    expect(tab.page.get_by_text("Waiting to be sent: 1")).to_be_visible()
    tab.page.close()
    server.faults.clear()
    page = tab.page.context.new_page()
    page.goto(server.address)
    expect(page.get_by_role("link", name="EQUIP-001")).to_be_visible()
    expect(page.get_by_text("Waiting to be sent")).to_have_count(0)
    assert page.evaluate(STORED) is None
    (record,) = server.factory.records["ZONE-002", "EQUIP-002"]
    assert record["note"] == "kept"
    assert len(set(posts(server))) == 1  # tried twice with one key


def test_an_answer_that_got_lost_writes_one_record(tab: Tab, server: PageServer) -> None:
    lost: list[APIResponse] = []

    def lose_first(route: Route) -> None:
        if lost:
            route.continue_()
            return
        lost.append(route.fetch())
        route.abort()

    tab.page.route("**/records", lose_first)
    write(tab, "Seen", "once")
    expect(tab.page.get_by_text("Waiting to be sent: 1")).to_be_visible()
    tab.page.locator("#notices").get_by_role("button", name="Try again").click()
    expect(tab.page.get_by_text("Waiting to be sent: 1")).to_have_count(0)
    assert len(posts(server)) == 2
    assert len(server.factory.records["ZONE-002", "EQUIP-002"]) == 1


def test_asking_again_while_a_record_is_on_its_way_sends_it_as_soon_as_that_fails(tab: Tab, server: PageServer) -> None:
    held: list[Route] = []
    tab.page.route("**/records", lambda route: route.continue_() if held else held.append(route))
    write(tab, "Seen", "once")
    again = tab.page.locator("#notices").get_by_role("button", name="Try again")
    again.click()
    held[0].abort()
    # long before it would be sent by itself
    expect(tab.page.get_by_text("Waiting to be sent: 1")).to_have_count(0, timeout=20_000)
    assert len(posts(server)) == 1
    assert len(server.factory.records["ZONE-002", "EQUIP-002"]) == 1


def test_a_refused_record_is_kept_and_does_not_hold_up_others(tab: Tab, server: PageServer) -> None:
    server.faults[RECORDS] = (403, "this key may read but not write", {})
    write(tab, "Seen", "refused")
    expect(tab.page.get_by_text("was refused: this key may read but not write")).to_be_visible()
    server.faults.clear()
    write(tab, "Prediction wrong", "goes through")
    expect(
        tab.page.get_by_role("listitem").filter(has_text="goes through").get_by_text("by this machine")
    ).to_be_visible()
    assert [record["note"] for record in server.factory.records["ZONE-002", "EQUIP-002"]] == ["goes through"]
    tab.page.locator("#notices").get_by_role("button", name="Try again").click()
    expect(tab.page.get_by_text("was refused")).to_have_count(0)
    assert len(server.factory.records["ZONE-002", "EQUIP-002"]) == 2


def test_a_refused_record_may_be_discarded(tab: Tab, server: PageServer) -> None:
    server.faults[RECORDS] = (422, "note: too long", {})
    write(tab, "Seen", "wrong")
    tab.page.get_by_role("button", name="Discard").click()
    expect(tab.page.get_by_text("was refused")).to_have_count(0)
    assert tab.page.evaluate(STORED) is None


def test_the_fleet_shows_who_has_a_machine_and_what_waits(tab: Tab, server: PageServer) -> None:
    write(tab, "Seen")
    expect(tab.page.get_by_text("by this machine")).to_be_visible()
    server.faults[RECORDS] = (503, "the storage does not answer; try again", {"retry-after": "3600"})
    write(tab, "Maintenance done")
    tab.page.get_by_role("link", name="Fleet").first.click()
    row = tab.page.get_by_role("row", name="EQUIP-002")
    expect(row).to_be_visible()
    expect(row).to_contain_text("seen", use_inner_text=True)
    expect(row).to_contain_text("Maintenance done: waits to be sent", use_inner_text=True)


def test_markup_in_names_notes_and_answers_stays_text(browser: Browser, tmp_path: Path) -> None:
    factory = Factory(names=[(MARKUP, MARKUP), ("</script>", "javascript:alert(1)"), ("..", "a/b?c#d%00")])
    for row in factory._rows:
        row["drivers"] = [{"sensor": MARKUP, "days": -1.0}]
        row["problem"] = MARKUP
        row["warnings"] = [MARKUP]
    with serving(factory) as server:
        tab = browser.open(server.address, width=1280)
        expect(tab.page.get_by_role("link", name=MARKUP)).to_be_visible()
        expect(tab.page.locator("img")).to_have_count(0)
        tab.page.get_by_role("link", name=MARKUP).click()
        expect(tab.page.get_by_role("heading", name="Past runs")).to_be_visible()
        write(tab, "Seen", MARKUP)
        expect(tab.page.get_by_role("listitem").filter(has_text=MARKUP).get_by_text("by this machine")).to_be_visible()
        expect(tab.page.locator("img")).to_have_count(0)
        server.faults["fleet"] = (500, MARKUP, {})
        tab.page.goto(server.address + "#/")
        expect(tab.page.get_by_text(f"Answer of the service: {MARKUP}")).to_be_visible()
        expect(tab.page.locator("img")).to_have_count(0)
        server.faults.clear()
        tab.page.goto(server.address + "#/machine/%2e%2e/a%2Fb%3Fc%23d%2500")
        expect(tab.page.get_by_role("heading", name="a/b?c#d%00")).to_be_visible()
        assert tab.page.evaluate("window.hacked") is None
        expect(tab.page.locator("img")).to_have_count(0)
