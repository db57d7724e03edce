"""Mails about people: text and HTML, in the language of the one who reads them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from smtplib import SMTPException
from typing import Any, cast

import structlog
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.http import urlencode

from accounts.invitations import token_of
from accounts.letters import Letter

log = structlog.get_logger(__name__)


def send(
    name: str,
    to: str,
    language: str,
    *,
    message_id: str = "",
    attachments: Sequence[tuple[str, bytes, str]] = (),
    **context: Any,
) -> bool:
    """Send `mails/<name>` and tell whether the mail server took it.

    A `message_id` of one's own lets a mail server that gets the mail twice show it once.
    """
    told = {
        "portal_name": settings.PORTAL_NAME,
        "portal_url": settings.PORTAL_URL,
        "support_email": settings.PORTAL_SUPPORT_EMAIL,
        "language": language or settings.LANGUAGE_CODE,
        **context,
    }
    with translation.override(told["language"]):
        subject = " ".join(render_to_string(f"mails/{name}_subject.txt", told).split())
        message = EmailMultiAlternatives(
            subject,
            render_to_string(f"mails/{name}_message.txt", told),
            to=[to],
            headers={"Message-ID": message_id} if message_id else {},
            attachments=list(attachments),
        )
        message.attach_alternative(
            render_to_string(f"mails/{name}_message.html", told), "text/html"
        )
    try:
        message.send()
    except (OSError, SMTPException) as error:
        log.warning("mail_not_sent", mail=name, reason=type(error).__name__)
        return False
    return True


def post(letter: Letter) -> bool | None:
    """Send a letter and tell whether the mail server took it; None when it is no news any more."""
    context = CONTEXTS.get(letter.kind, _as_told)(letter)
    if context is None:
        return None
    # A mail server that took it twice shows it once.
    message_id = f"<{letter.uuid}@{settings.PORTAL_HOST}>"
    return send(letter.kind, letter.to, letter.language, message_id=message_id, **context)


def _as_told(letter: Letter) -> dict[str, Any]:
    return dict(letter.told)


def _credential(letter: Letter) -> dict[str, Any]:
    return {**letter.told, "at": datetime.fromisoformat(letter.told["at"])}


def _invitation(letter: Letter) -> dict[str, Any] | None:
    """The link is made here; one that was sent again, used or withdrawn meanwhile is dead."""
    invitation = letter.invitation
    key = invitation.key_of(letter.told["seed"]) if invitation else None
    if invitation is None or key is None:
        return None
    link = f"{settings.PORTAL_URL}/invitation/{token_of(key)}"
    if letter.told["next"]:
        link += "?" + urlencode({"next": letter.told["next"]})
    return {"invitation": invitation, "inviter": str(invitation.invited_by), "link": link}


def _reset(letter: Letter) -> dict[str, Any] | None:
    person = letter.person
    if person is None or not person.is_active:
        return None
    key = {"uidb36": user_pk_to_url_str(person), "key": default_token_generator.make_token(person)}
    path = reverse("account_reset_password_from_key", kwargs=key)
    return {"link": settings.PORTAL_URL + path}


def _address(letter: Letter) -> dict[str, Any] | None:
    """The link is signed here; none after another change of password or address."""
    from accounts.address import AddressChange

    if letter.person is None or (change := AddressChange.told(letter.told, letter.person)) is None:
        return None
    return {"change": change, "link": settings.PORTAL_URL + change.path()}


def _people(letter: Letter) -> dict[str, Any]:
    return {"event": letter.event}


def _operators(letter: Letter) -> dict[str, Any]:
    from accounts.joint import JointAct
    from accounts.models import Office, User
    from accounts.told_of_acts import words_of

    acts = JointAct.objects.select_related("office", "person", "asked_by", "confirmed_by")
    act = acts.get(pk=letter.told["act"])
    office, reader = cast(Office, act.office), cast(User, letter.person)
    with translation.override(letter.language):
        return {"act": act, "words": words_of(act, office, reader)}


CONTEXTS: dict[str, Callable[[Letter], dict[str, Any] | None]] = {
    "credential_changed": _credential,
    "new_login": _credential,
    "invitation": _invitation,
    "password_reset": _reset,
    "address": _address,
    "people_changed": _people,
    "by_operators": _operators,
}
