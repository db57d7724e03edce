"""How long it takes to connect software, and to say why it is refused: counted in a real browser."""

from __future__ import annotations

import time
from typing import Any

import pytest

from partners.models import Application, Partner
from tests import factories
from tests.backoffice.test_operators import proven
from tests.browser.conftest import Visit, Visitor
from tests.browser.test_operator_pages import judged, looking, operator
from tests.conftest import Cast
from tests.factories import allow

pytestmark = pytest.mark.requirement(87)

# A person: they think before each field and each click, and type four characters a second.
THINK, TYPE = 2.0, 0.25


class Hand:
    """Fills in and clicks, and counts both."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor, self.page = visitor, visitor.page
        self.clicks = self.fields = self.characters = 0
        self.began = time.monotonic()

    def click(self, selector: str) -> None:
        self.page.locator(selector).first.click()
        self.page.wait_for_load_state()
        self.clicks += 1

    def fill(self, name: str, text: str) -> None:
        self.page.fill(f"[name='{name}']", text)
        self.fields += 1
        self.characters += len(text)

    def seconds(self) -> float:
        """What the portal took, and what a person takes besides."""
        waited = time.monotonic() - self.began
        return waited + THINK * (self.clicks + self.fields) + TYPE * self.characters

    def said(self) -> str:
        return (
            f"{self.clicks} clicks, {self.fields} fields, {self.characters} characters,"
            f" {self.seconds():.0f} s of a person"
        )


def test_finn_connects_software_within_four_minutes(
    visit: Visit, people: Cast, record_property: Any
) -> None:
    """From the home of the admin to active software, with webhook and certificate."""
    finn = operator(visit, people)
    session = proven(people.dirk).cookies["portal_session"].value
    finn.page.context.add_cookies(
        [{"name": "portal_session", "value": session, "url": finn.portal}]
    )
    finn.open("/admin/")
    hand = Hand(finn)
    hand.click("a[href='/admin/partners/partner/add/']")
    hand.fill("name", "Nova Boek")
    hand.fill("vendor", "Nova Boekhouding NV")
    hand.fill("legal_number", "BE 0403.170.701")
    hand.fill("email", "support@nova.example")
    hand.fill("website", "nova.example")
    for kind in finn.page.locator("[name=document_kinds]").all():
        kind.check()
        hand.clicks += 1
    hand.fill("redirect_uris-0-uri", "https://nova.example/codabox/back")
    hand.fill("webhook_endpoint-0-url", "https://nova.example/codabox/hook")
    hand.click("[name=_save]")
    nova = Partner.objects.get(name="Nova Boek")
    assert finn.page.url.endswith(f"/{nova.pk}/guide/")
    looking(finn, "steps")
    hand.click("main a:has-text('Client id and secret')")
    hand.click("button[value=create]")
    for button in finn.page.locator("dd[data-identifier] button").all():
        button.click()
        hand.clicks += 1
    hand.click("main a:has-text('Steps')")
    hand.click("main a:has-text('Activate')")
    hand.click("[name=status][value=active]")
    hand.fill("reason", "Contract signed")
    hand.click("input[value='Change state']")
    nova.refresh_from_db()
    assert nova.status == "active"
    assert Application.objects.filter(partner=nova).exists()
    print(hand.said())
    record_property("measured", hand.said())
    assert hand.seconds() <= 240
    for scheme in ("light", "dark"):
        finn.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        judged(finn, f"state {scheme}")


def test_dirk_says_why_software_is_refused_within_three_clicks(visit: Visit, people: Cast) -> None:
    allow(people.consent, people.anna)
    people.fresh().pause(factories.acting(people.anna))
    dirk = operator(visit, people)
    dirk.open("/admin/")
    hand = Hand(dirk)
    hand.fill("q", people.janssens.company_number)
    hand.click("form[role=search] [type=submit]")
    hand.click(f"main a[href='/admin/accounts/office/{people.janssens.pk}/change/']")
    assert "the office paused it, until an Admin resumes it" in dirk.text()
    print(hand.said())
    assert hand.clicks <= 3
