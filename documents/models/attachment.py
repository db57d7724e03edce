"""A file that came inside a document, such as a time sheet in an invoice."""

from __future__ import annotations

from django.contrib.postgres.indexes import HashIndex
from django.db import models

from documents.models.document import Document
from documents.models.querysets import StoredFormat


class AttachmentQuerySet(models.QuerySet["Attachment"]):
    def of(self, document_id: int) -> AttachmentQuerySet:
        """Those of one document, in the order in which they stand in its file."""
        return self.filter(document=document_id).order_by("place")


class Attachment(models.Model):
    """A file that came inside a document: the bytes lie in the storage under their SHA-256."""

    document = models.ForeignKey(Document, models.PROTECT, related_name="attachments")
    place = models.PositiveSmallIntegerField(help_text="in the file of the document")
    # Safe to save a file under, and its own among those of the document.
    name = models.CharField(max_length=140)
    media_type = models.CharField(max_length=130)
    size = models.BigIntegerField(help_text="bytes")
    sha256 = models.CharField(max_length=64)

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["document", "name"], name="documents_attachment_own_name"
            )
        ]
        # Before bytes are removed: does anything name them still?
        indexes = [HashIndex(fields=["sha256"], name="documents_attachment_by_digest")]

    def __str__(self) -> str:
        return f"{self.name} {self.sha256[:12]}"

    @property
    def as_format(self) -> StoredFormat:
        """What a download needs to know of it."""
        return StoredFormat(self.media_type, self.size, self.sha256)
