"""A document and its formats."""

from __future__ import annotations

import uuid

from django.contrib.postgres.indexes import HashIndex
from django.db import models
from django.db.models.functions import Now

from clients.models import Client
from core.document_kinds import BY_KIND, KIND_CHOICES, Kind
from documents.models.querysets import DocumentQuerySet


class Document(models.Model):
    """A file about a client, in one or more formats.

    `office` is a copy of the client's office, kept equal by a foreign key on the pair
    (client, office), so that one index answers a search and a transfer is one statement.
    `attributes` are the kind's own attributes, exactly as they stand on the wire.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    office_id = models.BigIntegerField()
    client = models.ForeignKey(Client, models.PROTECT, related_name="documents", db_index=False)
    kind = models.SmallIntegerField(choices=KIND_CHOICES)
    # The identifier on the wire where it is no UUID (credit card statements).
    public_id = models.CharField(max_length=64, null=True)
    available_at = models.DateTimeField(db_default=Now())
    attributes = models.JSONField()

    objects = DocumentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=list(BY_KIND)), name="documents_document_known_kind"
            ),
            models.UniqueConstraint(
                fields=["client", "public_id"], name="documents_document_public_id_once"
            ),
        ]
        indexes = [
            # A whole office in time order, answered from the index alone.
            models.Index(
                fields=["office_id", "kind", "available_at", "id"],
                include=["client", "uuid", "public_id", "attributes"],
                name="documents_document_of_office",
            ),
            # A few clients of a large office.
            models.Index(
                fields=["client", "kind", "available_at", "id"],
                name="documents_document_of_client",
            ),
        ]

    def __str__(self) -> str:
        return f"{Kind(self.kind).name} {self.uuid}"


class Content(models.Model):
    """One format of a document: the bytes lie in the storage under their SHA-256."""

    document = models.ForeignKey(Document, models.PROTECT, related_name="contents")
    media_type = models.CharField(max_length=60)
    size = models.BigIntegerField(help_text="bytes")
    sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["document", "media_type"], name="documents_content_one_per_format"
            )
        ]
        # Before bytes are removed: does anything name them still?
        indexes = [HashIndex(fields=["sha256"], name="documents_content_by_digest")]

    def __str__(self) -> str:
        return f"{self.media_type} {self.sha256[:12]}"
