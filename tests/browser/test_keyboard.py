"""Who has a keyboard and no mouse logs in, decides, ends an access and logs out."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import DESK, Visit, Visitor
from tests.browser.walk import screens, tab_through, tab_to
from tests.conftest import Cast
from tests.factories import PASSWORD

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
    an = visit(viewport=DESK, java_script_enabled=scripts)
    an.open_request()
    type_in(an, "[name=login]", people.an.email)
    type_in(an, "[name=password]", PASSWORD)
    an.page.keyboard.press("Enter")
    expect(an.page).to_have_url(f"{an.portal}/consent/{people.consent.uuid}")
    an.page.wait_for_load_state()
    return an


def test_an_allows_and_cancels_with_keys_only(visit: Visit, people: Cast, scripts: bool) -> None:
    an = at_the_request(visit, people, scripts)
    page = an.page
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # the link that skips what stands before the content
    expect(page.locator("main")).to_be_focused()
    tab_to(page, ".terms")
    tab_to(page, "[role=switch]")
    page.keyboard.press("Space")
    press(an, "button[value=allow]", "Enter", "**/confirm?**")
    assert people.fresh().is_open
    press(an, "main button[type=submit]", "Space", "**/result**")
    assert people.fresh().status == "allowed"
    if scripts:
        tab_to(page, ".identifier-copy")
        page.keyboard.press("Enter")
        expect(page.locator("[data-said]")).not_to_be_empty()
        tab_to(page, "[data-handback-seconds] button")
        page.keyboard.press("Enter")  # Stay here
        expect(page.locator("[data-handback]")).to_be_focused()
    an.open(f"/offices/{people.janssens.slug}")
    press(an, "nav a[href$='/consents']", "Enter", "**/consents")
    press(an, "main a[href$='/cancel']", "Enter", "**/cancel")
    tab_to(page, "[name=understood]")
    page.keyboard.press("Space")
    press(an, "main button[type=submit]", "Enter", "**/result**")
    assert people.fresh().status == "cancelled"
    press(an, "header a[href*=logout], header button", "Enter", "**/accounts/l**")


def test_an_denies_with_keys_only(visit: Visit, people: Cast, scripts: bool) -> None:
    an = at_the_request(visit, people, scripts)
    press(an, "button[value=deny]", "Enter", "**/confirm?**")
    press(an, "main button[type=submit]", "Enter", "**/result**")
    assert people.fresh().status == "denied"


def test_the_keyboard_comes_through_every_screen(visit: Visit, people: Cast) -> None:
    for name, an in screens(visit, people, viewport=DESK):
        # Nothing jumps the queue: the order of the page is the order of the keyboard.
        assert an.page.locator("[tabindex]:not([tabindex='0']):not([tabindex='-1'])").count() == 0
        stops = tab_through(an.page)
        missed = set(an.page.evaluate(PRESSABLE)) - set(stops)
        assert not missed, f"{name}: no key leads there"
