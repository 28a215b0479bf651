"""The key of the page: typed or scanned, kept for the session or on the device, forgotten, never anywhere else."""

import pytest
from playwright.sync_api import expect

from tests.support.browser import Browser, Tab
from tests.support.page_server import PageServer

KEY = "k-0123456789abcdef"
STORED = "[JSON.stringify(localStorage), JSON.stringify(sessionStorage)]"


@pytest.fixture
def tab(browser: Browser, server: PageServer) -> Tab:
    server.key = KEY
    return browser.open(server.address, width=1280)


def type_key(tab: Tab, key: str = KEY, *, keep: bool = False) -> None:
    tab.page.get_by_label("API key").fill(key)
    if keep:
        tab.page.get_by_label("Keep on this device").check()
    tab.page.get_by_role("button", name="Open").click()


def expect_fleet(tab: Tab) -> None:
    expect(tab.page.get_by_role("link", name="EQUIP-001")).to_be_visible()


def test_no_key_is_asked_for_where_none_is_needed(browser: Browser, server: PageServer) -> None:
    tab = browser.open(server.address, width=1280)
    expect_fleet(tab)
    expect(tab.page.get_by_role("button", name="Sign out")).to_have_count(0)


def test_a_typed_key_opens_the_fleet_and_lasts_for_the_session(tab: Tab) -> None:
    type_key(tab)
    expect_fleet(tab)
    on_device, in_session = tab.page.evaluate(STORED)
    assert KEY in in_session
    assert KEY not in on_device
    tab.page.reload()
    expect_fleet(tab)
    expect(tab.page.get_by_label("API key")).to_have_count(0)


def test_a_key_that_is_kept_opens_another_session(tab: Tab, server: PageServer) -> None:
    type_key(tab, keep=True)
    expect_fleet(tab)
    another = tab.page.context.new_page()
    another.goto(server.address)
    expect(another.get_by_role("link", name="EQUIP-001")).to_be_visible()


def test_a_wrong_key_is_refused_in_words_and_another_one_may_be_typed(tab: Tab) -> None:
    type_key(tab, "wrong")
    expect(tab.page.get_by_text("The key was refused")).to_be_visible()
    type_key(tab, "키")
    expect(tab.page.get_by_text("A key has no spaces")).to_be_visible()
    type_key(tab)
    expect_fleet(tab)


def test_a_scanned_key_leaves_the_address_before_anything_is_asked_for(browser: Browser, server: PageServer) -> None:
    server.key = KEY
    tab = browser.open(f"{server.address}#key={KEY}", width=390)
    expect_fleet(tab)
    assert tab.page.evaluate("location.href") == server.address
    assert all(KEY not in url for _, url, _ in server.seen)
    assert all(KEY not in url for url in tab.requests)
    # in an open tab, too
    tab.page.evaluate(f"location.hash = '#key={KEY}2'")
    expect(tab.page.get_by_text("The key was refused")).to_be_visible()
    assert KEY not in tab.page.evaluate("location.href")


def test_the_key_travels_in_its_header_alone(tab: Tab, server: PageServer) -> None:
    type_key(tab)
    expect_fleet(tab)
    tab.page.get_by_role("link", name="EQUIP-002").click()
    expect(tab.page.get_by_role("heading", name="Past runs")).to_be_visible()
    used = [headers for _, _, headers in server.seen if KEY in str(headers)]
    assert used
    for headers in used:
        assert [name for name, value in headers.items() if KEY in value] == ["x-api-key"]
        assert "cookie" not in headers
    assert KEY not in tab.page.content()


def test_signing_out_leaves_nothing_behind_in_any_tab(tab: Tab, server: PageServer) -> None:
    type_key(tab, keep=True)
    expect_fleet(tab)
    tab.page.get_by_role("button", name="한국어").click()
    another = tab.page.context.new_page()
    another.goto(server.address)
    expect(another.get_by_role("button", name="로그아웃")).to_be_visible()
    tab.page.get_by_role("button", name="로그아웃").click()
    expect(tab.page.get_by_label("API 키")).to_be_visible()
    assert tab.page.evaluate(STORED) == ["{}", "{}"]
    expect(another.get_by_label("API 키")).to_be_visible()
    assert another.evaluate(STORED) == ["{}", "{}"]
    assert tab.page.evaluate("document.cookie") == ""


def test_signing_out_asks_before_unsent_records_are_lost(tab: Tab, server: PageServer) -> None:
    type_key(tab)
    tab.page.get_by_role("link", name="EQUIP-002").click()
    server.faults["machines/ZONE-002/EQUIP-002/records"] = (503, "the storage does not answer; try again", {})
    tab.page.get_by_role("button", name="Seen", exact=True).click()
    tab.page.get_by_role("button", name="Write down: Seen").click()
    expect(tab.page.get_by_text("Waiting to be sent: 1")).to_be_visible()
    tab.page.once("dialog", lambda dialog: dialog.dismiss())
    tab.page.get_by_role("button", name="Sign out").click()
    assert "seen" in tab.page.evaluate(STORED)[0]
    tab.page.once("dialog", lambda dialog: dialog.accept())
    tab.page.get_by_role("button", name="Sign out").click()
    expect(tab.page.get_by_label("API key")).to_be_visible()
    assert tab.page.evaluate(STORED) == ["{}", "{}"]
