"""The overview, the dashboard and the languages, in a real browser."""

from __future__ import annotations

import pytest

from tests import factories
from tests.browser.conftest import Visit
from tests.conftest import Cast
from tests.factories import allow

pytestmark = pytest.mark.requirement(88)


WORDS = {
    "en": ("Manage your consent", "Allow Consent", "Deny Consent"),
    "nl": ("Je toestemming beheren", "Toestemming geven", "Toestemming weigeren"),
    "fr": ("Gérer votre consentement", "Donner le consentement", "Refuser le consentement"),
    "de": ("Ihre Einwilligung verwalten", "Einwilligung erteilen", "Einwilligung ablehnen"),
}


@pytest.mark.parametrize("language", list(WORDS))
def test_the_request_speaks_the_language_of_the_person(
    visit: Visit, people: Cast, language: str
) -> None:
    anna = visit(locale=language)
    anna.open_request()
    anna.log_in(people.anna)
    title, yes, no = WORDS[language]
    assert title in anna.page.title()
    assert anna.page.locator("button[value=allow]").inner_text().strip() == yes
    assert anna.page.locator("button[value=deny]").inner_text().strip() == no
    anna.check_screen()


def test_the_language_can_be_switched(visit: Visit, people: Cast) -> None:
    anna = visit()
    anna.open_request()
    anna.page.locator("footer button", has_text="Nederlands").click()
    anna.page.wait_for_load_state()
    assert anna.heading() == "Inloggen"
    anna.log_in(people.anna)
    assert "Toestemming geven" in anna.text()


def test_the_identifier_is_copied_and_it_is_said(visit: Visit, people: Cast) -> None:
    anna = visit(permissions=["clipboard-read", "clipboard-write"])
    anna.enter(people.anna, f"/offices/{people.janssens.slug}/consents")
    anna.page.locator("main .identifier-copy").first.click()
    anna.page.get_by_text("Consent ID copied").first.wait_for(state="attached")
    assert anna.page.evaluate("navigator.clipboard.readText()") == str(people.consent.uuid)


def test_anna_filters_searches_and_pages(visit: Visit, people: Cast) -> None:
    partners = [factories.make_partner(f"Soft{n}") for n in range(28)]
    for partner in partners:
        factories.make_request(people.janssens, partner)
    allow(people.consent, people.anna)
    anna = visit(java_script_enabled=False)
    anna.enter(people.anna, f"/offices/{people.janssens.slug}/consents?sort=newest")
    assert partners[-1].name in anna.text()
    assert people.ledgerly.name not in anna.text()
    anna.page.get_by_role("link", name="Next").click()
    anna.page.wait_for_load_state()
    assert people.ledgerly.name in anna.text()
    anna.page.get_by_role("link", name="Previous").click()
    anna.page.wait_for_load_state()
    assert partners[-1].name in anna.text()
    anna.open(f"/offices/{people.janssens.slug}/consents?status=allowed")
    assert people.ledgerly.name in anna.text()
    assert partners[0].name not in anna.text()
    anna.open(f"/offices/{people.janssens.slug}/consents?q={str(people.consent.uuid)[:13]}")
    assert people.ledgerly.name in anna.text()
    anna.open(f"/offices/{people.janssens.slug}/consents?q=nobody&after=x&status=y&sort=z")
    assert "No consents match" in anna.text()
    anna.check_screen()
    anna.open(f"/offices/{people.janssens.slug}/consents?q=%00nobody")
    assert partners[-1].name in anna.text()


def test_allow_from_the_overview_leads_back_to_it(visit: Visit, people: Cast) -> None:
    anna = visit()
    anna.enter(people.anna, f"/offices/{people.janssens.slug}/consents")
    anna.page.locator("main a", has_text="Review request").first.click()
    anna.page.wait_for_url("**/consent/**")
    anna.choose("allow")
    anna.confirm()
    assert anna.heading() == "Consent confirmed"
    assert anna.page.locator("a", has_text="Continue to").count() == 0
    anna.page.click("text=Back to all consents")
    anna.page.wait_for_url("**/consents")


def test_bram_has_no_administration_menu(visit: Visit, people: Cast) -> None:
    bram = visit()
    bram.enter(people.bram, f"/offices/{people.janssens.slug}")
    assert "Administration" not in bram.page.locator("body").inner_text()
    bram.open(f"/offices/{people.janssens.slug}/consents")
    assert "ask an Admin" in bram.page.locator("body").inner_text()
    bram.check_screen()


@pytest.mark.requirement(52)
def test_a_person_of_two_offices_chooses(visit: Visit, people: Cast) -> None:
    people.peeters.memberships.create(user=people.anna, role="user")
    anna = visit()
    anna.enter(people.anna, "/")
    anna.page.wait_for_url("**/offices")
    assert people.janssens.name in anna.text()
    assert people.peeters.name in anna.text()
    anna.check_screen()
    anna.page.locator("main a", has_text=people.peeters.name).first.click()
    anna.page.wait_for_url(f"**/offices/{people.peeters.slug}")
    anna.check_screen()
