"""How a consent was used, day by day: counted here so that no screen searches the access log."""

from __future__ import annotations

from django.db import models


class ConsentActivity(models.Model):
    """How often documents were served and refused on one day; the API writes it."""

    consent = models.ForeignKey("consents.Consent", models.PROTECT, related_name="activity")
    day = models.DateField()
    served = models.PositiveIntegerField(db_default=0)
    refused = models.PositiveIntegerField(db_default=0)
    # Refused after the consent had ended: it shows that cancelling took effect.
    refused_ended = models.PositiveIntegerField(db_default=0)
    first_served_at = models.DateTimeField(null=True)
    last_served_at = models.DateTimeField(null=True)
    last_refused_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "consent activity"
        constraints = [
            models.UniqueConstraint(fields=["consent", "day"], name="consents_activity_one_per_day")
        ]

    def __str__(self) -> str:
        return f"{self.consent_id} · {self.day}"
