"""What is missing from the documents of a company, as it was found when it was last checked."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from accounts.models import Office
from clients.models import Client
from core.document_kinds import KIND_CHOICES, Kind


class MissingMonth(models.Model):
    """A month in which a series of documents has a gap.

    The pages count afresh; these rows say which companies of an office to show, and which gaps are
    new since somebody was told.
    """

    client = models.ForeignKey(Client, models.CASCADE, related_name="missing_months")
    kind = models.SmallIntegerField(choices=KIND_CHOICES)
    # The account, the agency, the card; empty for invoices.
    series = models.CharField(max_length=64, blank=True)
    month = models.DateField(help_text="its first day")
    documents = models.PositiveIntegerField()
    # The numbers that are missing, where numbers jump; else 0.
    first = models.BigIntegerField(default=0)
    last = models.BigIntegerField(default=0)
    found_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["client", "kind", "series", "month"], name="documents_missingmonth_once"
            )
        ]

    def __str__(self) -> str:
        return f"{Kind(self.kind).name} {self.month:%Y-%m}"


class NotDownloaded(models.Model):
    """How many documents of a kind, of the last twelve months, no software had when checked."""

    client = models.ForeignKey(Client, models.CASCADE, related_name="not_downloaded")
    kind = models.SmallIntegerField(choices=KIND_CHOICES)
    documents = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["client", "kind"], name="documents_notdownloaded_once")
        ]

    def __str__(self) -> str:
        return f"{Kind(self.kind).name} {self.documents}"


class CompletenessCheck(models.Model):
    """When the documents of an office were last checked, and when its people were last told."""

    office = models.OneToOneField(Office, models.CASCADE, primary_key=True, related_name="+")
    checked_at = models.DateTimeField()
    emailed_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.office_id} {self.checked_at}"
