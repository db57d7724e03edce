"""The first page of the admin, its search, and what a second operator learns."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.db.models.functions import Now

from accounts.models import Invitation
from backoffice.models.claims import AccountClaim, CompanyClaim
from backoffice.models.four_eyes import ApprovalKind, FourEyesApproval
from backoffice.models.terms_proposal import TermsProposal
from clients.models import Account, Client
from demo.data.numbers import iban
from documents.formats import Reason
from documents.models import QuarantinedFile
from mailer.models import OutgoingEmail
from notifications.models import WebhookEndpoint
from partners.models import Partner, PartnerStatus
from tests import factories
from tests.backoffice.test_operators import another_operator, proven
from tests.backoffice.test_permissions import new_operator
from tests.backoffice.test_roles import with_role
from tests.conftest import Cast
from tests.factories import allow
from tests.test_access_matrix import as_person


def tasks(cast: Cast, person: Any = None) -> dict[str, str]:
    page = as_person(person or cast.dirk).get("/admin/")
    assert page.status_code == 200
    return {task.what: task.note for task in page.context["tasks"]}


def ask_to_close(cast: Cast) -> Any:
    path = f"/admin/accounts/office/{cast.janssens.pk}/close/"
    return proven(cast.dirk).post(path, {"reason": "They stopped", "replaces": ""}, follow=True)


def test_the_pages_load_only_scripts_that_they_use(cast: Cast) -> None:
    office, partner = cast.janssens.pk, cast.ledgerly.pk
    for path in ("accounts/office/", f"accounts/office/{office}/change/", "partners/partner/"):
        page = as_person(cast.dirk).get(f"/admin/{path}").content.decode()
        assert "admin/js/actions" in page, path
        for unused in ("xregexp", "jquery", "prepopulate", "RelatedObjectLookups"):
            assert unused not in page, f"{unused} on {path}"
    # A row of its own for a redirect address is made by Django's script for rows, with jQuery.
    page = as_person(cast.dirk).get(f"/admin/partners/partner/{partner}/change/").content.decode()
    assert "admin/js/inlines" in page
    assert "jquery.init" in page


def test_the_home_is_silent_about_what_there_is_none_of(cast: Cast) -> None:
    Client.objects.filter(contested=True).update(contested=False)
    assert [what for what in tasks(cast) if "contested" in what] == []


def test_the_home_names_what_waits(cast: Cast) -> None:
    before = tasks(cast)
    Partner.objects.filter(pk=cast.tally.pk).update(status=PartnerStatus.DRAFT)
    WebhookEndpoint.objects.create(
        partner=cast.ledgerly, url="https://x.example/", flagged_at=Now()
    )
    QuarantinedFile.objects.create(
        sha256=f"{factories.unique():064}", name="x.cod", size=1, reason=Reason.STRUCTURE
    )
    empty = factories.make_office("Empty")
    for client in (cast.bakery, factories.make_client(cast.peeters)):
        Client.objects.filter(pk=client.pk).update(contested=True, confirmed_at=None)
    archived = factories.make_client(cast.peeters)
    Client.objects.filter(pk=archived.pk).update(
        contested=True, confirmed_at=None, archived_at=Now()
    )
    Account.objects.create(client=cast.bakery, iban=iban(factories.unique()), contested=True)
    new = set(tasks(cast)) - set(before)
    assert f"{cast.tally} is a draft" in new
    assert f"{cast.ledgerly}: its webhook endpoint does not answer" in new
    assert f"{empty} has no Admin" in new
    assert any(what.endswith("in quarantine") for what in new)
    companies = CompanyClaim.objects.filter(contested=True).count()
    accounts = AccountClaim.objects.filter(contested=True).count()
    assert companies >= 2
    assert f"{companies} contested company claims" in new
    assert f"{accounts} contested bank account claim{'s' * (accounts != 1)}" in new


def test_an_approval_waits_for_everybody_but_its_operator(cast: Cast) -> None:
    els = another_operator(cast)
    what = f"Closing of the office: {cast.janssens}"
    page = ask_to_close(cast)
    assert "Another operator must confirm this within 24 hours." in page.content.decode()
    assert "Another operator must confirm it." in tasks(cast)[what]
    assert "It needs your confirmation." in tasks(cast, els)[what]
    approval = FourEyesApproval.objects.get()
    proven(els).post(f"/admin/accounts/office/{cast.janssens.pk}/close/", {"confirm": approval.pk})
    assert what not in tasks(cast, els)


def test_the_second_operators_get_one_e_mail_each(cast: Cast, quick_worker: None) -> None:
    els = another_operator(cast)
    factories.make_person("Fons", is_staff=True)
    ask_to_close(cast)
    ask_to_close(cast)
    sent = [message for message in mail.outbox if message.to == [els.email]]
    assert len(sent) == 1
    assert f"/admin/accounts/office/{cast.janssens.pk}/close/" in str(sent[0].body)
    waiting = OutgoingEmail.objects.filter(message="approval_waiting")
    assert {email.recipient for email in waiting} == {els.email}


@pytest.mark.parametrize("kind", ApprovalKind.values)
def test_each_approval_leads_to_its_page(cast: Cast, kind: str) -> None:
    subjects: dict[str, dict[str, Any]] = {
        ApprovalKind.RESET_MFA: {"person": cast.bram, "office": cast.janssens},
        ApprovalKind.CLOSE_OFFICE: {"office": cast.janssens},
        ApprovalKind.CHANGE_NUMBER: {"office": cast.janssens, "detail": "0010000034"},
        ApprovalKind.RETIRE_PARTNER: {"partner": cast.ledgerly},
        ApprovalKind.END_ACCESS: {"consent": allow(cast.consent, cast.anna)},
        ApprovalKind.NEW_OPERATOR: {"detail": "support eva@portal.example Eva"},
        ApprovalKind.CHANGE_ROLE: {"person": with_role("support"), "detail": "auditor"},
        ApprovalKind.RESET_OPERATOR: {"person": with_role("support")},
        ApprovalKind.PUBLISH_TERMS: {
            "detail": "version: 1 → 2",
            "terms": TermsProposal.objects.create(
                version=2, compared_with=1, bodies={"en": "x"}, material=False
            ),
        },
    }
    els = another_operator(cast)
    FourEyesApproval.objects.create(
        kind=kind, reason="because", requested_by=cast.dirk, **subjects[ApprovalKind(kind)]
    )
    browser = as_person(els)
    (task,) = [one for one in browser.get("/admin/").context["tasks"] if "because" in one.note]
    assert 'name="confirm"' in browser.get(task.url).content.decode()


def test_search_finds_by_number_name_identifier_and_address(cast: Cast) -> None:
    document = factories.make_document(cast.bakery)
    number = cast.janssens.company_number
    spelled = f"BE {number[:4]}.{number[4:7]}.{number[7:]}"
    dirk = as_person(cast.dirk)

    def found(words: str) -> set[tuple[str, str]]:
        page = dirk.get("/admin/search/", {"q": words})
        assert page.status_code == 200
        return {(hit.kind, hit.name) for hit in page.context["hits"]}

    assert ("Office", cast.janssens.name) in found(cast.janssens.name)
    assert {("Office", cast.janssens.name), ("Consent", str(cast.consent.uuid))} <= found(spelled)
    assert ("Consent", str(cast.consent.uuid)) in found(str(cast.consent.uuid)[:10])
    assert found(cast.bram.email.upper()) == {("Person", cast.bram.email)}
    assert ("Software", cast.ledgerly.name) in found(cast.ledgerly.name)
    assert ("Document", str(document.uuid)) in found(str(document.uuid))
    allow(cast.consent, cast.anna)
    assert ("Consent", str(cast.consent.uuid)) in found(cast.anna.email)
    for nothing in ("", "zzz", "%", "\0", "é" * 300):
        assert found(nothing) == set()


def test_search_shows_no_more_than_the_operator_may_see(cast: Cast) -> None:
    helper = new_operator("partners.view_partner")
    browser = as_person(helper)
    for words in (cast.janssens.name, cast.bram.email, str(cast.consent.uuid)):
        assert browser.get("/admin/search/", {"q": words}).context["hits"] == []
    assert browser.get("/admin/search/", {"q": cast.ledgerly.name}).context["hits"]
    assert {what for what in tasks(cast, helper) if "is a draft" not in what} == set()


def test_a_mistyped_first_admin_is_seen_and_withdrawn(cast: Cast) -> None:
    office = factories.make_office("Empty")
    dirk = proven(cast.dirk)
    path = f"/admin/accounts/office/{office.pk}/state/"
    dirk.post(path, {"first_admin": "eva@mistyped.example"})
    invitation = Invitation.objects.get(office=office)
    assert "eva@mistyped.example" in dirk.get(path).content.decode()
    for _twice in range(2):
        dirk.post(path, {"withdraw": invitation.uuid})
    invitation.refresh_from_db()
    assert invitation.state == "revoked"
    assert (
        "mistyped" not in dirk.get(path).content.decode().partition("This office has no Admin")[2]
    )


def test_logging_out_of_the_admin_leads_to_the_portals_login(cast: Cast) -> None:
    dirk = as_person(cast.dirk)
    answer = dirk.post("/admin/logout/")
    assert answer["Location"].startswith("/accounts/login/")
    assert dirk.get("/admin/").status_code == 302
