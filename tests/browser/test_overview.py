"""The overview, the dashboard and the languages, in a real browser."""

from __future__ import annotations

import pytest

from tests import factories
from tests.browser.conftest import Visit
from tests.conftest import Cast
from tests.factories import allow

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
    an = visit(locale=language)
    an.open_request()
    an.log_in(people.an)
    title, yes, no = WORDS[language]
    assert title in an.page.title()
    assert an.page.locator("button[value=allow]").inner_text().strip() == yes
    assert an.page.locator("button[value=deny]").inner_text().strip() == no
    an.check_screen()


def test_the_language_can_be_switched(visit: Visit, people: Cast) -> None:
    an = visit()
    an.open_request()
    an.page.locator("footer button", has_text="Nederlands").click()
    an.page.wait_for_load_state()
    assert an.heading() == "Inloggen"
    an.log_in(people.an)
    assert "Toestemming geven" in an.text()


def test_the_identifier_is_copied_and_it_is_said(visit: Visit, people: Cast) -> None:
    an = visit(permissions=["clipboard-read", "clipboard-write"])
    an.enter(people.an, f"/offices/{people.janssens.slug}/consents")
    an.page.locator("main .identifier-copy").first.click()
    an.page.get_by_text("Consent ID copied").first.wait_for(state="attached")
    assert an.page.evaluate("navigator.clipboard.readText()") == str(people.consent.uuid)


def test_an_filters_searches_and_pages(visit: Visit, people: Cast) -> None:
    partners = [factories.make_partner(f"Soft{n}") for n in range(28)]
    for partner in partners:
        factories.make_request(people.janssens, partner)
    allow(people.consent, people.an)
    an = visit(java_script_enabled=False)
    an.enter(people.an, f"/offices/{people.janssens.slug}/consents")
    assert partners[-1].name in an.text()
    assert people.ledgerly.name not in an.text()
    an.page.click("text=Show more consents")
    an.page.wait_for_load_state()
    assert people.ledgerly.name in an.text()
    an.open(f"/offices/{people.janssens.slug}/consents?status=allowed")
    assert people.ledgerly.name in an.text()
    assert partners[0].name not in an.text()
    an.open(f"/offices/{people.janssens.slug}/consents?q={str(people.consent.uuid)[:13]}")
    assert people.ledgerly.name in an.text()
    an.open(f"/offices/{people.janssens.slug}/consents?q=nobody&last=x&status=y&sort=z")
    assert "No consent fits" in an.text()
    an.check_screen()
    an.open(f"/offices/{people.janssens.slug}/consents?q=%00nobody")
    assert partners[-1].name in an.text()


def test_allow_from_the_overview_leads_back_to_it(visit: Visit, people: Cast) -> None:
    an = visit()
    an.enter(people.an, f"/offices/{people.janssens.slug}/consents")
    an.page.locator("main a", has_text="Allow").first.click()
    an.page.wait_for_url("**/consent/**")
    an.choose("allow")
    an.confirm()
    assert an.heading() == "Consent confirmed"
    assert an.page.locator("a", has_text="Continue now").count() == 0
    an.page.click("text=Back to the overview")
    an.page.wait_for_url("**/consents")


def test_bram_has_no_administration_menu(visit: Visit, people: Cast) -> None:
    bram = visit()
    bram.enter(people.bram, f"/offices/{people.janssens.slug}")
    assert "Administration" not in bram.page.locator("body").inner_text()
    bram.open(f"/offices/{people.janssens.slug}/consents")
    assert "Ask an Admin" in bram.page.locator("body").inner_text()
    bram.check_screen()


def test_a_person_of_two_offices_chooses(visit: Visit, people: Cast) -> None:
    people.peeters.memberships.create(user=people.an, role="user")
    an = visit()
    an.enter(people.an, "/")
    an.page.wait_for_url("**/offices")
    assert people.janssens.name in an.text()
    assert people.peeters.name in an.text()
    an.check_screen()
    an.page.locator("main a", has_text=people.peeters.name).first.click()
    an.page.wait_for_url(f"**/offices/{people.peeters.slug}")
    an.check_screen()
