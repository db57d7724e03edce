"""The index by which an office searches all its documents at once."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from documents.models.document_details import DocumentDetails


class SearchEntry(models.Model):
    """The words of one document as numbers, kept by a trigger on its details.

    Each number is a hash of the office, the month and the word. So the database finds the newest
    documents of one office without reading those of others, and this table tells nothing that
    row security hides: whoever finds a document here still has to read it there.
    """

    document = models.OneToOneField(
        DocumentDetails, models.DO_NOTHING, primary_key=True, related_name="+", db_constraint=False
    )
    words = ArrayField(models.IntegerField())

    class Meta:
        # Every search reads what waits to be merged into the index: 64 kB are enough.
        indexes = [
            GinIndex(
                fields=["words"],
                name="documents_search_words",
                fastupdate=True,
                gin_pending_list_limit=64,
            )
        ]

    def __str__(self) -> str:
        return f"words of {self.pk}"
