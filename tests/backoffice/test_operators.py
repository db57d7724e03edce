"""Django admin: who comes in, and what nobody can write there."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.hashers import check_password
from django.core import mail
from django.core.exceptions import PermissionDenied
from django.utils import timezone
from oauth2_provider.models import AccessToken

from accounts.models import Invitation, Office
from consents.models import Consent, Status
from notifications.models import Delivery, WebhookEndpoint
from partners.models import Application, Partner, PartnerStatus
from tests import factories
from tests.conftest import Cast
from tests.factories import acting, allow
from tests.test_access_matrix import as_person


@pytest.mark.requirement(41, 109)
def test_dirk_comes_in_with_a_second_factor_and_is_sent_to_get_one_without(cast: Cast) -> None:
    dirk = proven(cast.dirk)
    assert dirk.get("/admin/").status_code == 200
    Authenticator.objects.filter(user=cast.dirk).delete()
    gate = dirk.get("/admin/consents/consent/")
    assert gate.status_code == 302
    enrol = dirk.get(gate["Location"])
    assert enrol.status_code == 302
    assert enrol["Location"] == "/accounts/app/add/?next=%2Fadmin%2Fconsents%2Fconsent%2F"


@pytest.mark.requirement(41, 109)
def test_recovery_codes_alone_do_not_let_dirk_in(cast: Cast) -> None:
    Authenticator.objects.filter(user=cast.dirk).update(type="recovery_codes")
    assert proven(cast.dirk).get("/admin/").status_code == 302


def test_a_stranger_comes_in_by_our_login_and_never_leaves_the_portal(cast: Cast) -> None:
    nobody = as_person(None)
    gate = nobody.get("/admin/login/?next=https://evil.example/")
    assert gate["Location"] == "/accounts/login/?next=/admin/"
    assert nobody.post("/admin/login/", {"username": cast.dirk.email}).status_code == 302


def _row(key: int) -> dict[str, Any]:
    """Every column of a consent, as the database has it."""
    columns = [field.attname for field in Consent._meta.concrete_fields]
    return dict(Consent.objects.values(*columns).get(pk=key))


@pytest.mark.requirement(53, 81)
@pytest.mark.parametrize("status", Status.values)
def test_dirk_cannot_write_a_status_by_form_list_or_action(cast: Cast, status: str) -> None:
    dirk = proven(cast.dirk)
    key = cast.consent.pk
    before = _row(key)
    listed: dict[str, Any] = {
        "form-TOTAL_FORMS": 1,
        "form-INITIAL_FORMS": 1,
        "form-0-id": key,
        "form-0-status": status,
        "_save": "Save",
    }
    acted = {"action": "delete_selected", "_selected_action": key, "post": "yes"}
    for path, sent in {
        f"/admin/consents/consent/{key}/change/": {"status": status},
        f"/admin/consents/consent/{key}/delete/": {"post": "yes"},
        "/admin/consents/consent/add/": {"status": status},
    }.items():
        assert dirk.post(path, sent).status_code == 403, path
    dirk.post("/admin/consents/consent/", listed)
    dirk.post("/admin/consents/consent/", acted)
    assert _row(key) == before


@pytest.mark.requirement(82)
def test_no_page_of_the_admin_has_consents_to_edit() -> None:
    for page in admin.site._registry.values():
        assert Consent not in [inline.model for inline in page.inlines]
        assert "status" not in getattr(page, "list_editable", ())


ENTRY = {
    "vendor": "Nova NV",
    "legal_number": "0403170701",
    "email": "hello@nova.example",
    "colour": "blue",
    "document_kinds": ["bankAccountStatement"],
    "redirect_uris-TOTAL_FORMS": 1,
    "redirect_uris-INITIAL_FORMS": 0,
    "webhook_endpoint-TOTAL_FORMS": 1,
    "webhook_endpoint-INITIAL_FORMS": 0,
    "webhook_endpoint-0-url": "",
    "certificates-TOTAL_FORMS": 0,
    "certificates-INITIAL_FORMS": 0,
}


def test_dirk_takes_a_partner_in_as_a_draft_whatever_he_posts(cast: Cast) -> None:
    dirk = proven(cast.dirk)
    good = {"name": "Nova", "redirect_uris-0-uri": "https://nova.example/back", "status": "active"}
    assert dirk.post("/admin/partners/partner/add/", {**ENTRY, **good}).status_code == 302
    nova = Partner.objects.get(name="Nova")
    assert nova.status == PartnerStatus.DRAFT
    assert [entry.uri for entry in nova.redirect_uris.all()] == ["https://nova.example/back"]


def test_dirk_is_told_why_an_address_is_refused(cast: Cast) -> None:
    bad = {"name": "Nova", "redirect_uris-0-uri": "http://nova.example/back"}
    page = proven(cast.dirk).post("/admin/partners/partner/add/", {**ENTRY, **bad})
    assert "Enter a full https address" in page.content.decode()
    assert not Partner.objects.filter(name="Nova").exists()


def test_dirk_sees_a_secret_once_and_the_previous_one_stays_valid(cast: Cast) -> None:
    dirk = proven(cast.dirk)
    path = f"/admin/partners/partner/{cast.tally.pk}/secret/"
    first = new_secret(dirk, path)
    made = Application.objects.get(partner=cast.tally)
    secret = first.context["secret"]
    assert secret in first.content.decode()
    assert "no-store" in first["Cache-Control"]
    assert check_password(secret, made.client_secret)
    assert secret not in dirk.get(path).content.decode()
    second = new_secret(dirk, path).context["secret"]
    made.refresh_from_db()
    assert check_password(second, made.client_secret)
    assert check_password(secret, made.previous_secret)
    assert LogEntry.objects.filter(user=cast.dirk, object_id=str(cast.tally.pk)).count() == 2


def new_secret(browser: Any, path: str, button: str = "create") -> Any:
    """Open the page of the secret and press a button."""
    return browser.post(path, {"token": browser.get(path).context["token"], "button": button})


@pytest.mark.requirement(105)
def test_dirk_presses_new_secret_twice_and_the_secret_in_use_stays_valid(cast: Cast) -> None:
    """The same form twice creates one secret; a second form replaces the unused secret only."""
    dirk = proven(cast.dirk)
    path = f"/admin/partners/partner/{cast.tally.pk}/secret/"
    used = new_secret(dirk, path).context["secret"]
    made = Application.objects.get(partner=cast.tally)
    assert made.note_use()
    pressed = {"token": dirk.get(path).context["token"], "button": "create"}
    lost = dirk.post(path, pressed).context["secret"]
    again = dirk.post(path, pressed)
    assert "secret" not in again.context
    assert "Nothing was done" in again.content.decode()
    made.refresh_from_db()
    assert check_password(lost, made.client_secret)
    assert check_password(used, made.previous_secret)
    # The answer to the first press was lost, so Dirk opens the page and presses once more.
    fresh = new_secret(dirk, path).context["secret"]
    made.refresh_from_db()
    assert check_password(fresh, made.client_secret)
    assert check_password(used, made.previous_secret)
    assert made.previous_secret_until is not None


@pytest.mark.requirement(105)
def test_dirk_revokes_both_secrets_at_once_and_every_token_with_them(cast: Cast) -> None:
    dirk = proven(cast.dirk)
    path = f"/admin/partners/partner/{cast.tally.pk}/secret/"
    first = new_secret(dirk, path).context["secret"]
    made = Application.objects.get(partner=cast.tally)
    made.note_use()
    second = new_secret(dirk, path).context["secret"]
    made.refresh_from_db()
    AccessToken.objects.create(
        application=made, token="x" * 30, expires=timezone.now() + timedelta(hours=1)
    )
    pressed = {"token": dirk.get(path).context["token"], "button": "revoke"}
    for _twice in range(2):
        dirk.post(path, pressed)
    made.refresh_from_db()
    for secret in (first, second):
        assert not check_password(secret, made.client_secret)
        assert made.previous_secret == ""
    assert not AccessToken.objects.filter(application=made).exists()
    told = LogEntry.objects.filter(change_message="Both secrets revoked.")
    assert told.count() == 1


def test_office_staff_cannot_make_a_secret(cast: Cast) -> None:
    path = f"/admin/partners/partner/{cast.tally.pk}/secret/"
    assert as_person(cast.anna).post(path).status_code == 302
    assert not Application.objects.filter(partner=cast.tally).exists()


@pytest.mark.requirement(105)
def test_dirk_activates_suspends_and_retires_with_a_reason(cast: Cast) -> None:
    dirk, nova = proven(cast.dirk), factories.make_partner("Nova", status="draft")
    path = f"/admin/partners/partner/{nova.pk}/state/"
    assert dirk.post(path, {"status": "active"}).status_code == 200
    nova.refresh_from_db()
    assert nova.status == "draft", "no reason was given"
    for status in ("active", "suspended", "active", "retired"):
        assert dirk.post(path, {"status": status, "reason": f"because {status}"}).status_code == 302
        nova.refresh_from_db()
        assert nova.status == status
    told = LogEntry.objects.filter(object_id=str(nova.pk)).order_by("pk")
    assert told[0].change_message == "State active: because active\nstatus: draft → active"
    assert told.count() == 4
    dirk.post(path, {"status": "active", "reason": "back"})
    nova.refresh_from_db()
    assert nova.status == "retired"


def test_dirk_reads_what_a_suspension_stops_and_it_stops_at_once(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    dirk, path = proven(cast.dirk), f"/admin/partners/partner/{cast.ledgerly.pk}/state/"
    page = dirk.get(path).content.decode()
    assert "1 allowed consent " in page
    assert cast.janssens.name in page
    dirk.post(path, {"status": "suspended", "reason": "leaked its secret"})
    assert cast.fresh().access() == "partnerSuspended"


def test_dirk_registers_an_endpoint_and_a_bad_address_is_told(cast: Cast) -> None:
    dirk = proven(cast.dirk)
    for url, status in [("http://nova.example/hook", 200), ("https://nova.example/hook", 302)]:
        fields = {**ENTRY, "name": "Nova", "webhook_endpoint-0-url": url}
        answer = dirk.post("/admin/partners/partner/add/", fields)
        assert answer.status_code == status, answer.content.decode()
    assert Partner.objects.get(name="Nova").webhook_endpoint.url == url


def test_dirk_switches_an_endpoint_off_and_on_and_sends_again(cast: Cast) -> None:
    dirk = proven(cast.dirk)
    endpoint = WebhookEndpoint.objects.create(partner=cast.ledgerly, url="https://x.example/")
    allow(cast.consent, cast.anna)
    event = cast.consent.events.get(kind="allowed")
    row = Delivery.objects.create(endpoint=endpoint, event=event)
    endpoints, deliveries = (
        f"/admin/notifications/{model}/" for model in ("webhookendpoint", "delivery")
    )
    dirk.post(endpoints, {"action": "switch_off", "_selected_action": endpoint.pk})
    endpoint.refresh_from_db()
    row.refresh_from_db()
    assert (endpoint.off_reason, row.given_up_at is not None) == ("operator", True)
    # Other tests leave committed deliveries behind.
    due = Delivery.objects.due().filter(endpoint=endpoint)
    assert not due.exists()
    dirk.post(endpoints, {"action": "switch_on", "_selected_action": endpoint.pk})
    dirk.post(deliveries, {"action": "send_again", "_selected_action": row.pk})
    assert due.get() == row
    assert LogEntry.objects.filter(user=cast.dirk).count() == 3
    assert "Allowed" in dirk.get(deliveries).content.decode()


def test_the_list_of_deliveries_needs_no_more_queries_for_more_rows(
    cast: Cast, django_assert_max_num_queries: Any
) -> None:
    dirk = proven(cast.dirk)
    endpoint = WebhookEndpoint.objects.create(partner=cast.ledgerly, url="https://x.example/")
    for verb in ["allow", *["pause", "resume"] * 10]:
        if verb == "allow":
            allow(cast.consent, cast.anna)
        else:
            getattr(cast.fresh(), verb)(acting(cast.anna))
    for event in cast.consent.events.all():
        Delivery.objects.create(endpoint=endpoint, event=event)
    with django_assert_max_num_queries(15):
        assert dirk.get("/admin/notifications/delivery/").status_code == 200


def another_operator(cast: Cast) -> Any:
    eva = factories.make_person("Eva", is_staff=True, is_superuser=True)
    Authenticator.objects.create(user=eva, type=Authenticator.Type.TOTP, data={})
    return eva


def proven(person: Any) -> Any:
    """Logged in a moment ago, so that nothing asks again."""
    browser = as_person(person)
    session = browser.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time()}]
    session["account_authentication_methods_user"] = str(person.pk)
    session.save()
    return browser


def test_dirk_finds_a_consent_by_its_first_characters(cast: Cast) -> None:
    other = factories.make_request(cast.janssens, cast.tally)
    found = proven(cast.dirk).get(f"/admin/consents/consent/?q={str(cast.consent.uuid)[:8]}")
    assert str(cast.consent.uuid) in found.content.decode()
    assert str(other.uuid) not in found.content.decode()


def test_dirk_takes_an_office_in_and_its_first_admin_is_invited(
    cast: Cast, commits: None, quick_worker: None
) -> None:
    dirk, number = proven(cast.dirk), factories.company_number()
    fields = {"name": cast.janssens.name, "company_number": number, "language": "fr"}
    wrong = dirk.post("/admin/accounts/office/add/", {**fields, "first_admin": "x"})
    assert wrong.status_code == 200
    assert not Office.objects.filter(company_number=number).exists()
    fields["first_admin"] = "first@office.example"
    assert dirk.post("/admin/accounts/office/add/", fields).status_code == 302
    office = Office.objects.get(company_number=number)
    assert office.slug != cast.janssens.slug
    invitation = office.invitations.get()
    assert (invitation.email, invitation.role) == ("first@office.example", "admin")
    assert mail.outbox[-1].to == ["first@office.example"]
    assert "invite" in mail.outbox[-1].subject
    twice = dirk.post("/admin/accounts/office/add/", fields)
    assert twice.status_code == 200


def test_dirk_invites_nobody_into_an_office_that_has_an_admin(cast: Cast) -> None:
    page = f"/admin/accounts/office/{cast.janssens.pk}/state/"
    proven(cast.dirk).post(page, {"first_admin": "spy@office.example"})
    assert not cast.janssens.invitations.exists()
    with pytest.raises(PermissionDenied):
        Invitation.objects.invite_first_admin(
            cast.janssens, cast.dirk, email="spy@office.example", language="nl"
        )


@pytest.mark.requirement(105)
def test_dirk_suspends_an_office_with_a_reason_and_lets_it_go_on(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    dirk = proven(cast.dirk)
    page = f"/admin/accounts/office/{cast.janssens.pk}/state/"
    assert "1 allowed consent" in dirk.get(page).content.decode()
    dirk.post(page, {"reason": ""})
    assert cast.fresh().access() is None
    # Pressed twice, it is suspended once: each button says the state that it wants.
    for _twice in range(2):
        dirk.post(page, {"reason": "Unpaid", "state": "suspended"})
        assert cast.fresh().access() == "accountingOfficeSuspended"
    assert dirk.post(page, {"reason": "Which state?"}).status_code == 200
    assert cast.fresh().access() == "accountingOfficeSuspended"
    for _twice in range(2):
        dirk.post(page, {"reason": "Paid", "state": "active"})
        assert cast.fresh().access() is None
    assert cast.fresh().access() is None
    told = LogEntry.objects.filter(user=cast.dirk).values_list("change_message", flat=True)
    assert len([entry for entry in told if "Unpaid" in entry]) == 1
    seen = dirk.get(f"/admin/accounts/office/{cast.janssens.pk}/change/").content.decode()
    assert cast.bram.email in seen
