"""What the page says where it cannot show what it should: each state provoked, and data that is there not hidden."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

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
    expect(tab.page.get_by_text("No model yet")).to_be_visible()
    expect(tab.page.get_by_text("7 days of readings, 2 machines and 5 runs")).to_be_visible()
    expect(tab.page.get_by_text("no model has been promoted yet")).to_be_visible()


def test_nothing_scored_yet_or_scoring_switched_off(browser: Browser, server: PageServer) -> None:
    server.faults["fleet"] = (404, "there is no fleet state: scoring is switched off", {})
    page = open_fleet(browser, server).page
    expect(page.get_by_text("Nothing has been scored yet")).to_be_visible()
    expect(page.get_by_text("scoring is switched off")).to_be_visible()


def test_a_model_that_cannot_be_used(browser: Browser, server: PageServer) -> None:
    server.faults["health"] = (503, "the model cannot be used", {})
    expect(
        open_fleet(browser, server, "#/model").page.get_by_text("The model cannot be used", exact=True)
    ).to_be_visible()


@pytest.mark.parametrize("wait", [1, 3600])
def test_a_used_up_quota_says_when_the_next_try_is(browser: Browser, server: PageServer, wait: int) -> None:
    server.faults["fleet"] = (429, "too many requests today", {"retry-after": str(wait)})
    tab = open_fleet(browser, server)
    expect(tab.page.get_by_text("Too many requests")).to_be_visible()
    at = datetime.now(UTC) + timedelta(seconds=wait, hours=9)
    times = {f"{at - timedelta(minutes=1):%H:%M}", f"{at:%H:%M}"}
    text = tab.page.get_by_text("Next try").inner_text()
    assert any(time in text for time in times), text


def test_a_failing_storage_leaves_the_last_data_in_view_with_its_time(browser: Browser, server: PageServer) -> None:
    tab = open_fleet(browser, server)
    expect(tab.page.get_by_role("link", name="EQUIP-001")).to_be_visible()
    server.faults["fleet"] = STORAGE
    refresh(tab)
    expect(tab.page.get_by_text("The storage does not answer", exact=True)).to_be_visible()
    at = server.factory.scored_at + timedelta(hours=9)
    expect(tab.page.get_by_text(f"as of {at:%H:%M}")).to_be_visible()
    expect(tab.page.get_by_role("link", name="EQUIP-020")).to_be_visible()
    server.faults.clear()
    tab.page.get_by_role("button", name="Try again").click()
    expect(tab.page.get_by_text("The storage does not answer", exact=True)).to_have_count(0)


def test_a_failing_storage_at_first_sight_may_be_tried_again(browser: Browser, server: PageServer) -> None:
    server.faults["fleet"] = STORAGE
    tab = open_fleet(browser, server)
    expect(tab.page.get_by_text("The storage does not answer", exact=True)).to_be_visible()
    server.faults.clear()
    tab.page.get_by_role("button", name="Try again").click()
    expect(tab.page.get_by_role("link", name="EQUIP-001")).to_be_visible()


def test_failing_cases_hide_no_machine(browser: Browser, server: PageServer) -> None:
    server.faults["cases"] = STORAGE
    tab = open_fleet(browser, server)
    expect(tab.page.get_by_role("link", name="EQUIP-020")).to_be_visible()
    assert [url for _, url, _ in server.seen if "/cases" in url], "they were asked for"


def test_offline_and_back(browser: Browser, server: PageServer) -> None:
    tab = open_fleet(browser, server)
    expect(tab.page.get_by_role("link", name="EQUIP-001")).to_be_visible()
    tab.page.context.set_offline(True)
    refresh(tab)
    expect(tab.page.get_by_text("No connection to the service")).to_be_visible()
    expect(tab.page.get_by_role("link", name="EQUIP-001")).to_be_visible()
    tab.page.context.set_offline(False)
    expect(tab.page.get_by_text("No connection to the service")).to_have_count(0)


def test_late_scoring_is_said(browser: Browser) -> None:
    with serving(Factory()) as server:
        server.factory.scored_at -= timedelta(hours=3)
        tab = open_fleet(browser, server)
        expect(tab.page.get_by_text("Scoring is late")).to_be_visible()
        expect(tab.page.get_by_role("link", name="EQUIP-001")).to_be_visible()


def test_nothing_urgent_is_said(browser: Browser) -> None:
    with serving(Factory()) as server:
        server.factory._rows = [row | {"level": "fine"} for row in server.factory._rows]
        tab = open_fleet(browser, server)
        expect(tab.page.get_by_text("Nothing urgent")).to_be_visible()
        expect(tab.page.get_by_role("row")).to_have_count(21)


def test_a_new_run_of_scoring_shows_by_itself_and_is_told(browser: Browser, server: PageServer) -> None:
    tab = open_fleet(browser, server)
    expect(tab.page.get_by_role("link", name="EQUIP-001")).to_be_visible()
    server.seen.clear()
    with tab.page.expect_response("**/api/v1/fleet?*"):
        refresh(tab)
    server.factory.scored_at += timedelta(minutes=10)
    server.factory._rows[5]["equipId"] = "NEWCOMER"
    refresh(tab)
    expect(tab.page.get_by_role("link", name="NEWCOMER")).to_be_visible()
    expect(tab.page.get_by_role("status").first).to_contain_text("Updated", use_inner_text=True)
    # nothing new: one cheap look; then another one, after which all is read
    assert ["trend=true" in url for _, url, _ in server.seen if "/fleet?" in url] == [False, False, True]
    assert len(server.seen) == 4, "and the cases once"


def test_machines_without_an_answer_are_never_hidden(browser: Browser, server: PageServer) -> None:
    page = open_fleet(browser, server).page
    row = page.get_by_role("row", name="EQUIP-020")
    expect(row).to_be_visible()
    expect(row).to_contain_text("No answer", use_inner_text=True)
    expect(row).to_contain_text("not one line is JSON", use_inner_text=True)
    expect(page.get_by_role("row", name="EQUIP-019")).to_contain_text("19 hours ago", use_inner_text=True)


def test_counters_search_and_zones_filter_and_the_address_remembers(browser: Browser, server: PageServer) -> None:
    page = open_fleet(browser, server).page
    page.get_by_role("button", name="2 Act now").click()
    expect(page.get_by_text("2 of 2 machines")).to_be_visible()
    page.get_by_role("button", name="2 Act now").click()
    expect(page.get_by_text("20 of 20 machines")).to_be_visible()
    page.get_by_label("Search machine").fill("equip-01")
    expect(page.get_by_text("10 of 10 machines")).to_be_visible()
    page.get_by_label("Zone").select_option("ZONE-002")
    expect(page.get_by_text("3 of 3 machines")).to_be_visible()
    assert "q=equip-01" in page.evaluate("location.hash")
    page.reload()
    expect(page.get_by_text("3 of 3 machines")).to_be_visible()
    expect(page.get_by_label("Search machine")).to_have_value("equip-01")
    page.get_by_label("Search machine").fill("nothing like it")
    expect(page.get_by_text("No machine matches")).to_be_visible()
    page.get_by_role("button", name="Show all machines").click()
    expect(page.get_by_text("20 of 20 machines")).to_be_visible()


def test_large_fleets_come_in_pages(browser: Browser) -> None:
    with serving(Factory(130)) as server:
        page = open_fleet(browser, server).page
        expect(page.get_by_text("50 of 130 machines")).to_be_visible()
        page.get_by_role("button", name="Show 50 more").click()
        expect(page.get_by_text("100 of 130 machines")).to_be_visible()
        page.get_by_role("button", name="Show 30 more").click()
        expect(page.get_by_text("130 of 130 machines")).to_be_visible()
        expect(page.get_by_role("button", name="more")).to_have_count(0)
        assert page.evaluate("document.activeElement.textContent") == "EQUIP-101"


def test_a_machine_that_is_not_there(browser: Browser, server: PageServer) -> None:
    expect(
        open_fleet(browser, server, "#/machine/ZONE-001/NOBODY").page.get_by_text("ZONE-001/NOBODY is not in")
    ).to_be_visible()


def test_a_machine_without_a_prediction_shows_all_else(browser: Browser, server: PageServer) -> None:
    page = open_fleet(browser, server, "#/machine/ZONE-002/EQUIP-020").page
    expect(page.get_by_text("No prediction now")).to_be_visible()
    expect(page.get_by_text("not one line is JSON")).to_be_visible()
    expect(page.get_by_role("heading", name="Past runs")).to_be_visible()
    expect(page.get_by_role("button", name="Maintenance done")).to_be_visible()


def test_a_model_that_nobody_measured(browser: Browser, server: PageServer) -> None:
    server.faults["performance"] = (404, "nothing has been measured yet", {})
    expect(open_fleet(browser, server, "#/model").page.get_by_text("Nothing has been measured yet")).to_be_visible()


def test_the_page_works_where_the_address_of_the_stage_lacks_its_slash(browser: Browser) -> None:
    # uvicorn knows no stage: the test of the gateway's events is test_page_files
    with serving(Factory()) as server:
        expect(
            browser.open(server.address.rstrip("/"), width=390).page.get_by_role("link", name="EQUIP-001")
        ).to_be_visible()
