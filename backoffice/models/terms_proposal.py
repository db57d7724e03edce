"""What an operator asks to publish as the next terms, exactly as the page showed it."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from consents.models import Terms
from core.triggers import append_only

CHANGED = "other terms were published or came into force since they were compared"
TOO_LATE = "the moment from which they should be in force has passed"


class TermsProposal(models.Model):
    """The texts of a version that nobody published yet. A four-eyes approval points at it.

    Nobody changes a row, so the second operator confirms the texts that the first one compared.
    """

    # The number that the version gets, and the version in force that it was compared with.
    version = models.PositiveIntegerField()
    compared_with = models.PositiveIntegerField()
    # One text for each language.
    bodies = models.JSONField()
    material = models.BooleanField()
    # Empty: from the moment on that a second operator confirms.
    effective_at = models.DateTimeField(null=True)

    class Meta:
        triggers = append_only("terms_proposals")

    def __str__(self) -> str:
        return f"version {self.version}"

    def why_outdated(self) -> str:
        """Return why these texts cannot be published any more, or an empty text."""
        newest = Terms.objects.aggregate(newest=models.Max("version"))["newest"]
        if (newest + 1, Terms.objects.in_force("en").version) != (self.version, self.compared_with):
            return CHANGED
        mine = TermsProposal.objects.filter(pk=self.pk)
        return TOO_LATE if mine.filter(effective_at__lte=Now()).exists() else ""
