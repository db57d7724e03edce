"""What software says that it did with a document."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from core.document_kinds import KIND_CHOICES
from partners.models import Partner

LONGEST_REFERENCE = 64
LONGEST_REASON = 200


class AcknowledgedAs(models.TextChoices):
    RECEIVED = "received", _("Received")
    BOOKED = "booked", _("Booked")
    REJECTED = "rejected", _("Rejected")


class Acknowledgement(models.Model):
    """One software received, booked or rejected one document; its last word counts.

    `office_id` is the office whose document it was then. The document has no foreign key: the row
    may outlive it.
    """

    partner = models.ForeignKey(Partner, models.PROTECT, related_name="+")
    office_id = models.BigIntegerField()
    document_id = models.BigIntegerField()
    kind = models.SmallIntegerField(choices=KIND_CHOICES)
    status = models.CharField(max_length=8, choices=AcknowledgedAs.choices)
    # What the software calls it.
    reference = models.CharField(max_length=LONGEST_REFERENCE, blank=True, default="")
    reason = models.CharField(max_length=LONGEST_REASON, blank=True, default="")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["document_id", "partner", "office_id"],
                name="documents_acknowledgement_once",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=AcknowledgedAs.values),
                name="documents_acknowledgement_known_status",
            ),
            models.CheckConstraint(
                condition=models.Q(status=AcknowledgedAs.REJECTED) ^ models.Q(reason=""),
                name="documents_acknowledgement_rejected_has_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.document_id} {self.status}"
