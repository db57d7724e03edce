"""Who read which document, and what was refused."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.db.models.functions import Now

from core.triggers import append_only

# The table is in partitions, one for each month. No read of a document is older than the document,
# so nobody has to look into the months before; clocks of two servers may differ by so much.
BEFORE_ARRIVAL = timedelta(days=1)


class Outcome(models.TextChoices):
    SERVED = "served"
    REFUSED = "refused"
    CUT = "cut"


class DocumentRead(models.Model):
    """A document was fetched, refused, or cut off: written once, never changed.

    Identifiers without foreign keys: the row must outlive what it tells about, and be cheap. The
    primary key of the table is (id, at), because `at` says in which month a row lies.
    """

    at = models.DateTimeField(db_default=Now())
    office_id = models.BigIntegerField()
    consent_id = models.BigIntegerField()
    application_id = models.BigIntegerField()
    document_id = models.BigIntegerField(null=True)
    media_type = models.CharField(max_length=130)
    # The name of the file inside the document that was read; empty for the document itself.
    attachment = models.CharField(max_length=140, blank=True, db_default="")
    size = models.BigIntegerField(help_text="bytes sent")
    outcome = models.CharField(max_length=7, choices=Outcome.choices)
    reason = models.CharField(max_length=30, blank=True, db_default="")

    class Meta:
        indexes = [
            # The newest downloads of software at an office.
            models.Index(
                fields=["consent_id", "-at"],
                condition=models.Q(outcome=Outcome.SERVED),
                name="documents_read_of_consent",
            ),
            models.Index(fields=["document_id", "-at"], name="documents_read_of_document"),
        ]
        triggers = append_only("reads")

    def __str__(self) -> str:
        return f"{self.outcome} {self.media_type}"
