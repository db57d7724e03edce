"""Who enlarges four times, brings her own colours or spaces her letters misses nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import DESK, PHONE, Visit
from tests.browser.walk import screens, tab_through
from tests.conftest import Cast

pytestmark = pytest.mark.requirement(88)


# 1280 × 1024 points, enlarged to 400 %: what WCAG 2.2 names in 1.4.10.
ENLARGED = {"width": 320, "height": 256}
# WCAG 2.2, 1.4.12: a person's own style sheet, by a stylesheet object so that our policy lets it.
SPACED = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`* { line-height: 1.5 !important; letter-spacing: 0.12em !important;
    word-spacing: 0.16em !important; } p { margin-bottom: 2em !important; }`);
  document.adoptedStyleSheets = [sheet];
}"""
# What makes the page wider than the window.
WIDE = """() => [...document.body.querySelectorAll('*')].filter((box) => {
  if (box.getBoundingClientRect().right <= innerWidth + 1 || !box.checkVisibility()) return false;
  for (let around = box.parentElement; around !== document.body; around = around.parentElement)
    if (getComputedStyle(around).overflowX !== 'visible') return false;
  return true;
}).map((box) => `${box.tagName} ${box.className} ${box.textContent.trim().slice(0, 40)}`)"""
# Every text that a person sees, and whether the window or a box around it cuts it.
CUT = """() => {
  const found = [];
  const seen = new Set();
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (words.nextNode()) {
    const node = words.currentNode;
    const box = node.parentElement;
    if (!node.textContent.trim() || !box.checkVisibility({visibilityProperty: true})) continue;
    if (box.closest('.skip-link')) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const text = range.getBoundingClientRect();
    let {left, right} = {left: 0, right: document.documentElement.clientWidth};
    let heard = false;  // by a screen reader only
    let {top, bottom} = {top: -Infinity, bottom: Infinity};
    for (let around = box; around && around !== document.body; around = around.parentElement) {
      const style = getComputedStyle(around);
      const edge = around.getBoundingClientRect();
      if (edge.width <= 1) { heard = true; break; }
      if (style.overflowX !== 'visible') {
        left = Math.max(left, edge.left); right = Math.min(right, edge.right);
      }
      if (['hidden', 'clip'].includes(style.overflowY)) {
        top = Math.max(top, edge.top); bottom = Math.min(bottom, edge.bottom);
      }
    }
    if (heard) continue;
    if (text.left < left - 1 || text.right > right + 1 || text.top < top - 1
        || text.bottom > bottom + 1) found.push(node.textContent.trim());
    seen.add(node);
  }
  return [seen.size, found];
}"""
# What can be pressed and looks like a box must have one when only its border is drawn.
BOXES = "a.btn:not(.btn-plain), button.btn:not(.btn-plain), input:not([type=hidden]), select"
BORDERLESS = """(boxes) => [...document.querySelectorAll(boxes)]
  .filter((box) => box.checkVisibility() && !['checkbox', 'radio'].includes(box.type))
  .filter((box) => {
    const style = getComputedStyle(box);
    // A button for the keyboard alone shows itself, and its border, when the focus comes.
    if (style.clipPath !== 'none') box.focus();
    const ground = getComputedStyle(document.body).backgroundColor;
    return parseFloat(style.borderTopWidth) < 1 || style.borderTopStyle === 'none'
      || style.borderTopColor === ground;
  }).map((box) => box.outerHTML)"""


def cut(page: Page) -> list[str]:
    """The texts that a person cannot read whole, without scrolling sideways."""
    wide = page.evaluate("document.scrollingElement.scrollWidth - window.innerWidth")
    texts, found = page.evaluate(CUT)
    assert texts > 5
    return [*found, f"{wide} px too wide"] if wide > 0 else list(found)


@pytest.mark.parametrize("language", ["en", "nl", "fr", "de"])
@pytest.mark.parametrize("spaced", [False, True], ids=["enlarged", "enlarged-and-spaced"])
def test_nothing_is_cut_at_400_percent(
    visit: Visit,
    people: Cast,
    language: str,
    spaced: bool,
    record_property: Callable[[str, object], None],
) -> None:
    people.anna.language = language
    people.anna.save()
    people.janssens.name = "Boekhoudkantoor Vandenbroucke-Peeters & Zonen Accountants"
    people.janssens.save()
    looked = 0
    for name, anna in screens(visit, people, viewport=ENLARGED, locale=language):
        assert anna.page.locator("html").get_attribute("lang") == language, name
        if spaced:
            anna.page.evaluate(SPACED)
        assert cut(anna.page) == [], name
        looked += 1
    record_property("measured", f"400 %: 0 texts cut on {looked} screens in {language}")


# The languages with the longest words.
@pytest.mark.parametrize("language", ["nl", "de"])
def test_letters_of_twice_the_size_fit_a_phone(visit: Visit, people: Cast, language: str) -> None:
    """The browser's own size of letters, which media queries in `rem` follow."""
    people.anna.language = language
    people.anna.save()
    wrong = {}
    for name, anna in screens(visit, people, viewport=PHONE, locale=language):
        if name == "login":
            devtools = anna.page.context.new_cdp_session(anna.page)
            devtools.send("Page.setFontSizes", {"fontSizes": {"standard": 32, "fixed": 26}})
        anna.page.reload()
        size = "getComputedStyle(document.documentElement).fontSize"
        assert anna.page.evaluate(size) == "32px"
        if anna.page.evaluate("document.scrollingElement.scrollWidth > window.innerWidth"):
            wrong[name] = anna.page.evaluate(WIDE)
    assert wrong == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_with_forced_colours_buttons_have_borders_and_the_focus_is_seen(
    visit: Visit, people: Cast, scheme: str, record_property: Callable[[str, object], None]
) -> None:
    stops = 0
    colours = {"forced_colors": "active", "color_scheme": scheme}
    for name, anna in screens(visit, people, viewport=DESK, **colours):
        assert anna.page.evaluate("matchMedia('(forced-colors: active)').matches")
        stops += len(tab_through(anna.page))
        assert anna.page.evaluate(BORDERLESS, BOXES) == [], name
    record_property("measured", f"forced colours, {scheme}: focus seen at {stops} of {stops} stops")


def test_nothing_moves_for_who_wants_no_motion(visit: Visit, people: Cast) -> None:
    moving = """() => {
      document.querySelector('#id_accept_terms').click();
      return document.getAnimations().filter(
        (one) => one.effect.getComputedTiming().endTime > 0).length;
    }"""
    for motion, some in (("no-preference", True), ("reduce", False)):
        anna = visit(reduced_motion=motion)
        anna.enter(people.anna, f"/consent/{people.consent.uuid}")
        anna.page.locator("[inert]").wait_for(state="detached")  # a moment after it appeared
        assert bool(anna.page.evaluate(moving)) == some, motion
