"""Write an e-mail into the outbox."""

from __future__ import annotations

from typing import Any

from core.jobs import delay_after_commit
from mailer.messages import MESSAGES
from mailer.models import OutgoingEmail, random_key
from mailer.tasks import send


def enqueue(
    message: str, recipient: str, language: str, *, dedupe_key: str = "", **context: Any
) -> OutgoingEmail:
    """Write an e-mail in the current transaction; after the commit a worker sends it.

    If the outbox already has the `dedupe_key`, nothing is written. An e-mail about
    a person has their id as `person` in the context: when the person is anonymised it is deleted.
    Raises KeyError for a message that no app registered.
    """
    if message not in MESSAGES:
        raise KeyError(message)
    email, created = OutgoingEmail.objects.get_or_create(
        dedupe_key=dedupe_key or random_key(),
        defaults={
            "message": message,
            "recipient": recipient,
            "language": language[:2],
            "context": context,
        },
    )
    if created:
        delay_after_commit(send, email.pk)
    return email
