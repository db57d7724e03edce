"""The consent flow as people meet it, with and without JavaScript."""

from __future__ import annotations

import pytest
from django.db.models.functions import Now
from playwright.sync_api import expect

from accounts.models import User
from consents.models import Consent, Evidence, Terms
from tests import factories
from tests.browser.conftest import Visit, Visitor
from tests.conftest import Cast
from tests.factories import acting, allow


def at_request(visit: Visit, people: Cast, *, scripts: bool = True) -> Visitor:
    """An, logged in, with the request before her."""
    an = visit(java_script_enabled=scripts)
    an.enter(people.an, f"/consent/{people.consent.uuid}")
    return an


def test_an_allows_and_is_sent_back(visit: Visit, people: Cast, scripts: bool) -> None:
    an = visit(java_script_enabled=scripts)
    an.open_request()
    an.log_in(people.an)
    assert an.heading()
    text = an.text()
    assert people.ledgerly.name in text
    assert people.janssens.name in text
    assert not an.page.is_checked("#id_accept_terms")
    an.check_screen()
    an.choose("allow")
    assert people.fresh().status == "to_be_determined"
    an.check_screen()
    an.confirm()
    assert an.heading() == "Consent confirmed"
    assert people.fresh().status == "allowed"
    assert str(people.consent.uuid) in an.text()
    assert "software.example" in an.text()
    an.page.click("text=Continue now")
    an.page.wait_for_url("https://software.example/callback")
    assert "referer: none" in an.page.content()


def test_an_denies_without_the_switch(visit: Visit, people: Cast, scripts: bool) -> None:
    an = at_request(visit, people, scripts=scripts)
    an.choose("deny")
    an.check_screen()
    an.confirm()
    assert an.heading() == "Consent denied"
    assert people.fresh().status == "denied"
    an.check_screen()


def test_allow_does_not_work_without_the_switch(visit: Visit, people: Cast, scripts: bool) -> None:
    an = at_request(visit, people, scripts=scripts)
    button = an.page.locator("button[value=allow]")
    if scripts:
        expect(button).to_be_disabled()
    # Past the browser: the server insists as well.
    an.page.evaluate(
        "() => { document.querySelector('[name=accept_terms]').required = false;"
        "document.querySelector('[value=allow]').disabled = false }"
    )
    button.click()
    an.page.wait_for_load_state()
    assert "first switch on" in an.text()
    assert people.fresh().status == "to_be_determined"
    an.check_screen()


def test_deciding_later_leaves_the_request_on_the_dashboard(
    visit: Visit, people: Cast, scripts: bool
) -> None:
    an = at_request(visit, people, scripts=scripts)
    an.page.click("text=Decide later")
    an.page.wait_for_url(f"**/offices/{people.janssens.slug}")
    assert people.ledgerly.name in an.text()
    assert people.fresh().is_open
    an.check_screen()


def test_an_cancels_from_the_overview_and_sees_the_proof(
    visit: Visit, people: Cast, scripts: bool
) -> None:
    allow(people.consent, people.an)
    an = visit(java_script_enabled=scripts)
    an.enter(people.an, f"/offices/{people.janssens.slug}/consents")
    an.check_screen()
    an.page.locator("main a", has_text="Cancel").click()
    an.page.wait_for_url("**/cancel")
    an.check_screen()
    an.page.check("[name=understood]")
    an.confirm()
    assert an.heading() == "Consent cancelled"
    assert people.fresh().status == "cancelled"
    assert "Refused attempts since" in an.text()
    an.check_screen()


def test_cancelling_needs_the_box(visit: Visit, people: Cast) -> None:
    allow(people.consent, people.an)
    an = visit(java_script_enabled=False)
    an.enter(people.an, f"/offices/{people.janssens.slug}/consents/{people.consent.uuid}/cancel")
    an.page.evaluate("document.querySelector('[name=understood]').required = false")
    an.confirm()
    assert "Tick the box" in an.text()
    assert people.fresh().status == "allowed"


@pytest.mark.parametrize("outcome", ["allowed", "denied", "cancelled", "lapsed"])
def test_a_decided_request_says_what_was_decided(visit: Visit, people: Cast, outcome: str) -> None:
    if outcome in ("allowed", "cancelled"):
        allow(people.consent, people.an)
    if outcome == "cancelled":
        people.fresh().cancel(acting(people.an))
    if outcome == "denied":
        people.fresh().deny(acting(people.an))
    if outcome == "lapsed":
        Consent.objects.filter(pk=people.consent.pk).update(lapses_at=Now())
    headings = {
        "allowed": "Already allowed",
        "denied": "Already denied",
        "cancelled": "Consent cancelled",
        "lapsed": "Request lapsed",
    }
    an = at_request(visit, people)
    assert an.heading() == headings[outcome]
    if outcome != "lapsed":
        assert "An" in an.text()
    assert an.page.locator("button[name=choice]").count() == 0
    assert an.page.locator("a", has_text="Back to the software").count() == 1
    an.check_screen()


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
    chloe.log_in(people.an)
    assert people.ledgerly.name in chloe.text()


def test_an_unknown_request_looks_the_same(visit: Visit, people: Cast) -> None:
    chloe = visit()
    chloe.enter(people.chloe, "/consent/0f8fad5b-d9cb-469f-a165-70867728950e")
    unknown = chloe.text()
    chloe.open_request()
    assert chloe.text() == unknown


def test_bram_reads_the_request_and_cannot_decide(visit: Visit, people: Cast) -> None:
    bram = visit()
    bram.open_request()
    bram.log_in(people.bram)
    text = bram.text()
    assert people.ledgerly.name in text
    assert "Only an Admin can answer it" in text
    assert "An" in text
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
    an = visit(java_script_enabled=scripts)
    an.enter(people.an, f"/offices/{people.janssens.slug}")
    assert "Bram asks you to decide" in an.text()
    assert "The books of D'Hondt wait" in an.text()


def test_an_office_without_an_admin_is_told_so(visit: Visit, people: Cast) -> None:
    # Only an account that is switched off leaves an office without an Admin.
    User.objects.filter(pk=people.an.pk).update(is_active=False)
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


def test_terms_that_change_before_the_choice_are_shown_and_accepted_again(
    visit: Visit, people: Cast, scripts: bool
) -> None:
    an = at_request(visit, people, scripts=scripts)
    an.page.check("#id_accept_terms")
    version = publish_new_terms()
    an.page.locator("button[value=allow]").click()
    an.page.wait_for_load_state()
    assert "The terms changed" in an.text()
    assert "Something new." in an.text()
    assert not an.page.is_checked("#id_accept_terms")
    an.check_screen()
    an.choose("allow")
    an.confirm()
    assert Evidence.objects.get(event__consent=people.consent).terms_version == version


def test_terms_that_change_before_the_confirmation_are_shown_again(
    visit: Visit, people: Cast
) -> None:
    an = at_request(visit, people)
    an.choose("allow")
    publish_new_terms()
    an.confirm()
    assert "The terms changed" in an.text()
    assert people.fresh().status == "to_be_determined"


def test_a_colleague_decided_the_opposite_first(visit: Visit, people: Cast) -> None:
    an = at_request(visit, people)
    an.choose("allow")
    eva = factories.make_person("Eva", people.janssens)
    people.fresh().deny(acting(eva))
    an.confirm()
    assert "too late" in an.text()
    assert "Eva" in an.text()
    assert people.fresh().status == "denied"
    an.check_screen()


def test_a_double_click_back_and_reload_are_harmless(visit: Visit, people: Cast) -> None:
    an = at_request(visit, people)
    an.choose("allow")
    an.page.locator("main button[type=submit]").dblclick()
    an.page.wait_for_url("**/result**")
    an.page.go_back()
    an.page.wait_for_load_state()
    an.page.reload()
    assert people.consent.events.count() == 2
    an.open_request()
    assert an.heading() == "Already allowed"


def test_two_tabs_decide_once(visit: Visit, people: Cast) -> None:
    an = at_request(visit, people, scripts=False)
    an.choose("allow")
    other = Visitor(an.page.context.new_page(), an.portal, people, [])
    other.open_request()
    other.choose("allow")
    other.confirm()
    an.confirm()
    assert an.heading() == "Consent confirmed"
    assert people.consent.events.count() == 2


def test_a_wrong_password_says_so_and_keeps_the_way(visit: Visit, people: Cast) -> None:
    an = visit()
    an.open_request()
    an.log_in(people.an, "wrong password here")
    assert "Log in" in an.heading()
    an.check_screen()
    an.log_in(people.an)
    assert people.ledgerly.name in an.text()


def test_the_way_back_comes_by_itself_and_carries_the_state(visit: Visit, people: Cast) -> None:
    Consent.objects.filter(pk=people.consent.pk).update(state="a&b=é")
    an = at_request(visit, people)
    an.page.clock.install()
    an.choose("allow")
    an.confirm()
    an.page.clock.run_for(5000)
    an.page.wait_for_url(
        f"https://software.example/callback?accountingOfficeConsentId={people.consent.uuid}"
        "&state=a%26b%3D%C3%A9"
    )


def test_nobody_who_prefers_reduced_motion_is_moved(visit: Visit, people: Cast) -> None:
    an = visit(reduced_motion="reduce")
    an.enter(people.an, f"/consent/{people.consent.uuid}")
    an.page.clock.install()
    an.choose("allow")
    an.confirm()
    an.page.clock.run_for(60_000)
    an.check_screen()
    assert an.page.url.startswith(an.portal)


def test_without_an_address_the_page_can_be_closed(visit: Visit, people: Cast) -> None:
    Consent.objects.filter(pk=people.consent.pk).update(redirect_uri="")
    an = at_request(visit, people)
    an.choose("allow")
    an.confirm()
    assert "You can close this page" in an.text()


def test_an_address_that_is_no_longer_registered_is_an_error_not_a_link(
    visit: Visit, people: Cast
) -> None:
    an = at_request(visit, people)
    an.choose("allow")
    people.ledgerly.redirect_uris.all().delete()
    an.confirm()
    assert "no longer registered" in an.text()
    assert an.page.locator("main a[href*='software.example']").count() == 0


def test_the_whole_flow_by_keyboard(visit: Visit, people: Cast) -> None:
    an = at_request(visit, people)
    page = an.page

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
