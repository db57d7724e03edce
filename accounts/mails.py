"""Mails about people: text and HTML, in the language of the one who reads them."""

from __future__ import annotations

from collections.abc import Sequence
from smtplib import SMTPException
from typing import Any

import structlog
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.http import urlencode

from accounts.invitations import Invitation, token_of
from accounts.models import User
from accounts.requests import address_of

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


def tell_of_credential(
    request: HttpRequest,
    person: User,
    what: str,
    mailbox: str = "",
    name: str = "credential_changed",
) -> bool:
    """Tell a person what happened to her account, when, and from which address and browser."""
    return send(
        name,
        mailbox or person.email,
        person.language or translation.get_language(),
        what=what,
        at=timezone.now(),
        address=address_of(request),
        browser=request.headers.get("User-Agent", "")[:200],
    )


def send_invitation(invitation: Invitation, key: str, next_path: str = "") -> bool:
    """Mail the link. The key exists in this call and in the mail only."""
    link = f"{settings.PORTAL_URL}/invitation/{token_of(key)}"
    if next_path:
        link += "?" + urlencode({"next": next_path})
    person = User.objects.filter(email__iexact=invitation.email).first()
    return send(
        "invitation",
        invitation.email,
        (person and person.language) or invitation.language,
        invitation=invitation,
        inviter=str(invitation.invited_by),
        link=link,
    )
