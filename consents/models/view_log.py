"""Who of the office opened a request, and when each person did so first.

The view log is not part of the hash chain, like the access log of documents. Opening a page decides
nothing, so it must neither lock the chain of the office nor send a signal.
See docs/adr/0016-view-log.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from core.triggers import append_only

if TYPE_CHECKING:
    from accounts.models import User
    from consents.models import Consent


class ViewLog(models.Model):
    """One person opened one request for the first time."""

    consent = models.ForeignKey("consents.Consent", models.PROTECT, related_name="view_log")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name_plural = "view log"
        constraints = [
            models.UniqueConstraint(fields=["consent", "person"], name="consents_viewlog_once")
        ]
        triggers = append_only("view_log")

    def __str__(self) -> str:
        return f"{self.person} · {self.at:%Y-%m-%d %H:%M}"


def record_view(consent: Consent, person: User) -> None:
    """Record that this person opened the request; opening it again changes nothing."""
    ViewLog.objects.bulk_create([ViewLog(consent=consent, person=person)], ignore_conflicts=True)
