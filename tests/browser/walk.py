"""The way of an Admin from the login to the end of an access, screen by screen."""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from mailer.tasks import sweep
from tests.browser.conftest import Visit, Visitor
from tests.conftest import Cast

# A person who does not want motion stays where she is: nobody is led away between two looks.
CALM = {"reduced_motion": "reduce"}


def screens(visit: Visit, people: Cast, **options: Any) -> Iterator[tuple[str, Visitor]]:
    """Anna in front of each screen; she goes on when the caller has looked."""
    anna = visit(**CALM, **options)
    page = anna.page
    anna.open_request()
    yield "login", anna
    anna.log_in(people.anna)
    yield "consent", anna
    anna.choose("allow")
    yield "confirm", anna
    anna.confirm()
    page.wait_for_url("**/result**")
    yield "confirmed", anna
    anna.open(f"/offices/{people.janssens.slug}/consents")
    yield "overview", anna
    page.locator("main a[href$='/cancel']").click()
    page.wait_for_url("**/cancel")
    yield "cancel", anna
    page.check("[name=understood]")
    anna.confirm()
    page.wait_for_url("**/result**")
    yield "cancelled", anna
    anna.open("/accounts/reauthenticate/")
    yield "step-up", anna


FOCUS = """() => {
  const at = document.activeElement;
  if (!at || at === document.body) return null;
  const style = getComputedStyle(at);
  const box = at.getBoundingClientRect();
  return {
    what: at.outerHTML.slice(0, 160),
    seen: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2
      && style.outlineColor !== getComputedStyle(document.body).backgroundColor,
    inside: box.width > 0 && box.left >= 0 && box.right <= innerWidth
      && box.bottom > 0 && box.top < innerHeight,
  };
}"""


def tab(page: Page) -> str:
    """Press Tab; gives what has the focus now, which a person must be able to see."""
    page.keyboard.press("Tab")
    at = page.evaluate(FOCUS)
    for _ in range(100):
        if at is None or at["inside"]:
            break
        page.wait_for_timeout(20)  # the page may glide to what has the focus
        at = page.evaluate(FOCUS)
    if at is None:
        return ""
    assert at["inside"], f"outside the window: {at['what']}"
    assert at["seen"], f"no focus to see on {at['what']}"
    return str(at["what"])


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the focus is there, as somebody without a mouse does."""
    page.locator("[inert]").wait_for(state="detached")  # a moment after the page appeared
    for _ in range(60):
        tab(page)
        if page.evaluate("(wanted) => document.activeElement.matches(wanted)", selector):
            return
    raise AssertionError(f"no Tab leads to {selector} on {page.url}")


def tab_through(page: Page) -> list[str]:
    """Every stop of the keyboard, from the beginning of the page to its end."""
    page.locator("[inert]").wait_for(state="detached")
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    stops: list[Any] = []
    for _ in range(80):
        if not (at := tab(page)):
            # The last Tab left the window; coming back to it begins a moment without presses.
            page.locator("main").focus()
            page.locator("[inert]").wait_for(state="detached")
            return stops
        stops.append(at)
    raise AssertionError(f"the keyboard does not come out of {page.url}: {stops[-3:]}")


def link_to(mailbox: Path, email: str, path_of: str = "invitation") -> str:
    """The link of the newest mail with such a link to this address."""
    sweep()
    for path in sorted(mailbox.glob("*.eml"), reverse=True):
        text = quopri.decodestring(path.read_bytes()).decode(errors="replace")
        found = re.search(rf"https?://\S+/{path_of}/\S+", text)
        if f"To: {email}" in text and found:
            return found.group()
    raise AssertionError(f"no mail to {email}")
