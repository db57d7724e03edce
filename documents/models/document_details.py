"""How a document came in, and what its reader says of it."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from clients.models import Client
from core.document_kinds import KIND_CHOICES, Kind
from documents.models.document import Document
from documents.models.document_list import DocumentDetailsQuerySet


class DocumentDetails(models.Model):
    """How a document came in, and what its reader says of it: what the office's own lists show.

    A table of its own, because the search of the API reads `Document` alone. `office_id` follows
    the client as there. `natural_key` is what the trade calls the same paper (account, number,
    day and opening balance; supplier, number and day): a second delivery that differs is the next
    `version` of it.
    """

    document = models.OneToOneField(
        Document, models.PROTECT, primary_key=True, related_name="details"
    )
    office_id = models.BigIntegerField()
    client = models.ForeignKey(Client, models.PROTECT, related_name="+", db_index=False)
    kind = models.SmallIntegerField(choices=KIND_CHOICES)
    natural_key = models.CharField(max_length=200)
    version = models.PositiveSmallIntegerField(default=1)
    # SHA-256 of the structured file: the same bytes are taken in once.
    sha256 = models.CharField(max_length=64)
    # The account, the agency, the card; empty for invoices.
    series = models.CharField(max_length=64, blank=True)
    number = models.CharField(max_length=100)
    dated_on = models.DateField()
    counterparty = models.CharField(max_length=200, blank=True)
    currency = models.CharField(max_length=3)
    # Of an invoice what is to be paid, of a card the total, of a statement the closing balance.
    amount = models.DecimalField(max_digits=18, decimal_places=3)
    # Of a bank statement alone.
    opening = models.DecimalField(max_digits=18, decimal_places=3, null=True)
    # In small letters without accents: names, numbers and communications that people look for.
    words = models.TextField(blank=True)
    # The bank, agency, card issuer or supplier that the file comes from.
    sender = models.CharField(max_length=200, blank=True, db_default="")
    # What is odd about the file: code, line and detail; documents.formats.file_warnings has words.
    warnings = models.JSONField(default=list, db_default=[])
    # Digest of what the document says: copies that are packed in another way are taken in once.
    fingerprint = models.CharField(max_length=64, blank=True, db_default="")
    filed_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = DocumentDetailsQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["client", "kind", "natural_key", "version"],
                name="documents_details_one_per_version",
            ),
            models.UniqueConstraint(
                fields=["client", "kind", "sha256"], name="documents_details_once"
            ),
            models.UniqueConstraint(
                fields=["client", "kind", "fingerprint"],
                condition=~models.Q(fingerprint=""),
                name="documents_details_copy_once",
            ),
        ]
        indexes = [
            # With the office, which row security asks for: years are counted in the index alone.
            models.Index(
                fields=["client", "kind", "series", "-dated_on", "-document"],
                include=["office_id"],
                name="documents_details_of_series",
            ),
            # Few documents have warnings: they are counted per sender.
            models.Index(
                fields=["sender"],
                condition=~models.Q(warnings=[]),
                name="documents_details_odd_files",
            ),
            models.Index(
                fields=["client", "-dated_on", "-document"], name="documents_details_of_client"
            ),
        ]

    def __str__(self) -> str:
        return f"{Kind(self.kind).name} {self.number}"
