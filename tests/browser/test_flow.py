"""The consent flow as people meet it, with and without JavaScript."""

from __future__ import annotations

import re

import pytest
from django.db.models.functions import Now
from playwright.sync_api import expect

from accounts.models import User
from consents.models import Consent, Evidence, Terms
from core.clock import database_time
from tests import factories
from tests.browser.conftest import Visit, Visitor
from tests.conftest import Cast
from tests.factories import acting, allow

pytestmark = pytest.mark.requirement(25, 33, 88, 90)


def at_request(visit: Visit, people: Cast, *, scripts: bool = True) -> Visitor:
    """Anna, logged in, with the request before her."""
    anna = visit(java_script_enabled=scripts)
    anna.enter(people.anna, f"/consent/{people.consent.uuid}")
    return anna


def test_anna_allows_and_is_sent_back(visit: Visit, people: Cast, scripts: bool) -> None:
    anna = visit(java_script_enabled=scripts)
    anna.open_request()
    anna.log_in(people.anna)
    assert anna.heading()
    text = anna.text()
    assert people.ledgerly.name in text
    assert people.janssens.name in text
    assert not anna.page.is_checked("#id_accept_terms")
    anna.check_screen()
    anna.choose("allow")
    assert people.fresh().status == "to_be_determined"
    anna.check_screen()
    anna.confirm()
    assert anna.heading() == "Consent confirmed"
    assert people.fresh().status == "allowed"
    assert str(people.consent.uuid) in anna.text()
    assert "software.example" in anna.text()
    anna.page.click("text=Continue to")
    anna.page.wait_for_url("https://software.example/callback")
    assert "referer: none" in anna.page.content()


@pytest.mark.requirement(17)
def test_anna_denies_without_the_switch(visit: Visit, people: Cast, scripts: bool) -> None:
    anna = at_request(visit, people, scripts=scripts)
    anna.choose("deny")
    anna.check_screen()
    anna.confirm()
    assert anna.heading() == "Consent denied"
    assert people.fresh().status == "denied"
    anna.check_screen()


@pytest.mark.requirement(15, 17)
def test_allow_does_not_work_without_the_switch(visit: Visit, people: Cast, scripts: bool) -> None:
    anna = at_request(visit, people, scripts=scripts)
    button = anna.page.locator("button[value=allow]")
    button.click()
    anna.page.wait_for_load_state()
    assert "Turn on the switch to confirm" in anna.text()
    # The page says what is missing and moves there.
    expect(anna.page.locator("[name=accept_terms]")).to_be_focused()
    assert people.fresh().status == "to_be_determined"
    anna.check_screen()


def test_deciding_later_leaves_the_request_on_the_dashboard(
    visit: Visit, people: Cast, scripts: bool
) -> None:
    anna = at_request(visit, people, scripts=scripts)
    anna.page.click("text=Decide later")
    anna.page.wait_for_url(f"**/offices/{people.janssens.slug}")
    assert people.ledgerly.name in anna.text()
    assert people.fresh().is_open(database_time())
    anna.check_screen()


def test_anna_cancels_from_the_overview_and_sees_the_proof(
    visit: Visit, people: Cast, scripts: bool
) -> None:
    allow(people.consent, people.anna)
    anna = visit(java_script_enabled=scripts)
    anna.enter(people.anna, f"/offices/{people.janssens.slug}/consents")
    anna.check_screen()
    anna.page.locator("main a", has_text="Cancel").click()
    anna.page.wait_for_url("**/cancel")
    anna.check_screen()
    anna.page.check("[name=understood]")
    anna.confirm()
    assert anna.heading() == "Consent cancelled"
    assert people.fresh().status == "cancelled"
    assert "Refused attempts since" in anna.text()
    anna.check_screen()


def test_cancelling_needs_the_box(visit: Visit, people: Cast) -> None:
    allow(people.consent, people.anna)
    anna = visit(java_script_enabled=False)
    anna.enter(
        people.anna, f"/offices/{people.janssens.slug}/consents/{people.consent.uuid}/cancel"
    )
    anna.page.evaluate("document.querySelector('[name=understood]').required = false")
    anna.confirm()
    assert "Tick the box" in anna.text()
    assert people.fresh().status == "allowed"


@pytest.mark.requirement(26)
@pytest.mark.parametrize("outcome", ["allowed", "denied", "cancelled", "lapsed"])
def test_a_decided_request_says_what_was_decided(visit: Visit, people: Cast, outcome: str) -> None:
    if outcome in ("allowed", "cancelled"):
        allow(people.consent, people.anna)
    if outcome == "cancelled":
        people.fresh().cancel(acting(people.anna))
    if outcome == "denied":
        people.fresh().deny(acting(people.anna))
    if outcome == "lapsed":
        Consent.objects.filter(pk=people.consent.pk).update(lapses_at=Now())
    headings = {
        "allowed": "Already allowed",
        "denied": "Already denied",
        "cancelled": "Consent cancelled",
        "lapsed": "Request lapsed",
    }
    anna = at_request(visit, people)
    assert anna.heading() == headings[outcome]
    if outcome != "lapsed":
        assert "Anna" in anna.text()
    assert anna.page.locator("button[name=choice]").count() == 0
    assert anna.page.locator("a", has_text="Back to Ledgerly").count() == 1
    anna.check_screen()


def test_chloe_meets_a_neutral_page_and_another_account_leads_on(
    visit: Visit, people: Cast
) -> None:
    chloe = visit()
    chloe.open_request()
    chloe.log_in(people.chloe)
    assert "not for an office you belong to" in chloe.text()
    page = chloe.page.content()
    assert people.janssens.name not in page
    assert people.ledgerly.name not in page
    chloe.check_screen()
    chloe.page.click("text=Use another account")
    chloe.page.wait_for_load_state()
    chloe.page.locator("main button[type=submit]").click()
    chloe.page.wait_for_load_state()
    chloe.log_in(people.anna)
    assert people.ledgerly.name in chloe.text()


def test_an_unknown_request_looks_the_same(visit: Visit, people: Cast) -> None:
    chloe = visit()
    chloe.enter(people.chloe, "/consent/0f8fad5b-d9cb-469f-a165-70867728950e")
    unknown = without_number(chloe.text())
    chloe.open_request()
    assert without_number(chloe.text()) == unknown


def without_number(text: str) -> str:
    """The text without the number for support, which differs with each page that is asked for."""
    words, number = re.subn(r"mention this number: [0-9a-f-]{36}$", "", text, flags=re.M)
    assert number == 1
    return words


def test_bram_reads_the_request_and_cannot_decide(visit: Visit, people: Cast) -> None:
    bram = visit()
    bram.open_request()
    bram.log_in(people.bram)
    text = bram.text()
    assert people.ledgerly.name in text
    assert "only an Admin can answer it" in text
    assert "Anna" in text
    assert bram.page.locator("button[name=choice]").count() == 0
    bram.check_screen()


def test_bram_asks_an_admin_and_is_told_so(visit: Visit, people: Cast, scripts: bool) -> None:
    bram = visit(java_script_enabled=scripts)
    bram.open_request()
    bram.log_in(people.bram)
    bram.page.fill("[name=note]", "The books of D'Hondt wait")
    bram.page.click("main button:has-text('Ask an Admin')")
    bram.page.get_by_text("You asked on").wait_for()
    bram.check_screen()
    anna = visit(java_script_enabled=scripts)
    anna.enter(people.anna, f"/offices/{people.janssens.slug}")
    assert "Bram asks you to decide" in anna.text()
    assert "The books of D'Hondt wait" in anna.text()


def test_an_office_without_an_admin_is_told_so(visit: Visit, people: Cast) -> None:
    # Only an account that is switched off leaves an office without an Admin.
    User.objects.filter(pk=people.anna.pk).update(is_active=False)
    bram = visit()
    bram.open_request()
    bram.log_in(people.bram)
    assert "no active Admin" in bram.text()
    bram.check_screen()


def publish_new_terms() -> int:
    newest = Terms.objects.order_by("-version").first()
    assert newest is not None
    factories.make_terms(newest.version + 1, words="Something new.")
    return newest.version + 1


@pytest.mark.requirement(16)
def test_terms_that_change_before_the_choice_are_shown_and_accepted_again(
    visit: Visit, people: Cast, scripts: bool
) -> None:
    anna = at_request(visit, people, scripts=scripts)
    anna.page.check("#id_accept_terms")
    version = publish_new_terms()
    anna.page.locator("button[value=allow]").click()
    anna.page.wait_for_load_state()
    assert "The terms have changed" in anna.text()
    assert "Something new." in anna.text()
    assert not anna.page.is_checked("#id_accept_terms")
    anna.check_screen()
    anna.choose("allow")
    anna.confirm()
    assert Evidence.objects.get(event__consent=people.consent).terms_version == version


@pytest.mark.requirement(16)
def test_terms_that_change_before_the_confirmation_are_shown_again(
    visit: Visit, people: Cast
) -> None:
    anna = at_request(visit, people)
    anna.choose("allow")
    publish_new_terms()
    anna.confirm()
    assert "The terms have changed" in anna.text()
    assert people.fresh().status == "to_be_determined"


def test_a_colleague_decided_the_opposite_first(visit: Visit, people: Cast) -> None:
    anna = at_request(visit, people)
    anna.choose("allow")
    eva = factories.make_person("Eva", people.janssens)
    people.fresh().deny(acting(eva))
    anna.confirm()
    assert "already been decided" in anna.text()
    assert "Eva" in anna.text()
    assert people.fresh().status == "denied"
    anna.check_screen()


@pytest.mark.requirement(19, 26)
def test_a_double_click_back_and_reload_are_harmless(visit: Visit, people: Cast) -> None:
    anna = at_request(visit, people)
    anna.choose("allow")
    anna.page.locator("main button[type=submit]").dblclick()
    anna.page.wait_for_url("**/result**")
    anna.page.go_back()
    anna.page.wait_for_load_state()
    anna.page.reload()
    assert people.consent.events.count() == 2
    anna.open_request()
    assert anna.heading() == "Already allowed"


@pytest.mark.requirement(19)
def test_two_tabs_decide_once(visit: Visit, people: Cast) -> None:
    anna = at_request(visit, people, scripts=False)
    anna.choose("allow")
    other = Visitor(anna.page.context.new_page(), anna.portal, people, [])
    other.open_request()
    other.choose("allow")
    other.confirm()
    anna.confirm()
    assert anna.heading() == "Consent confirmed"
    assert people.consent.events.count() == 2


def test_a_wrong_password_says_so_and_keeps_the_way(visit: Visit, people: Cast) -> None:
    anna = visit()
    anna.open_request()
    anna.log_in(people.anna, "wrong password here")
    assert "Log in" in anna.heading()
    anna.check_screen()
    anna.log_in(people.anna)
    assert people.ledgerly.name in anna.text()


@pytest.mark.requirement(30)
def test_the_way_back_comes_by_itself_and_carries_the_state(visit: Visit, people: Cast) -> None:
    Consent.objects.filter(pk=people.consent.pk).update(state="a&b=é")
    anna = at_request(visit, people)
    anna.page.clock.install()
    anna.choose("allow")
    anna.confirm()
    anna.page.clock.run_for(5000)
    anna.page.wait_for_url(
        f"https://software.example/callback?accountingOfficeConsentId={people.consent.uuid}"
        "&state=a%26b%3D%C3%A9"
    )


@pytest.mark.requirement(34)
def test_nobody_who_prefers_reduced_motion_is_moved(visit: Visit, people: Cast) -> None:
    anna = visit(reduced_motion="reduce")
    anna.enter(people.anna, f"/consent/{people.consent.uuid}")
    anna.page.clock.install()
    anna.choose("allow")
    anna.confirm()
    anna.page.clock.run_for(60_000)
    anna.check_screen()
    assert anna.page.url.startswith(anna.portal)


def test_without_an_address_the_page_can_be_closed(visit: Visit, people: Cast) -> None:
    Consent.objects.filter(pk=people.consent.pk).update(redirect_uri="")
    anna = at_request(visit, people)
    anna.choose("allow")
    anna.confirm()
    assert "You can close this page" in anna.text()


@pytest.mark.requirement(24)
def test_an_address_that_is_no_longer_registered_is_an_error_not_a_link(
    visit: Visit, people: Cast
) -> None:
    anna = at_request(visit, people)
    anna.choose("allow")
    people.ledgerly.redirect_uris.all().delete()
    anna.confirm()
    assert "no longer registered" in anna.text()
    assert anna.page.locator("main a[href*='software.example']").count() == 0


def test_the_whole_flow_by_keyboard(visit: Visit, people: Cast) -> None:
    anna = at_request(visit, people)
    page = anna.page

    def tab_to(selector: str) -> None:
        for _ in range(40):
            if page.evaluate("s => document.activeElement.matches(s)", selector):
                return
            page.keyboard.press("Tab")
        raise AssertionError(f"{selector} cannot be reached by keyboard")

    tab_to("#id_accept_terms")
    page.keyboard.press("Space")
    page.wait_for_timeout(600)  # the buttons are dead for a moment after the page came
    tab_to("button[value=allow]")
    page.keyboard.press("Enter")
    page.wait_for_url("**/confirm?**")
    page.wait_for_timeout(600)
    tab_to("main button[type=submit]")
    page.keyboard.press("Enter")
    page.wait_for_url("**/result**")
    assert people.fresh().status == "allowed"
