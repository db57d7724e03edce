"""Two operators publish terms in a real browser: counted, by keyboard, on a phone, for everybody."""

from __future__ import annotations

from typing import Any

import pytest

from consents.models import Terms
from tests import factories
from tests.backoffice.test_operators import another_operator, proven
from tests.browser.conftest import DESK, Visit, Visitor
from tests.browser.test_onboarding import Hand
from tests.browser.test_operator_pages import judged, looking
from tests.conftest import Cast
from tests.factories import allow

pytestmark = pytest.mark.requirement(83)


def proven_operator(visit: Visit, person: Any) -> Visitor:
    """An operator at a desk, who proved their identity a moment ago."""
    session = proven(person).cookies["portal_session"].value
    visitor = visit(viewport=DESK)
    visitor.page.context.add_cookies(
        [{"name": "portal_session", "value": session, "url": visitor.portal}]
    )
    return visitor


def judged_everywhere(visitor: Visitor, name: str) -> None:
    """Light and dark, and as wide as a small phone without a scroll sideways."""
    looking(visitor, name)
    for scheme in ("light", "dark"):
        visitor.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        judged(visitor, f"{name} {scheme}")
    visitor.page.set_viewport_size({"width": 360, "height": 780})
    wide = visitor.page.evaluate("document.scrollingElement.scrollWidth - window.innerWidth")
    looking(visitor, f"{name}-phone")
    assert wide <= 0, f"{name} is {wide} px too wide"
    visitor.page.set_viewport_size(DESK)  # type: ignore[arg-type]


def test_two_operators_publish_terms_in_eight_clicks(
    visit: Visit, people: Cast, record_property: Any
) -> None:
    """From the home of each: compare, ask, and confirm what stands there."""
    allow(people.consent, people.anna)
    before = factories.terms_in_force()
    dirk = proven_operator(visit, people.dirk)
    eva = proven_operator(visit, another_operator(people))
    dirk.open("/admin/")
    first = Hand(dirk)
    first.click("a[href='/admin/consents/terms/add/']")
    for language in ("en", "nl", "fr", "de"):
        first.fill(f"body_{language}", f"{factories.terms_in_force(language).body}\n\nMore.")
    dirk.page.locator("[name=material]").check()
    first.clicks += 1
    first.click("[name=preview]")
    judged_everywhere(dirk, "compare terms")
    first.fill("reason", "A new way to stop")
    first.click("[name=publish]")
    assert "Nothing has been published yet" in dirk.text()
    judged_everywhere(dirk, "terms that wait")
    eva.open("/admin/")
    second = Hand(eva)
    second.click("main a[href='/admin/consents/terms/publication/']")
    assert "A new way to stop" in eva.text()
    assert "must accept it within 60 days" in eva.text()
    judged_everywhere(eva, "terms to confirm")
    eva.page.locator("button[name=confirm]").focus()
    eva.page.keyboard.press("Enter")
    eva.page.get_by_text("Done. The terms are published.").wait_for()
    second.clicks += 1
    assert Terms.objects.in_force("fr").version == before.version + 1
    said = f"first {first.said()}; second {second.said()}"
    print(said)
    record_property("measured", said)
    assert first.clicks + second.clicks <= 8
