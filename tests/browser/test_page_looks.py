"""The page's views in a real browser: widths, colour schemes, languages; what axe finds; its policy and its size."""

import gzip
from collections.abc import Iterator
from typing import Literal

import httpx2
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from monitory_predict.api.page_files import FOLDER
from tests.support.browser import Browser, Tab
from tests.support.page_server import PageServer, serving

VIEWS = {
    "fleet": "#/",
    "machine": "#/machine/ZONE-002/EQUIP-002",
    "silent": "#/machine/ZONE-001/EQUIP-019",
    "model": "#/model",
}
# every pair of width, colour scheme and language
LOOKS: tuple[tuple[int, Literal["light", "dark"], str], ...] = (
    (1280, "light", "en-GB"),
    (1280, "dark", "ko-KR"),
    (390, "dark", "en-GB"),
    (390, "light", "ko-KR"),
)
READY = {
    "fleet": "tbody tr:nth-child(20)",
    "machine": ".small-multiples svg",
    "silent": ".small-multiples svg",
    "model": "table >> nth=2",
}

SMALL_TARGETS = """[...document.querySelectorAll("a, button, input, select, textarea, summary")].filter(element => {
  const box = (element.id === "keep" ? element.parentElement : element).getBoundingClientRect();
  const style = getComputedStyle(element, "::after");
  const isStretched = style.position === "absolute";  // to its whole row
  return box.width && box.height && box.height < 43.5 && !isStretched && !element.matches(".skip");
}).map(element => element.outerHTML.slice(0, 80))"""

CUT_OFF = """[...document.querySelectorAll("svg text")].filter(text => {
  const inner = text.getBoundingClientRect(), outer = text.closest("svg").getBoundingClientRect();
  return inner.width && (inner.left < outer.left - 1 || inner.right > outer.right + 1
    || inner.top < outer.top - 1 || inner.bottom > outer.bottom + 2);
}).map(text => text.textContent)"""

OVERLAPPING = """[...document.querySelectorAll("svg")].flatMap(svg => {
  const boxes = [...svg.querySelectorAll("text")].map(text => [text.textContent, text.getBoundingClientRect()]);
  return boxes.flatMap(([a, one], index) => boxes.slice(index + 1)
    .filter(([, two]) => one.right > two.left + 1 && two.right > one.left + 1)
    .filter(([, two]) => one.bottom > two.top + 3 && two.bottom > one.top + 3)
    .map(([b]) => `${a} and ${b}`));
})"""

TOO_WIDE = """[...document.querySelectorAll("body *")].filter(element =>
  element.getBoundingClientRect().right > innerWidth + 1 && !element.closest(".scroll, .unseen")
).map(element => element.outerHTML.slice(0, 80))"""


@pytest.fixture(scope="module")
def standing() -> Iterator[PageServer]:
    with serving() as started:
        yield started


def opened(
    browser: Browser, server: PageServer, view: str, width: int, scheme: Literal["light", "dark"], language: str
) -> Tab:
    tab = browser.open(server.address + VIEWS[view], width=width, scheme=scheme, language=language)
    expect(tab.page.locator(READY[view]).first).to_be_visible()
    return tab


@pytest.mark.parametrize(("width", "scheme", "language"), LOOKS)
@pytest.mark.parametrize("view", VIEWS)
def test_a_view_is_whole_and_accessible(
    browser: Browser, standing: PageServer, view: str, width: int, scheme: Literal["light", "dark"], language: str
) -> None:
    tab = opened(browser, standing, view, width, scheme, language)
    # a machine without an answer is 404 for predict, which a browser reports
    assert [error for error in tab.errors if not (view == "silent" and "404" in error)] == []
    assert all(request.startswith(standing.address) for request in tab.requests if not request.startswith("data:"))
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= width
    assert tab.page.evaluate(TOO_WIDE) == []
    assert tab.page.evaluate(SMALL_TARGETS) == []
    assert tab.page.evaluate(CUT_OFF) == []
    assert tab.page.evaluate(OVERLAPPING) == []
    assert tab.page.evaluate("document.documentElement.lang") == language[:2]
    assert findings(tab) == []
    tab.page.context.close()


def findings(tab: Tab) -> list[str]:
    """What axe finds, with where."""
    violations = Axe().run(tab.page).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:120]} ({len(one['nodes'])})" for one in violations]


def test_axe_and_the_measures_would_notice_something(browser: Browser, standing: PageServer) -> None:
    tab = opened(browser, standing, "fleet", 390, "light", "en-GB")
    tab.page.evaluate(
        """() => {
          const [wide, small, picture] = ["div", "button", "img"].map(tag => document.createElement(tag));
          const [drawing, one, two] = ["svg", "text", "text"].map(
            tag => document.createElementNS("http://www.w3.org/2000/svg", tag));
          for (const text of [one, two]) {
            text.textContent = "text"; text.setAttribute("x", -20); text.setAttribute("y", 20);
          }
          drawing.append(one, two);
          wide.style.width = "3000px"; wide.style.height = "1px"; small.style.minHeight = "0"; picture.src = "data:,";
          document.querySelector("main").append(wide, small, picture, drawing);
        }"""
    )
    assert tab.page.evaluate(TOO_WIDE) != []
    assert tab.page.evaluate(SMALL_TARGETS) != []
    assert tab.page.evaluate(CUT_OFF) == ["text", "text"]
    assert tab.page.evaluate(OVERLAPPING) == ["text and text"]
    assert any(found.startswith("image-alt") for found in findings(tab))


def test_the_whole_page_is_small() -> None:
    files = [path for path in FOLDER.iterdir() if path.is_file()]
    assert sum(len(gzip.compress(path.read_bytes())) for path in files) < 150_000


def test_languages_are_switched_and_remembered(browser: Browser, standing: PageServer) -> None:
    page = opened(browser, standing, "fleet", 1280, "light", "en-GB").page
    page.get_by_role("button", name="한국어").click()
    expect(page.get_by_role("heading", name="설비 현황")).to_be_visible()
    expect(page.get_by_text("온도").first).to_be_visible()
    expect(page.get_by_text("temperature")).to_have_count(0)
    page.reload()
    expect(page.get_by_role("heading", name="설비 현황")).to_be_visible()
    assert page.evaluate("document.documentElement.lang") == "ko"


def test_the_keyboard_skips_to_the_content_and_opens_a_machine(browser: Browser, standing: PageServer) -> None:
    page = opened(browser, standing, "fleet", 1280, "light", "en-GB").page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.get_by_role("link", name="EQUIP-002").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="EQUIP-002")).to_be_visible()


def test_the_fleet_is_a_table_to_a_screen_reader_on_a_phone_too(browser: Browser, standing: PageServer) -> None:
    page = opened(browser, standing, "fleet", 390, "light", "en-GB").page
    expect(page.get_by_role("row")).to_have_count(21)
    row = page.get_by_role("row", name="EQUIP-003")
    expect(row.get_by_role("cell").first).to_contain_text("Act now", use_inner_text=True)
    expect(row.get_by_role("img", name="1.6 to 3.6 days with 90%")).to_have_count(1)
    expect(page.get_by_role("rowheader", name="EQUIP-003")).to_have_count(1)


def test_it_prints_without_controls(browser: Browser, standing: PageServer) -> None:
    page = opened(browser, standing, "fleet", 1280, "light", "en-GB").page
    expect(page.locator("#search")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.locator("#search")).to_be_hidden()
    expect(page.get_by_role("cell", name="Act now").first).to_be_visible()


def test_a_policy_forbids_all_but_the_pages_own_files(browser: Browser, standing: PageServer) -> None:
    policy = httpx2.get(standing.address).headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    tab = opened(browser, standing, "fleet", 1280, "light", "en-GB")
    blocked = tab.page.evaluate(
        """async () => {
          const blocked = [];
          addEventListener("securitypolicyviolation", event => blocked.push(event.effectiveDirective));
          const script = document.createElement("script");
          try { script.text = "window.hacked = true"; } catch { blocked.push("trusted types"); }
          document.body.append(script);
          try { document.querySelector("footer").innerHTML = "<b>x</b>"; } catch { blocked.push("innerHTML"); }
          await fetch("https://example.invalid/").catch(() => {});
          await new Promise(done => setTimeout(done, 100));
          return [blocked, window.hacked];
        }"""
    )
    assert {"trusted types", "innerHTML", "connect-src"} <= set(blocked[0])
    assert blocked[1] is None


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_report_opens_in_the_pages_language(browser: Browser, standing: PageServer, language: str) -> None:
    tab = browser.open(f"{standing.address}page/report.html#2026-11-27-150312", width=390, language=language)
    assert tab.page.frame_locator("iframe").locator(f"#language-{language}").is_checked()


def test_the_report_opens_with_its_style_and_without_scripts(browser: Browser, standing: PageServer) -> None:
    tab = opened(browser, standing, "model", 1280, "light", "en-GB")
    tab.page.get_by_role("link", name="Report of 2026/11/27/150312").click()
    heading = tab.page.frame_locator("iframe").get_by_role("heading", name="Report of a version")
    expect(heading).to_be_visible()
    assert heading.evaluate("element => getComputedStyle(element).color") == "rgb(1, 2, 3)"
    expect(tab.page.locator("iframe")).to_have_attribute("sandbox", "")
    assert tab.errors == []
    tab.page.locator("#back").click()
    expect(tab.page.get_by_role("heading", name="Model", exact=True)).to_be_visible()
