"""The report in a real browser: desktop and phone, light and dark, in both languages."""

from collections.abc import Callable
from html import escape
from itertools import product
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import expect

from monitory_retrain import report
from tests.support import reports
from tests.support.browser import Browser

WIDTHS = (1280, 390)
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
LANGUAGES = ("English", "한국어")

UNREADABLE = """(() => {
  const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
  const luminance = rgb => rgb.slice(0, 3)
    .map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = element => {
    for (let at = element; at; at = at.parentElement) {
      const colour = numbers(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
    if (!own || !element.getClientRects().length) continue;
    const style = getComputedStyle(element);
    const svg = element.closest("svg");
    const [a, b] = [luminance(numbers(svg ? style.fill : style.color)), luminance(behind(element))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const scale = svg ? svg.getBoundingClientRect().width / svg.viewBox.baseVal.width : 1;
    const size = parseFloat(style.fontSize) * scale;
    if (contrast < 4.5 || size < 10) found.push([element.textContent.trim().slice(0, 40), contrast, size]);
  }
  return found;
})()"""

CUT_OFF = """[...document.querySelectorAll("svg text")].filter(text => {
  if (!text.getClientRects().length) return false;  // of the other language
  const inner = text.getBoundingClientRect(), outer = text.closest("svg").getBoundingClientRect();
  return inner.left < outer.left - 1 || inner.right > outer.right + 1
    || inner.top < outer.top - 1 || inner.bottom > outer.bottom + 1;
}).map(text => text.textContent)"""

TOO_WIDE = """[...document.querySelectorAll("main *")].filter(element =>
  element.getBoundingClientRect().right > innerWidth + 1 && !element.closest(".scroll, .unseen, pre")
).map(element => element.outerHTML.slice(0, 80))"""


@pytest.fixture(scope="module", params=["full", "sparse", "hostile"])
def address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    made: dict[str, Callable[[], bytes]] = {
        "full": reports.page,
        "sparse": lambda: report.render(reports.sparse()),
        "hostile": lambda: report.render(reports.hostile()),
    }
    path: Path = tmp_path_factory.mktemp("report") / f"{request.param}.html"
    path.write_bytes(made[request.param]())
    return path.as_uri()


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_opens_whole_and_readable_without_errors_or_requests(
    browser: Browser, address: str, width: int
) -> None:
    tab = browser.open(address, width=width)
    for look in product(SCHEMES, LANGUAGES):
        scheme, language = look
        tab.page.emulate_media(color_scheme=scheme)
        tab.page.get_by_text(language, exact=True).click()
        assert tab.page.evaluate("innerWidth") == width, look
        assert tab.page.evaluate("document.documentElement.scrollWidth") <= width, look
        assert tab.page.evaluate(TOO_WIDE) == [], look
        assert tab.page.evaluate(UNREADABLE) == [], look
        assert tab.page.evaluate(CUT_OFF) == [], look
        assert tab.errors == [], look
        assert tab.requests == [address], look


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_follows_the_readers_colour_scheme(browser: Browser, address: str, width: int) -> None:
    tab = browser.open(address, width=width)
    seen = set()
    for scheme in SCHEMES:
        tab.page.emulate_media(color_scheme=scheme)
        seen.add(tab.page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert len(seen) == len(SCHEMES)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_keyboard_switches_the_language_and_print_has_the_chosen_one(
    browser: Browser, address: str, width: int
) -> None:
    tab = browser.open(address, width=width)
    verdict = tab.page.locator("#verdict")
    assert verdict.inner_text().startswith("Verdict")
    tab.page.keyboard.press("Tab")
    tab.page.keyboard.press("ArrowRight")
    assert verdict.inner_text().startswith("판정")
    expect(tab.page.get_by_role("region", name="판정")).to_have_count(1)
    described = tab.page.locator("#presence-text").count()
    expect(tab.page.get_by_role("img", name="설비와 날짜별 데이터 시간")).to_have_count(described)
    expect(tab.page.get_by_role("img", name="Hours with data")).to_have_count(0)
    expect(tab.page.get_by_role("radio", name="한국어")).to_be_checked()
    expect(tab.page.get_by_text("English", exact=True)).to_be_visible()
    tab.page.emulate_media(media="print")
    assert verdict.inner_text().startswith("판정")
    expect(tab.page.get_by_text("English", exact=True)).to_be_hidden()


def test_the_language_is_switched_in_a_frame_that_runs_no_scripts(browser: Browser, tmp_path: Path) -> None:
    """As the page of the API shows it."""
    outer = tmp_path / "frame.html"
    report_text = escape(reports.page().decode())
    outer.write_text(f'<!doctype html><iframe sandbox="" srcdoc="{report_text}"></iframe>', encoding="utf-8")
    tab = browser.open(outer.as_uri(), width=1280)
    frame = tab.page.frame_locator("iframe")
    frame.get_by_text("한국어", exact=True).click()
    assert frame.locator("#verdict").inner_text().startswith("판정")
    assert tab.errors == []


def test_the_test_would_notice_errors_requests_and_overflow(browser: Browser, tmp_path: Path) -> None:
    bad = tmp_path / "bad.html"
    bad.write_text(
        "<!doctype html><main><div style='width:3000px'>wide</div></main>"
        "<img src='http://nowhere.invalid/x.png'><script>console.error('oh'); undefined_name</script>"
    )
    tab = browser.open(bad.as_uri(), width=390)
    assert any("oh" in error for error in tab.errors)
    assert any("undefined_name" in error for error in tab.errors)
    assert "http://nowhere.invalid/x.png" in tab.requests
    assert tab.page.evaluate("document.documentElement.scrollWidth") > 390
    assert tab.page.evaluate(TOO_WIDE) != []
