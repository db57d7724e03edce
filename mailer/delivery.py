"""Send one e-mail of the outbox: make its text, hand it to the mail server, note the outcome."""

from __future__ import annotations

import re
from smtplib import SMTPException

import structlog
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import translation

from mailer.messages import MESSAGES, Content
from mailer.models import OutgoingEmail

log = structlog.get_logger(__name__)


def deliver(email_id: int) -> None:
    """Try to send this e-mail, unless it ended, is not due, or another worker has it now."""
    with transaction.atomic():
        free = OutgoingEmail.objects.due().select_for_update(skip_locked=True)
        email = free.filter(pk=email_id).first()
        if email is not None:
            _attempt(email)


def _attempt(email: OutgoingEmail) -> None:
    try:
        with transaction.atomic():
            message = compose(email)
    except Exception:
        # An e-mail that cannot be composed must not hold up all those behind it.
        log.exception("email_not_composed", email=email.message)
        email.mark_failed()
        return
    if message is None:
        email.give_up()
        return
    try:
        message.send()
    except (OSError, SMTPException) as error:
        log.warning("email_not_sent", email=email.message, reason=type(error).__name__)
        email.mark_failed()
    else:
        email.mark_sent()


def compose(email: OutgoingEmail) -> EmailMultiAlternatives | None:
    """The e-mail as text and HTML in the reader's language; None if it is no longer needed."""
    with translation.override(email.language or settings.LANGUAGE_CODE):
        content = MESSAGES[email.message](email)
        if content is None:
            return None
        name = _name_of_reader(email)
        message = EmailMultiAlternatives(
            " ".join(_render(email, content, "subject.txt").split()),
            _tidy(_render(email, content, "text.txt", name)),
            to=[email.recipient],
            headers={"Message-ID": f"<{email.dedupe_key}@{settings.PORTAL_HOST}>"},
            attachments=list(content.attachments),
        )
        message.attach_alternative(_render(email, content, "html.html", name), "text/html")
    return message


def _name_of_reader(email: OutgoingEmail) -> str:
    """The name of the person whose mailbox it is; empty where no account has this address.

    Never the name of the person whom the e-mail is about: somebody who enters the address of a
    stranger must not choose what the stranger reads first.
    """
    people = get_user_model().objects.filter(email__iexact=email.recipient, is_active=True)
    return people.values_list("name", flat=True).first() or ""


def _render(email: OutgoingEmail, content: Content, layout: str, reader_name: str = "") -> str:
    context = {
        "portal_name": settings.PORTAL_NAME,
        "portal_url": settings.PORTAL_URL,
        "support_email": settings.PORTAL_SUPPORT_EMAIL,
        "reader_name": reader_name,
        **content.context,
        "layout": f"mails/layouts/{layout}",
    }
    return render_to_string(f"mails/{email.message}.txt", context)


def _tidy(text: str) -> str:
    """One empty line between paragraphs, however many the template left."""
    return re.sub(r"\n\s*\n", "\n\n", text).strip() + "\n"
