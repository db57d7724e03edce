"""Who of the office looked at a request first, and when: a trace of looking, not of a decision.

It stands beside the ledger, as the log of reads does: opening a page decides nothing, so it must
neither hold the chain of the office nor ring the bell. See docs/adr/0016-seen.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from accounts.triggers import append_only

if TYPE_CHECKING:
    from accounts.models import User
    from consents.models import Consent


class Seen(models.Model):
    """One person opened one request for the first time."""

    consent = models.ForeignKey("consents.Consent", models.PROTECT, related_name="seen")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name_plural = "seen"
        constraints = [
            models.UniqueConstraint(fields=["consent", "person"], name="consents_seen_once")
        ]
        triggers = append_only("seen")

    def __str__(self) -> str:
        return f"{self.person} · {self.at:%Y-%m-%d %H:%M}"


def note(consent: Consent, person: User) -> None:
    """Write down that this person opened the request; every later look changes nothing."""
    Seen.objects.bulk_create([Seen(consent=consent, person=person)], ignore_conflicts=True)
