"""Who has a keyboard and no mouse logs in, decides, ends an access and logs out."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from core.clock import database_time
from tests.browser.conftest import DESK, Visit, Visitor
from tests.browser.walk import screens, tab, tab_through, tab_to
from tests.conftest import Cast
from tests.factories import PASSWORD

pytestmark = pytest.mark.requirement(88)


PRESSABLE = """() => [...document.querySelectorAll(
  "a[href], button, input:not([type=hidden]), select, summary, [tabindex='0']")]
  .filter((one) => one.checkVisibility() && !one.disabled)
  .map((one) => one.outerHTML.slice(0, 160))"""


def press(visitor: Visitor, selector: str, key: str, leads_to: str) -> None:
    """Go to something by Tab and press it."""
    tab_to(visitor.page, selector)
    visitor.page.keyboard.press(key)
    visitor.page.wait_for_url(leads_to)


def type_in(visitor: Visitor, selector: str, words: str) -> None:
    tab_to(visitor.page, selector)
    visitor.page.keyboard.type(words)


def at_the_request(visit: Visit, people: Cast, scripts: bool) -> Visitor:
    anna = visit(viewport=DESK, java_script_enabled=scripts)
    anna.open_request()
    type_in(anna, "[name=login]", people.anna.email)
    type_in(anna, "[name=password]", PASSWORD)
    anna.page.keyboard.press("Enter")
    expect(anna.page).to_have_url(f"{anna.portal}/consent/{people.consent.uuid}")
    anna.page.wait_for_load_state()
    return anna


def test_anna_allows_and_cancels_with_keys_only(visit: Visit, people: Cast, scripts: bool) -> None:
    anna = at_the_request(visit, people, scripts)
    page = anna.page
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # the link that skips what stands before the content
    expect(page.locator("main")).to_be_focused()
    tab_to(page, "summary:has(#terms)")
    page.keyboard.press("Enter")  # the whole text opens
    tab_to(page, ".terms")
    tab_to(page, "[role=switch]")
    page.keyboard.press("Space")
    press(anna, "button[value=allow]", "Enter", "**/confirm?**")
    assert people.fresh().is_open(database_time())
    press(anna, "main button[type=submit]", "Space", "**/result**")
    assert people.fresh().status == "allowed"
    if scripts:
        tab_to(page, ".identifier-copy")
        page.keyboard.press("Enter")
        expect(page.locator("[data-said]")).not_to_be_empty()
        tab_to(page, "[data-return-seconds] button")
        page.keyboard.press("Enter")  # Stay here
        expect(page.locator("[data-return-link]")).to_be_focused()
    anna.open(f"/offices/{people.janssens.slug}")
    press(anna, "nav a[href$='/consents']", "Enter", "**/consents")
    press(anna, "main a[href$='/cancel']", "Enter", "**/cancel")
    tab_to(page, "[name=understood]")
    page.keyboard.press("Space")
    press(anna, "main button[type=submit]", "Enter", "**/result**")
    assert people.fresh().status == "cancelled"
    press(anna, "header a[href*=logout], header button", "Enter", "**/accounts/l**")


def test_anna_denies_with_keys_only(visit: Visit, people: Cast, scripts: bool) -> None:
    anna = at_the_request(visit, people, scripts)
    press(anna, "button[value=deny]", "Enter", "**/confirm?**")
    press(anna, "main button[type=submit]", "Enter", "**/result**")
    assert people.fresh().status == "denied"


def test_the_keyboard_comes_through_every_screen(visit: Visit, people: Cast) -> None:
    for name, anna in screens(visit, people, viewport=DESK):
        # Nothing jumps the queue: the order of the page is the order of the keyboard.
        assert anna.page.locator("[tabindex]:not([tabindex='0']):not([tabindex='-1'])").count() == 0
        stops = tab_through(anna.page)
        missed = set(anna.page.evaluate(PRESSABLE)) - set(stops)
        assert not missed, f"{name}: no key leads there"


@pytest.mark.parametrize("language", ["en", "nl", "fr", "de"])
def test_each_entry_of_the_menu_is_whole_on_a_phone(
    visit: Visit, people: Cast, language: str
) -> None:
    """The strip scrolls sideways; where the focus goes, it follows, without a script as well."""
    people.anna.language = language
    people.anna.save(update_fields=["language"])
    anna = visit(java_script_enabled=language in ("en", "de"))
    anna.enter(people.anna, f"/offices/{people.janssens.slug}")
    entries = anna.page.locator(".nav-office a")
    assert entries.count() == 6
    tab_to(anna.page, ".nav-office li:first-child > a")  # each stop must be inside the window
    for _ in range(5):
        tab(anna.page)
    expect(entries.last).to_be_focused()
    for entry in reversed(entries.all()[:-1]):  # and back
        anna.page.keyboard.press("Shift+Tab")
        expect(entry).to_be_focused()
        expect(entry).to_be_in_viewport(ratio=1)


def test_the_menu_on_a_phone_shows_where_anna_is(visit: Visit, people: Cast) -> None:
    anna = visit()
    for page in ("", "/companies", "/completeness", "/consents", "/users", "/organization"):
        anna.enter(people.anna, f"/offices/{people.janssens.slug}{page}")
        expect(anna.page.locator(".nav-office [aria-current]")).to_be_in_viewport(ratio=1)
