"""Every mail there is, in four languages: whole, translated, as text and as HTML."""

from __future__ import annotations

import gettext
import re
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.test import Client as Browser
from django.test import override_settings
from django.utils import translation

from accounts.address import AddressChange
from accounts.events import TOLD, MembershipEvent
from accounts.joint import Act, JointAct
from accounts.letters import send_reset_link, tell_admins
from accounts.models import Invitation, User
from accounts.second_factor import credential_changes
from accounts.told_of_acts import tell_of_act
from clients.events import TOLD as COMPANIES_TOLD
from clients.models import ClientEvent, Transfer
from notifications.emails import TOPICS
from notifications.models import CompanyMail, WebhookEndpoint
from notifications.tasks import fan_out_company, send_company_mail, tell_of_trouble
from notifications.webhook_endpoints import OffReason
from tests import factories
from tests.accounts.people import add_app, log_in, logged_in
from tests.conftest import Cast
from tests.factories import PASSWORD
from tests.notifications.test_mails import deliver, event_of

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = ["en", "nl", "fr", "de"]
CODES = "/accounts/recovery-codes/"


def invited(cast: Cast, language: str) -> None:
    mail.outbox.clear()
    path = f"/offices/{cast.janssens.slug}/users/invite"
    fields = {"email": "nora@office.example", "role": "user", "language": language}
    answer = logged_in(cast.an).post(path, fields)
    assert answer.status_code == 303, answer.content
    assert Invitation.objects.exists()


def people_changed(cast: Cast, language: str) -> None:
    bea = factories.make_person("Bea", cast.janssens, language=language)
    for kind in sorted(TOLD):
        event = MembershipEvent.objects.write(
            cast.janssens, kind, cast.an, email="b@office.example", role="user", person=cast.bram
        )
        tell_admins(event)
    assert {tuple(message.to) for message in mail.outbox} == {(bea.email,)}


def address_changed(cast: Cast, language: str) -> None:
    AddressChange(cast.an, "an.new@office.example", "old").mail()
    AddressChange(cast.an, "an.new@office.example", "new").mail()
    AddressChange(cast.an, "an.new@office.example", "new").make()


def logged_in_anew(cast: Cast, language: str) -> None:
    log_in(Browser(), cast.an)


def reset(cast: Cast, language: str) -> None:
    send_reset_link(cast.an, language)


def credentials_changed(cast: Cast, language: str) -> None:
    """The way of an app: added, codes made anew, a code used, removed; and a new password."""
    an = logged_in(cast.an)
    add_app(an)
    codes = an.get(CODES).context["unused_codes"]
    thief = Browser()
    log_in(thief, cast.an)
    thief.post("/accounts/second-factor/", {"code": codes[0]})
    an.post("/accounts/recovery-codes/new/")
    an.post("/accounts/app/remove/")
    new = {"oldpassword": PASSWORD, "password1": "quite another sentence"}
    an.post("/accounts/password/change/", new)


def about_consents(cast: Cast, language: str) -> None:
    sent = []
    for kind in sorted(TOPICS):
        consent = factories.make_request(cast.janssens, factories.make_partner())
        cast.consent = consent
        sent += deliver(event_of(cast, kind)).values()
    sent += about_companies(cast)
    mail.outbox[:] = sent


def about_companies(cast: Cast) -> list[EmailMessage]:
    """Each step of a transfer, to the other Admins of both offices."""
    factories.make_person("Bea", cast.janssens, language=cast.an.language)
    factories.make_person("Bo", cast.peeters, language=cast.an.language)
    mail.outbox.clear()
    for end in ("agree", "decline", "withdraw"):
        transfer = Transfer.objects.ask(cast.bakery, cast.an, cast.peeters)
        if end == "withdraw":
            transfer.withdraw(cast.an)
        elif end == "decline":
            transfer.decline(cast.chloe)
        else:
            cast.bakery = factories.make_client(cast.janssens)
            transfer.agree(cast.chloe, "P1")
    ours = ClientEvent.objects.filter(office__in=[cast.janssens, cast.peeters])
    for event in ours.filter(kind__in=COMPANIES_TOLD):
        fan_out_company(event.pk)
        fan_out_company(event.pk)
    for row in CompanyMail.objects.filter(event__in=ours):
        send_company_mail(row.pk)
    # Six steps: each goes to the one other Admin of the office that acts, and to both of the other.
    assert len(mail.outbox) == 6 * 3
    return list(mail.outbox)


def webhooks_in_trouble(cast: Cast, language: str) -> None:
    endpoint = WebhookEndpoint.objects.create(partner=cast.ledgerly, url="https://x.example/")
    with override_settings(LANGUAGE_CODE=language):  # a software has no language of its own
        tell_of_trouble(endpoint.pk)
        endpoint.switch_off(OffReason.GONE)
        tell_of_trouble(endpoint.pk)


def done_by_operators(cast: Cast, language: str) -> None:
    eva = factories.make_person("Eva", is_staff=True)
    wish = {"office": cast.janssens, "reason": "As agreed on the telephone", "asked_by": cast.dirk}
    for kind, more in {
        Act.RESET_FACTOR: {"person": cast.bram},
        Act.CHANGE_NUMBER: {"detail": "0010000034"},
        Act.CLOSE_OFFICE: {},
    }.items():
        act = JointAct.objects.create(kind=kind, **wish, **more)
        act.confirm(eva)
        act.refresh_from_db()
        tell_of_act(act)


MAILS: dict[str, Callable[[Cast, str], None]] = {
    "invitation": invited,
    "people_changed": people_changed,
    "address": address_changed,
    "new_login": logged_in_anew,
    "password_reset": reset,
    "credential_changed": credentials_changed,
    "consent": about_consents,
    "webhook_trouble": webhooks_in_trouble,
    "by_operators": done_by_operators,
}


def test_no_mail_is_missing_here() -> None:
    written = {
        path.name.removesuffix("_message.txt")
        for path in (ROOT / "templates/mails").glob("*_message.txt")
    }
    assert written == set(MAILS)


def plain(html: str) -> str:
    body = re.sub(r"<(style|title).*?</\1>", " ", html, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", MAILS)
def test_each_mail_in_each_language_as_text_and_html(
    cast: Cast, request: pytest.FixtureRequest, name: str, language: str
) -> None:
    User.objects.update(language=language)
    for person in (cast.an, cast.bram, cast.chloe):
        person.refresh_from_db()
    mail.outbox.clear()
    if name == "credential_changed":  # allauth sends these after the commit
        request.getfixturevalue("commits")
    MAILS[name](cast, language)
    assert mail.outbox
    # What another language would say; a mail in the wrong one has many of these.
    english = [text for text in _sentences(language) if len(text) > 20]
    for message in mail.outbox:
        text, html = str(message.body), str(message.alternatives[0][0])  # type: ignore[attr-defined]
        assert f'<html lang="{language}"' in html
        assert "\n" not in message.subject
        for part in (message.subject, text, html):
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
            told += list(credential_changes().values())
    assert len(set(told)) == len(LANGUAGES) * len(credential_changes())
