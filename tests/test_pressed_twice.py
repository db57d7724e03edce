"""Pressed twice is pressed once: the second press of any button shows the result of the first.

Every address of the portal that takes a form is listed here; a new one fails the first test. The
forms of operators are pressed twice in tests/backoffice.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.test import Client as Browser
from django.urls import reverse

from accounts.emails import password_reset_path
from accounts.login.email_change import EmailChange
from accounts.models import Invitation, OfficeEvent, User
from clients.models import ClientEvent, Transfer
from consents import scheduled_events
from consents.models import Consent, ConsentEvent, Terms
from documents.formats import Reason
from documents.models import QuarantinedFile
from mailer.models import OutgoingEmail
from tests import factories
from tests.accounts.conftest import _own_limits  # noqa: F401  # a fixture
from tests.accounts.people import add_app, code_now, logged_in, newest_link
from tests.conftest import Cast
from tests.factories import PASSWORD, allow
from tests.test_access_matrix import MATRIX, as_person, urls

pytestmark = [
    pytest.mark.requirement(105),
    pytest.mark.usefixtures("quick_worker", "_own_limits"),
]

NEW_PASSWORD = {"password1": "quite another sentence", "password2": "quite another sentence"}
# The browser, the address and the fields of a press. Whoever presses may act.
Press = tuple[Browser, str, dict[str, Any]]


def of_consent(cast: Cast, page: str) -> str:
    return f"/offices/{cast.janssens.slug}/consents/{cast.consent.uuid}/{page}"


def of_company(cast: Cast, page: str) -> str:
    return f"/offices/{cast.janssens.slug}/companies/{cast.bakery.uuid}/{page}"


def of_office(cast: Cast, page: str) -> str:
    return f"/offices/{cast.janssens.slug}/{page}"


def signed_choice(cast: Cast, choice: str) -> Press:
    anna = as_person(cast.anna)
    terms = factories.terms_in_force().pk
    fields = {"choice": choice, "accept_terms": "on", "terms": terms}
    confirm = anna.post(f"/consent/{cast.consent.uuid}", fields)["Location"]
    signed = anna.get(confirm).context["signed"]
    return anna, f"/consent/{cast.consent.uuid}/confirm", {"choice": signed}


def decide(cast: Cast) -> Press:
    fields = {"choice": "deny", "terms": factories.terms_in_force().pk}
    return as_person(cast.anna), f"/consent/{cast.consent.uuid}", fields


def ask_an_admin(cast: Cast) -> Press:
    admin = cast.janssens.memberships.get(user=cast.anna).uuid
    fields = {"admins": [str(admin)], "note": "Please look"}
    return as_person(cast.bram), f"/consent/{cast.consent.uuid}/ask", fields


def allowed(page: str, fields: dict[str, Any]) -> Callable[[Cast], Press]:
    def press(cast: Cast) -> Press:
        allow(cast.consent, cast.anna)
        return as_person(cast.anna), of_consent(cast, page), fields

    return press


def resume(cast: Cast) -> Press:
    allow(cast.consent, cast.anna).pause(factories.acting(cast.anna))
    return as_person(cast.anna), of_consent(cast, "resume"), {}


def accept_terms(cast: Cast) -> Press:
    allow(cast.consent, cast.anna)
    for language in ("en", "nl", "fr", "de"):
        body = f"Other words ({language})"
        Terms.objects.create(version=99, language=language, body=body, material=True)
    scheduled_events.write_due_events()
    terms = factories.terms_in_force().pk
    return as_person(cast.anna), of_consent(cast, "terms"), {"accept_terms": "on", "terms": terms}


def reaffirm(cast: Cast) -> Press:
    bea = factories.make_person("Bea", cast.janssens)
    allow(cast.consent, bea)
    cast.janssens.memberships.get(user=bea).leave()
    terms = factories.terms_in_force().pk
    fields = {"accept_terms": "on", "terms": terms}
    return as_person(cast.anna), of_consent(cast, "reaffirm"), fields


def share_less(cast: Cast) -> Press:
    fields = {"kinds": ["bankAccountStatement"], "press": "save", "new_companies": "on"}
    return as_person(cast.anna), of_consent(cast, "scope"), fields


def add_company(cast: Cast) -> Press:
    fields = {"company_number": factories.company_number(), "name": "New", "code": "N-1"}
    return as_person(cast.anna), of_office(cast, "companies/add"), {**fields, "language": "en"}


def of_the_bakery(page: str, fields: dict[str, Any]) -> Callable[[Cast], Press]:
    return lambda cast: (as_person(cast.anna), of_company(cast, page), fields)


def remove_account(cast: Cast) -> Press:
    factories.make_account(cast.bakery, "BE68539007547034")
    return as_person(cast.anna), of_company(cast, "accounts/BE68539007547034/remove"), {}


def restore(cast: Cast) -> Press:
    cast.bakery.archive(cast.anna, "Bankrupt")
    return as_person(cast.anna), of_company(cast, "restore"), {}


def transfer(cast: Cast) -> Press:
    fields = {"number": cast.peeters.company_number, "understood": "on"}
    return as_person(cast.anna), of_company(cast, "transfer"), fields


def withdraw(cast: Cast) -> Press:
    Transfer.objects.ask(cast.bakery, cast.anna, cast.peeters)
    return as_person(cast.anna), of_company(cast, "withdraw"), {}


def answer_transfer(cast: Cast) -> Press:
    coming = Transfer.objects.ask(factories.make_client(cast.peeters), cast.chloe, cast.janssens)
    fields = {"wish": "agree", "code": "T-1"}
    return as_person(cast.anna), of_office(cast, f"transfers/{coming.uuid}"), fields


def file_it(cast: Cast) -> Press:
    file = QuarantinedFile.objects.create(
        sha256="0" * 64, name="x.cod", size=7, reason=Reason.UNKNOWN_COMPANY.value
    )
    file.names.create(number=cast.bakery.company_number, account="")
    return as_person(cast.bram), of_office(cast, f"waiting-files/{file.sha256}"), {}


def new_address(cast: Cast) -> Press:
    EmailChange(cast.anna, "anna.new@office.example", "new").send_link()
    found = re.search(r"https?://[^/\s]+(/me/email/\S+)", str(mail.outbox[-1].body))
    assert found
    return logged_in(cast.anna), found[1], {}


def invited(cast: Cast, email: str) -> str:
    fields = {"email": email, "role": "user", "language": "en"}
    logged_in(cast.anna).post(of_office(cast, "users/invite"), fields)
    return newest_link()


def join(cast: Cast) -> Press:
    link = invited(cast, "nora@office.example")
    return Browser(), link, {"name": "Nora", "password": "quite another sentence"}


def of_bram(page: str, fields: dict[str, Any]) -> Callable[[Cast], Press]:
    def press(cast: Cast) -> Press:
        bram = cast.janssens.memberships.get(user=cast.bram).uuid
        return as_person(cast.anna), of_office(cast, f"users/{bram}/{page}"), fields

    return press


def of_invitation(page: str) -> Callable[[Cast], Press]:
    def press(cast: Cast) -> Press:
        invited(cast, "nora@office.example")
        invitation = Invitation.objects.get(email="nora@office.example")
        return as_person(cast.anna), of_office(cast, f"invitations/{invitation.uuid}/{page}"), {}

    return press


def leave(cast: Cast) -> Press:
    return as_person(cast.bram), of_office(cast, "leave"), {}


def organization(cast: Cast) -> Press:
    return as_person(cast.anna), of_office(cast, "organization"), {"name": "Janssens & Co"}


def mine(path: str, fields: dict[str, Any]) -> Callable[[Cast], Press]:
    return lambda cast: (logged_in(cast.anna), path, fields)


def log_in(cast: Cast) -> Press:
    return Browser(), "/accounts/login/", {"login": cast.anna.email, "password": PASSWORD}


def new_password(cast: Cast) -> Press:
    browser = Browser()
    page = browser.get(password_reset_path(cast.anna), follow=True).redirect_chain[-1][0]
    return browser, page, {**NEW_PASSWORD}


def ask_for_reset(cast: Cast) -> Press:
    return Browser(), "/accounts/password/reset/", {"email": cast.anna.email}


def first_code(cast: Cast) -> Press:
    anna = logged_in(cast.anna)
    secret = anna.get("/accounts/app/add/").context["form"].secret
    return anna, "/accounts/app/add/", {"code": code_now(secret)}


def with_app(path: str) -> Callable[[Cast], Press]:
    def press(cast: Cast) -> Press:
        anna = logged_in(cast.anna)
        add_app(anna)
        return anna, path, {}

    return press


def end_other_session(cast: Cast) -> Press:
    anna = logged_in(cast.anna)
    logged_in(cast.anna).get("/offices")
    others = anna.get("/accounts/security/").context["sessions"]
    other = next(one for one in others if one.session_key != anna.session.session_key)
    return anna, "/accounts/security/sessions/end/", {"session": str(other.pk)}


UNDERSTOOD = {"understood": "on"}
PRESSES: dict[str, Callable[[Cast], Press]] = {
    "consents:manage": decide,
    "consents:confirm": lambda cast: signed_choice(cast, "allow"),
    "consents:ask": ask_an_admin,
    "consents:block": lambda cast: (
        as_person(cast.anna),
        of_consent(cast, "block"),
        {"block": "1"},
    ),
    "consents:pause": allowed("pause", {}),
    "consents:resume": resume,
    "consents:cancel": allowed("cancel", UNDERSTOOD),
    "consents:terms": accept_terms,
    "consents:reaffirm": reaffirm,
    "consents:scope": share_less,
    "clients:add": add_company,
    "clients:import": lambda cast: (
        as_person(cast.anna),
        of_office(cast, "companies/import"),
        {"pasted": f"N-1;{factories.company_number()};New", "press": "add"},
    ),
    "clients:archive_list": lambda cast: (
        as_person(cast.anna),
        of_office(cast, "companies/archive"),
        {"pasted": cast.bakery.code, "press": "archive", "reason": "Stopped", **UNDERSTOOD},
    ),
    "clients:edit": of_the_bakery("edit", {"name": "Bakery", "code": "B-1", "language": "nl"}),
    "clients:accounts": of_the_bakery("accounts", {"iban": "BE68 5390 0754 7034"}),
    "clients:remove_account": remove_account,
    "clients:archive": of_the_bakery("archive", {"reason": "Bankrupt", **UNDERSTOOD}),
    "clients:restore": restore,
    "clients:transfer": transfer,
    "clients:withdraw": withdraw,
    "clients:answer": answer_transfer,
    "documents:file_it": file_it,
    "accounts:language": mine("/language", {"language": "nl", "next": "/me"}),
    "accounts:me": mine("/me", {"name": "Anna", "language": "nl"}),
    "accounts:email": mine("/me/email", {"email": "anna.new@office.example"}),
    "accounts:confirm_email": new_address,
    "accounts:invitation": join,
    "accounts:invite": lambda cast: (
        as_person(cast.anna),
        of_office(cast, "users/invite"),
        {"email": "nora@office.example", "role": "user", "language": "en"},
    ),
    "accounts:role": of_bram("role", {"role": "admin"}),
    "accounts:remove": of_bram("remove", {}),
    "accounts:resend": of_invitation("resend"),
    "accounts:revoke": of_invitation("revoke"),
    "accounts:leave": leave,
    "accounts:organization": organization,
    "account_login": log_in,
    "account_logout": mine("/accounts/logout/", {}),
    "account_reauthenticate": mine("/accounts/reauthenticate/?next=/me", {"password": PASSWORD}),
    "account_reset_password": ask_for_reset,
    "account_reset_password_from_key": new_password,
    "account_change_password": mine(
        "/accounts/password/change/",
        {"oldpassword": PASSWORD, **NEW_PASSWORD},
    ),
    "mfa_activate_totp": first_code,
    "mfa_deactivate_totp": with_app("/accounts/app/remove/"),
    "mfa_generate_recovery_codes": with_app("/accounts/recovery-codes/new/"),
    "end_session": end_other_session,
}
# Not pressed here, and why.
ELSEWHERE = {
    "consents:widen": "tests/consents/test_scope.py: its form is signed by the page before",
    "mfa_authenticate": "a code counts once: tests/accounts/test_second_factor.py",
    "mfa_reauthenticate": "a code counts once: tests/accounts/test_second_factor.py",
    "mfa_trust": "the middle of a login, as the code before it",
    "mfa_add_webauthn": "the device answers each challenge once: tests/browser/test_people.py",
    "mfa_remove_webauthn": "as the app, which is removed here",
    "mfa_login_webauthn": "the device answers each challenge once",
    "mfa_reauthenticate_webauthn": "the device answers each challenge once",
}


def counts() -> dict[str, int]:
    """What a press leaves: events and e-mails."""
    tables = [ConsentEvent, ClientEvent, OfficeEvent, OutgoingEmail, Consent, Invitation, User]
    return {table.__name__: table._default_manager.count() for table in tables}


def test_every_form_of_the_portal_is_pressed_twice(cast: Cast) -> None:
    """A page that takes no form answers 405 to it; software and operators have their own tests."""
    anna = as_person(cast.anna)
    taken = set()
    for name, path in urls():
        if name.startswith(("partner_api:", "admin:")) or MATRIX[name] == (405,) * 5 or not path:
            continue
        try:
            at = reverse(name)
        except Exception:  # its address has identifiers
            at = "/" + re.sub(r"<\w+:slug>", cast.janssens.slug, path)
            at = at.replace("<uuid:uuid>", str(cast.consent.uuid))
            at = re.sub(r"<\w+:\w+>", "1", at)
        if "OPTIONS" in (allow_of(anna, at)) and "POST" in allow_of(anna, at):
            taken.add(name)
    assert taken <= set(PRESSES) | set(ELSEWHERE)


def allow_of(browser: Browser, path: str) -> str:
    return browser.options(path).headers.get("Allow", "")


@pytest.mark.parametrize("name", PRESSES)
def test_a_second_press_shows_the_result_of_the_first(cast: Cast, name: str) -> None:
    browser, path, fields = PRESSES[name](cast)
    fields = {**fields, "csrfmiddlewaretoken": "x" * 64}
    first = browser.post(path, fields)
    assert first.status_code in (302, 303), first.content
    left = counts()
    second = browser.post(path, fields)
    assert second.status_code in (302, 303), (second.status_code, second.content.decode()[-3000:])
    page = browser.get(second["Location"], follow=True)
    assert page.status_code == 200, second["Location"]
    shown = page.content.decode()
    assert "notice-error" not in shown
    assert "is-invalid" not in shown
    assert counts() == left
