"""The companies that the scope of a consent names."""

from __future__ import annotations

from django.db import models

from clients.models import Client


class ListedClient(models.Model):
    """A company that a scope names: it is left out, or in allowlist mode it is shared."""

    consent = models.ForeignKey("consents.Consent", models.PROTECT, related_name="listed")
    client = models.ForeignKey(Client, models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["consent", "client"], name="consents_listedclient_once")
        ]

    def __str__(self) -> str:
        return f"{self.consent_id} · {self.client_id}"
