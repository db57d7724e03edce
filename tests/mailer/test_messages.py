"""Every mail there is, in four languages: whole, translated, as text and as HTML."""

from __future__ import annotations

import gettext
import re
from collections.abc import Callable
from datetime import date
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.db.models.functions import Now
from django.test import Client as Browser
from django.test import override_settings
from django.utils import timezone, translation

from accounts.emails import PEOPLE_CHANGED, send_password_reset
from accounts.login.email_change import EmailChange
from accounts.login.mfa import credential_change_sentences
from accounts.models import Invitation, User
from accounts.models.office_event import OfficeEvent
from backoffice.emails import email_approval
from backoffice.models.four_eyes import ApprovalKind, FourEyesApproval
from backoffice.operator_emails import email_operator, send_link
from backoffice.second_operator import ask_for_second_operator
from clients.models import ClientEvent, Transfer
from clients.models.event import ANNOUNCED_KINDS as COMPANIES_TOLD
from documents.emails import send_digests
from documents.models import CompletenessCheck, MissingMonth
from mailer.messages import MESSAGES
from mailer.models import OutgoingEmail
from notifications.emails import PREFERENCE_BY_KIND
from notifications.fan_out import fan_out_company
from notifications.models import WebhookEndpoint
from notifications.models.webhook_endpoint import OffReason
from notifications.webhooks.endpoints import email_trouble
from tests import factories
from tests.accounts.people import add_app, log_in, logged_in
from tests.conftest import Cast, make_cast
from tests.factories import PASSWORD
from tests.notifications.test_emails import deliver, event_of

ROOT = Path(__file__).resolve().parent.parent.parent
pytestmark = pytest.mark.usefixtures("quick_worker")
LANGUAGES = ["en", "nl", "fr", "de"]
CODES = "/accounts/recovery-codes/"


def invited(cast: Cast, language: str) -> None:
    mail.outbox.clear()
    path = f"/offices/{cast.janssens.slug}/users/invite"
    fields = {"email": "nora@office.example", "role": "user", "language": language}
    answer = logged_in(cast.anna).post(path, fields)
    assert answer.status_code == 303, answer.content
    assert Invitation.objects.exists()


def people_changed(cast: Cast, language: str) -> None:
    bea = factories.make_person("Bea", cast.janssens, language=language)
    for kind in sorted(PEOPLE_CHANGED):
        OfficeEvent.objects.write(
            cast.janssens, kind, cast.anna, email="b@office.example", role="user", person=cast.bram
        )
    assert {tuple(message.to) for message in mail.outbox} == {(bea.email,)}


def address_changed(cast: Cast, language: str) -> None:
    EmailChange(cast.anna, "anna.new@office.example", "old").send_link()
    EmailChange(cast.anna, "anna.new@office.example", "new").send_link()
    EmailChange(cast.anna, "anna.new@office.example", "new").make()


def logged_in_anew(cast: Cast, language: str) -> None:
    log_in(Browser(), cast.anna)


def reset(cast: Cast, language: str) -> None:
    send_password_reset(cast.anna, language)


def credentials_changed(cast: Cast, language: str) -> None:
    """The way of an app: added, codes made anew, a code used, removed; and a new password."""
    anna = logged_in(cast.anna)
    add_app(anna)
    codes = anna.get(CODES).context["unused_codes"]
    thief = Browser()
    log_in(thief, cast.anna)
    thief.post("/accounts/second-factor/", {"code": codes[0]})
    anna.post("/accounts/recovery-codes/new/")
    anna.post("/accounts/app/remove/")
    new = {"oldpassword": PASSWORD, "password1": "quite another sentence"}
    anna.post("/accounts/password/change/", new)
    eva = factories.make_person("Eva", is_staff=True, is_superuser=True, language=language)
    add_app(logged_in(eva))


def about_consents(cast: Cast, language: str) -> None:
    sent: list[Any] = []
    factories.make_person("Bea", cast.janssens, language=language)
    for kind in sorted(PREFERENCE_BY_KIND):
        consent = factories.make_request(cast.janssens, factories.make_partner())
        cast.consent = consent
        sent += deliver(event_of(cast, kind)).values()
    mail.outbox[:] = sent


def about_transfers(cast: Cast, language: str) -> None:
    """Each step of a transfer, to the other Admins of both offices."""
    factories.make_person("Bea", cast.janssens, language=cast.anna.language)
    factories.make_person("Bo", cast.peeters, language=cast.anna.language)
    mail.outbox.clear()
    for end in ("agree", "decline", "withdraw"):
        transfer = Transfer.objects.ask(cast.bakery, cast.anna, cast.peeters)
        if end == "withdraw":
            transfer.withdraw(cast.anna)
        elif end == "decline":
            transfer.decline(cast.chloe)
        else:
            cast.bakery = factories.make_client(cast.janssens)
            transfer.agree(cast.chloe, "P1")
    ours = ClientEvent.objects.filter(office__in=[cast.janssens, cast.peeters])
    for event in ours.filter(kind__in=COMPANIES_TOLD):
        fan_out_company(event.pk)
        fan_out_company(event.pk)
    # Six steps: each goes to the one other Admin of the office that acts, and to both of the other.
    assert len(mail.outbox) == 6 * 3


def webhooks_in_trouble(cast: Cast, language: str) -> None:
    endpoint = WebhookEndpoint.objects.create(partner=cast.ledgerly, url="https://x.example/")
    with override_settings(LANGUAGE_CODE=language):  # software has no language of its own
        WebhookEndpoint.objects.update(flagged_at=Now())
        email_trouble(endpoint.pk)
        endpoint.switch_off(OffReason.GONE)
        email_trouble(endpoint.pk)


def done_by_operators(cast: Cast, language: str) -> None:
    eva = factories.make_person("Eva", is_staff=True)
    wish: dict[str, Any] = {
        "office": cast.janssens,
        "reason": "As agreed on the telephone",
        "requested_by": cast.dirk,
    }
    details: dict[ApprovalKind, dict[str, Any]] = {
        ApprovalKind.RESET_MFA: {"person": cast.bram},
        ApprovalKind.CHANGE_NUMBER: {"detail": "0010000034"},
        ApprovalKind.CLOSE_OFFICE: {},
    }
    for kind, more in details.items():
        act = FourEyesApproval.objects.create(kind=kind, **wish, **more)
        act.confirm(eva)
        act.refresh_from_db()
        email_approval(act)


def second_operator_needed(cast: Cast, language: str) -> None:
    factories.make_person("Eva", is_staff=True, is_superuser=True, language=language)
    approval = FourEyesApproval.objects.create(
        kind=ApprovalKind.CLOSE_OFFICE,
        office=cast.janssens,
        reason="As agreed on the telephone",
        requested_by=cast.dirk,
    )
    ask_for_second_operator(approval)


def operators_accounts(cast: Cast, language: str) -> None:
    """The invitation of an operator, and each change of the account."""
    eva = factories.make_person("Eva", is_staff=True, language=language)
    eva.groups.add(Group.objects.get(name="support"))
    send_link(eva)
    for what in ("role", "reset", "ended"):
        email_operator(eva, what, names="Dirk & Els", role="auditor" if what == "role" else "")


def documents_missing(cast: Cast, language: str) -> None:
    """Of more companies than the e-mail lists."""
    for _company in range(12):
        client = factories.make_client(cast.janssens)
        MissingMonth.objects.create(client=client, kind=1, month=date(2026, 10, 1), documents=2)
    CompletenessCheck.objects.create(office=cast.janssens, checked_at=timezone.now())
    send_digests()


MAILS: dict[str, Callable[[Cast, str], None]] = {
    "invitation": invited,
    "people_changed": people_changed,
    "email_change": address_changed,
    "new_login": logged_in_anew,
    "password_reset": reset,
    "credential_changed": credentials_changed,
    "consent": about_consents,
    "transfer": about_transfers,
    "webhook_trouble": webhooks_in_trouble,
    "operators": done_by_operators,
    "second_operator": second_operator_needed,
    "operator_accounts": operators_accounts,
    "missing_documents": documents_missing,
}


def test_every_message_has_its_template() -> None:
    written = {path.stem for path in (ROOT / "templates/mails").glob("*.txt")}
    assert written == set(MESSAGES)


def test_every_message_is_listed_here(cast: Cast, commits: None) -> None:
    for name in MAILS:
        mail.outbox.clear()
        MAILS[name](make_cast(), "en")
    assert set(OutgoingEmail.objects.values_list("message", flat=True)) == set(MESSAGES)


def test_an_operator_is_sent_to_another_operator_and_a_colleague_to_an_admin(
    cast: Cast, commits: None
) -> None:
    """An operator belongs to no office."""
    eva = factories.make_person("Eva", is_staff=True, is_superuser=True)
    told = []
    for person in (eva, cast.anna):
        mail.outbox.clear()
        add_app(logged_in(person))
        told.append(str(mail.outbox[-1].body))
    assert "call another operator" in told[0]
    assert "Admin of your office" not in told[0]
    assert "tell an Admin of your office" in told[1]


def plain(html: str) -> str:
    body = re.sub(r"<(style|title).*?</\1>", " ", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", MAILS)
def test_each_mail_in_each_language_as_text_and_html(
    cast: Cast, request: pytest.FixtureRequest, name: str, language: str
) -> None:
    User.objects.update(language=language)
    for person in (cast.anna, cast.bram, cast.chloe):
        person.refresh_from_db()
    mail.outbox.clear()
    if name == "credential_changed":  # allauth sends these after the commit
        request.getfixturevalue("commits")
    MAILS[name](cast, language)
    assert mail.outbox
    # What another language would say; a mail in the wrong one has many of these.
    english = [text for text in _sentences(language) if len(text) > 20]
    for message in mail.outbox:
        assert isinstance(message, EmailMultiAlternatives)
        subject, text = str(message.subject), str(message.body)
        html = str(message.alternatives[0][0])
        assert f'<html lang="{language}"' in html
        assert "\n" not in subject
        for part in (subject, text, html):
            assert not re.search(r"\{\{|\{%|%\(|\bNone\b", part), part
            assert [sentence for sentence in english if sentence in part] == []
        links = re.findall(r"https?://\S+", text)
        assert links, text
        assert all(link in unescape(html) for link in links)
        # What the text says, the HTML says as well.
        for line in filter(None, map(str.strip, text.splitlines())):
            assert " ".join(line.split()) in plain(html) or line in links, line


def _sentences(language: str) -> list[str]:
    """Every English text that has a translation, as it would stand in a mail; none for English."""
    if language == "en":
        return []
    catalogue = gettext.translation("django", ROOT / "locale", [language])
    found = catalogue._catalog  # type: ignore[attr-defined]
    return [key for key, said in found.items() if isinstance(key, str) and key and said != key]


def test_every_change_of_a_credential_has_a_sentence_in_each_language() -> None:
    told = []
    for language in LANGUAGES:
        with translation.override(language):
            told += list(credential_change_sentences().values())
    assert len(set(told)) == len(LANGUAGES) * len(credential_change_sentences())


def test_an_email_greets_whose_mailbox_it_is_and_has_its_link_once(cast: Cast) -> None:
    send_password_reset(cast.anna, "nl")
    (message,) = mail.outbox
    assert isinstance(message, EmailMultiAlternatives)
    html = str(message.alternatives[0][0])
    assert str(message.body).startswith(f"Hallo {cast.anna.name},\n")
    assert f"<p>Hallo {cast.anna.name},</p>" in html
    assert html.count("/accounts/password/reset/key/") == 1


def test_a_stranger_is_not_greeted_by_a_name_that_somebody_else_chose(cast: Cast) -> None:
    User.objects.filter(pk=cast.anna.pk).update(name="Win a car at evil.example")
    cast.anna.refresh_from_db()
    EmailChange(cast.anna, "nobody@elsewhere.example", "new").send_link()
    (message,) = mail.outbox
    assert message.to == ["nobody@elsewhere.example"]
    assert "evil" not in str(message.body)


def test_the_email_about_a_login_names_the_browser_in_words(cast: Cast) -> None:
    firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0"
    browser = Browser(headers={"User-Agent": firefox})
    log_in(browser, cast.anna)
    (message,) = mail.outbox
    said = " ".join(str(message.body).split())
    assert "with Firefox (Windows), from IP address 127.0.0.1." in said
    assert "Mozilla" not in said
