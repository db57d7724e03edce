"""What tests ask about the outbox of e-mails."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Q, QuerySet

from mailer.models import OutgoingEmail


def emails_about(events: Iterable[Any]) -> QuerySet[OutgoingEmail]:
    """The e-mails about these events; the key of each begins with the event's UUID."""
    about = Q(pk=None)
    for event in events:
        about |= Q(dedupe_key__startswith=f"{event.uuid}.")
    return OutgoingEmail.objects.filter(about)
