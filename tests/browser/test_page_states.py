"""What the page says where it cannot show what it should: each state provoked, and data that is there not hidden."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.browser import Browser, Tab
from tests.support.page_factory import Factory
from tests.support.page_server import PageServer, serving

STORAGE = (503, "the storage does not answer; try again", {"retry-after": "30"})


def open_fleet(browser: Browser, server: PageServer, path: str = "") -> Tab:
    return browser.open(server.address + path, width=1280)


def refresh(tab: Tab) -> None:
    """What the page does by itself each minute, and when its tab is looked at again."""
    tab.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_no_model_yet_says_what_is_missing(browser: Browser, server: PageServer) -> None:
    server.faults["fleet"] = (404, "nothing has been scored yet", {})
    server.faults["health"] = (503, "no model has been promoted yet", {"retry-after": "30"})
    tab = open_fleet(browser, server)
    tab.page.get_by_text("No model yet").wait_for()
    assert tab.page.get_by_text("7 days of readings, 2 machines and 5 runs").is_visible()
    assert tab.page.get_by_text("no model has been promoted yet").is_visible()


def test_nothing_scored_yet_or_scoring_switched_off(browser: Browser, server: PageServer) -> None:
    server.faults["fleet"] = (404, "there is no fleet state: scoring is switched off", {})
    page = open_fleet(browser, server).page
    page.get_by_text("Nothing has been scored yet").wait_for()
    assert page.get_by_text("scoring is switched off").is_visible()


def test_a_model_that_cannot_be_used(browser: Browser, server: PageServer) -> None:
    server.faults["health"] = (503, "the model cannot be used", {})
    open_fleet(browser, server, "#/model").page.get_by_text("The model cannot be used", exact=True).wait_for()


@pytest.mark.parametrize("wait", [1, 3600])
def test_a_used_up_quota_says_when_the_next_try_is(browser: Browser, server: PageServer, wait: int) -> None:
    server.faults["fleet"] = (429, "too many requests today", {"retry-after": str(wait)})
    tab = open_fleet(browser, server)
    tab.page.get_by_text("Too many requests").wait_for()
    at = datetime.now(UTC) + timedelta(seconds=wait, hours=9)
    times = {f"{at - timedelta(minutes=1):%H:%M}", f"{at:%H:%M}"}
    text = tab.page.get_by_text("Next try").inner_text()
    assert any(time in text for time in times), text


def test_a_failing_storage_leaves_the_last_data_in_view_with_its_time(browser: Browser, server: PageServer) -> None:
    tab = open_fleet(browser, server)
    tab.page.get_by_role("link", name="EQUIP-001").wait_for()
    server.faults["fleet"] = STORAGE
    refresh(tab)
    tab.page.get_by_text("The storage does not answer", exact=True).wait_for()
    at = server.factory.scored_at + timedelta(hours=9)
    assert tab.page.get_by_text(f"as of {at:%H:%M}").is_visible()
    assert tab.page.get_by_role("link", name="EQUIP-020").is_visible()
    server.faults.clear()
    tab.page.get_by_role("button", name="Try again").click()
    tab.page.get_by_text("The storage does not answer", exact=True).wait_for(state="detached")


def test_a_failing_storage_at_first_sight_may_be_tried_again(browser: Browser, server: PageServer) -> None:
    server.faults["fleet"] = STORAGE
    tab = open_fleet(browser, server)
    tab.page.get_by_text("The storage does not answer", exact=True).wait_for()
    server.faults.clear()
    tab.page.get_by_role("button", name="Try again").click()
    tab.page.get_by_role("link", name="EQUIP-001").wait_for()


def test_failing_cases_hide_no_machine(browser: Browser, server: PageServer) -> None:
    server.faults["cases"] = STORAGE
    tab = open_fleet(browser, server)
    tab.page.get_by_role("link", name="EQUIP-020").wait_for()


def test_offline_and_back(browser: Browser, server: PageServer) -> None:
    tab = open_fleet(browser, server)
    tab.page.get_by_role("link", name="EQUIP-001").wait_for()
    tab.page.context.set_offline(True)
    refresh(tab)
    tab.page.get_by_text("No connection to the service").wait_for()
    assert tab.page.get_by_role("link", name="EQUIP-001").is_visible()
    tab.page.context.set_offline(False)
    tab.page.get_by_text("No connection to the service").wait_for(state="detached")


def test_late_scoring_is_said(browser: Browser) -> None:
    with serving(Factory()) as server:
        server.factory.scored_at -= timedelta(hours=3)
        tab = open_fleet(browser, server)
        tab.page.get_by_text("Scoring is late").wait_for()
        assert tab.page.get_by_role("link", name="EQUIP-001").is_visible()


def test_nothing_urgent_is_said(browser: Browser) -> None:
    with serving(Factory()) as server:
        server.factory._rows = [row | {"level": "fine"} for row in server.factory._rows]
        tab = open_fleet(browser, server)
        tab.page.get_by_text("Nothing urgent").wait_for()
        assert tab.page.get_by_role("row").count() == 21


def test_a_new_run_of_scoring_shows_by_itself_and_is_told(browser: Browser, server: PageServer) -> None:
    tab = open_fleet(browser, server)
    tab.page.get_by_role("link", name="EQUIP-001").wait_for()
    before = len(server.seen)
    refresh(tab)
    tab.page.wait_for_timeout(300)
    assert len(server.seen) == before + 1  # nothing new: one cheap look
    assert "trend" not in server.seen[-1][1]
    server.factory.scored_at += timedelta(minutes=10)
    server.factory._rows[5]["equipId"] = "NEWCOMER"
    refresh(tab)
    tab.page.get_by_role("link", name="NEWCOMER").wait_for()
    assert "Updated" in tab.page.get_by_role("status").first.inner_text()


def test_machines_without_an_answer_are_never_hidden(browser: Browser, server: PageServer) -> None:
    page = open_fleet(browser, server).page
    row = page.get_by_role("row", name="EQUIP-020")
    row.wait_for()
    assert "No answer" in row.inner_text()
    assert "not one line is JSON" in row.inner_text()
    assert "19 hours ago" in page.get_by_role("row", name="EQUIP-019").inner_text()


def test_counters_search_and_zones_filter_and_the_address_remembers(browser: Browser, server: PageServer) -> None:
    page = open_fleet(browser, server).page
    page.get_by_role("button", name="2 Act now").click()
    page.get_by_text("2 of 2 machines").wait_for()
    page.get_by_role("button", name="2 Act now").click()
    page.get_by_text("20 of 20 machines").wait_for()
    page.get_by_label("Search machine").fill("equip-01")
    page.get_by_text("10 of 10 machines").wait_for()
    page.get_by_label("Zone").select_option("ZONE-002")
    page.get_by_text("3 of 3 machines").wait_for()
    assert "q=equip-01" in page.evaluate("location.hash")
    page.reload()
    page.get_by_text("3 of 3 machines").wait_for()
    assert page.get_by_label("Search machine").input_value() == "equip-01"
    page.get_by_label("Search machine").fill("nothing like it")
    page.get_by_text("No machine matches").wait_for()
    page.get_by_role("button", name="Show all machines").click()
    page.get_by_text("20 of 20 machines").wait_for()


def test_large_fleets_come_in_pages(browser: Browser) -> None:
    with serving(Factory(130)) as server:
        page = open_fleet(browser, server).page
        page.get_by_text("50 of 130 machines").wait_for()
        page.get_by_role("button", name="Show 50 more").click()
        page.get_by_text("100 of 130 machines").wait_for()
        page.get_by_role("button", name="Show 30 more").click()
        page.get_by_text("130 of 130 machines").wait_for()
        assert page.get_by_role("button", name="more").count() == 0
        assert page.evaluate("document.activeElement.textContent") == "EQUIP-101"


def test_a_machine_that_is_not_there(browser: Browser, server: PageServer) -> None:
    open_fleet(browser, server, "#/machine/ZONE-001/NOBODY").page.get_by_text("ZONE-001/NOBODY is not in").wait_for()


def test_a_machine_without_a_prediction_shows_all_else(browser: Browser, server: PageServer) -> None:
    page = open_fleet(browser, server, "#/machine/ZONE-002/EQUIP-020").page
    page.get_by_text("No prediction now").wait_for()
    assert page.get_by_text("not one line is JSON").is_visible()
    assert page.get_by_role("heading", name="Past runs").is_visible()
    assert page.get_by_role("button", name="Maintenance done").is_visible()


def test_a_model_that_nobody_measured(browser: Browser, server: PageServer) -> None:
    server.faults["performance"] = (404, "nothing has been measured yet", {})
    open_fleet(browser, server, "#/model").page.get_by_text("Nothing has been measured yet").wait_for()


def test_the_page_works_where_the_address_of_the_stage_lacks_its_slash(browser: Browser) -> None:
    # uvicorn knows no stage: the test of the gateway's events is test_page_files
    with serving(Factory()) as server:
        browser.open(server.address.rstrip("/"), width=390).page.get_by_role("link", name="EQUIP-001").wait_for()
