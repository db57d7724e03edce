"""What is kept of a document that was deleted for retention."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from clients.models import Client
from core.document_kinds import KIND_CHOICES, Kind
from core.triggers import append_only


class DeletionRecord(models.Model):
    """A document whose time was over: what it was, and the hash of every file that is gone."""

    uuid = models.UUIDField(unique=True)
    # The key of its row, by which the list of changes knows its place.
    document_id = models.BigIntegerField(null=True, unique=True)
    # The identifier on the wire where it is no UUID.
    public_id = models.CharField(max_length=64, null=True)
    # The office that had the company then.
    office_id = models.BigIntegerField(null=True)
    client = models.ForeignKey(Client, models.PROTECT, related_name="+")
    kind = models.SmallIntegerField(choices=KIND_CHOICES)
    natural_key = models.CharField(max_length=200)
    available_at = models.DateTimeField()
    # The media type of each format, and the name of each attachment, with its SHA-256.
    hashes = models.JSONField()
    deleted_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["client", "kind", "-id"], name="documents_deletion_list"),
            models.Index(
                fields=["office_id", "deleted_at", "available_at", "document_id"],
                name="documents_deletion_of_office",
            ),
        ]
        triggers = append_only("deletion_records")

    def __str__(self) -> str:
        return f"{Kind(self.kind).name} {self.uuid}"
