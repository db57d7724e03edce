"""Ending an access takes no more than giving it did, and is never far away."""

from __future__ import annotations

import pytest

from tests.browser.conftest import DESK, PHONE, Visit, Visitor
from tests.conftest import Cast

pytestmark = pytest.mark.requirement(87)


class Steps:
    """Counts what a person presses."""

    def __init__(self, visitor: Visitor) -> None:
        self.page, self.count = visitor.page, 0

    def press(self, selector: str) -> None:
        self.page.locator(selector).first.click()
        self.page.wait_for_load_state()
        self.count += 1

    def taken(self, *selectors: str) -> int:
        before = self.count
        for selector in selectors:
            self.press(selector)
        return self.count - before


def test_anna_ends_an_access_with_no_more_steps_than_she_gave_it(
    visit: Visit, people: Cast
) -> None:
    anna = visit()
    anna.open_request()
    anna.log_in(people.anna)
    steps = Steps(anna)
    giving = steps.taken("#id_accept_terms", "button[value=allow]", "main button[type=submit]")
    assert people.fresh().status == "allowed"
    for size in (PHONE, DESK):
        anna.page.set_viewport_size(size)  # type: ignore[arg-type]
        anna.open(f"/offices/{people.janssens.slug}")
        clicks = steps.taken("nav a:has-text('CodaBox Connect')")
        assert anna.page.url.endswith("/consents")
        assert clicks <= 2
    ending = steps.taken("main a:has-text('Cancel')", "#id_understood", "main button.btn-danger")
    assert people.fresh().status == "cancelled"
    assert ending <= giving
