"""Which files, and who fetched them?"""

from __future__ import annotations

import uuid

from django.contrib.postgres.indexes import HashIndex
from django.db import models
from django.db.models.functions import Now

from accounts.triggers import append_only
from clients.models import Client
from documents.filings import FilingQuerySet
from documents.formats import Reason
from documents.querysets import DocumentQuerySet


class Kind(models.IntegerChoices):
    """The kinds of documents as the table stores them; `documents.kinds` knows the rest."""

    BANK_ACCOUNT_STATEMENT = 1
    PAYROLL_STATEMENT = 2
    CREDIT_CARD_STATEMENT = 3
    PURCHASE_INVOICE = 4
    SALES_INVOICE = 5


class Document(models.Model):
    """A file about a client, in one or more formats.

    `office` is a copy of the client's office, kept equal by a foreign key on the pair
    (client, office), so that one index answers a search and a transfer is one statement.
    `attributes` are the kind's own attributes, exactly as they stand on the wire.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    office_id = models.BigIntegerField()
    client = models.ForeignKey(Client, models.PROTECT, related_name="documents", db_index=False)
    kind = models.SmallIntegerField(choices=Kind.choices)
    # The identifier on the wire where it is no UUID (credit card statements).
    public_id = models.CharField(max_length=64, null=True)
    available_at = models.DateTimeField(db_default=Now())
    attributes = models.JSONField()

    objects = DocumentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=Kind.values), name="documents_document_known_kind"
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


class Filing(models.Model):
    """How a document came in, and what its reader says of it: what the office's own lists show.

    A table of its own, because the search of the API reads `Document` alone. `office_id` follows
    the client as there. `natural_key` is what the trade calls the same paper (account, year and
    number; supplier and number): a second delivery that differs is the next `version` of it.
    """

    document = models.OneToOneField(
        Document, models.PROTECT, primary_key=True, related_name="filing"
    )
    office_id = models.BigIntegerField()
    client = models.ForeignKey(Client, models.PROTECT, related_name="+", db_index=False)
    kind = models.SmallIntegerField(choices=Kind.choices)
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
    # In lower case: names, numbers and communications that people look for.
    words = models.TextField(blank=True)
    filed_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = FilingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["client", "kind", "natural_key", "version"],
                name="documents_filing_one_per_version",
            ),
            models.UniqueConstraint(
                fields=["client", "kind", "sha256"], name="documents_filing_once"
            ),
        ]
        indexes = [
            # With the office, which row security asks for: years are counted in the index alone.
            models.Index(
                fields=["client", "kind", "series", "-dated_on", "-document"],
                include=["office_id"],
                name="documents_filing_of_series",
            ),
            models.Index(
                fields=["client", "-dated_on", "-document"], name="documents_filing_of_client"
            ),
        ]

    def __str__(self) -> str:
        return f"{Kind(self.kind).name} {self.number}"


class QuarantineState(models.TextChoices):
    WAITING = "waiting"
    FILED = "filed"
    DISCARDED = "discarded"


class Quarantined(models.Model):
    """A file that was refused or could not be filed: its bytes are kept, so it can be replayed."""

    sha256 = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=255)
    size = models.BigIntegerField(help_text="bytes")
    reason = models.CharField(max_length=20, choices=[(r.value, r.value) for r in Reason])
    detail = models.CharField(max_length=500)
    line = models.PositiveIntegerField(null=True)
    state = models.CharField(
        max_length=9, choices=QuarantineState.choices, default=QuarantineState.WAITING
    )
    received_at = models.DateTimeField(db_default=Now(), editable=False)
    tried_at = models.DateTimeField(db_default=Now())
    tries = models.PositiveIntegerField(default=1)

    class Meta:
        verbose_name_plural = "quarantine"
        indexes = [models.Index(fields=["state", "-id"], name="documents_quarantine_list")]

    def __str__(self) -> str:
        return f"{self.reason} {self.name}"

    def replay(self) -> bool:
        """Take it in again, because what was missing may be there now; tell whether it was filed.

        Raises documents.storage.Damaged when the kept bytes are not what they were.
        """
        from documents.ingest import replay  # which needs these models

        return self.state == QuarantineState.WAITING and not replay(self)

    def discard(self) -> bool:
        """Give it up: its bytes go with the next sweep. Tell whether it was waiting."""
        waiting = Quarantined.objects.filter(pk=self.pk, state=QuarantineState.WAITING)
        return bool(waiting.update(state=QuarantineState.DISCARDED, tried_at=Now()))


class Tombstone(models.Model):
    """A document whose time was over: what it was, and the hash of every file that is gone."""

    uuid = models.UUIDField(unique=True)
    client = models.ForeignKey(Client, models.PROTECT, related_name="+")
    kind = models.SmallIntegerField(choices=Kind.choices)
    natural_key = models.CharField(max_length=200)
    available_at = models.DateTimeField()
    # Media type: SHA-256.
    hashes = models.JSONField()
    buried_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["client", "kind", "-id"], name="documents_tombstone_list"),
        ]
        triggers = append_only("tombstones")

    def __str__(self) -> str:
        return f"{Kind(self.kind).name} {self.uuid}"


class Publication(models.Model):
    """A batch of documents on its way into the tables; see documents.publication."""

    started_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"since {self.started_at}"


class Outcome(models.TextChoices):
    SERVED = "served"
    REFUSED = "refused"
    CUT = "cut"


class DocumentRead(models.Model):
    """A document was fetched, refused, or cut off: written once, never changed.

    Identifiers without foreign keys: the row must outlive what it tells about, and be cheap.
    """

    at = models.DateTimeField(db_default=Now())
    office_id = models.BigIntegerField()
    consent_id = models.BigIntegerField()
    application_id = models.BigIntegerField()
    document_id = models.BigIntegerField(null=True)
    media_type = models.CharField(max_length=60)
    size = models.BigIntegerField(help_text="bytes sent")
    outcome = models.CharField(max_length=7, choices=Outcome.choices)
    reason = models.CharField(max_length=30, blank=True, db_default="")

    class Meta:
        indexes = [
            models.Index(fields=["office_id", "-id"], name="documents_read_of_office"),
            models.Index(fields=["document_id", "-id"], name="documents_read_of_document"),
        ]
        triggers = append_only("reads")

    def __str__(self) -> str:
        return f"{self.outcome} {self.media_type}"
