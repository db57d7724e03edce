"""Signal receivers: keep the support access log in step with anonymisation."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from accounts.models import User
from accounts.signals import person_anonymised
from backoffice.models import AccessedRecord, SupportAccess


@receiver(person_anonymised)
def anonymise_support_access(sender: Any, person: User, pseudonym: str, **kwargs: Any) -> None:
    """Replace the name of the person in the support access log."""
    opened = SupportAccess.objects.filter(accessed=AccessedRecord.PERSON, about=str(person))
    opened.update(about=pseudonym)
