"""New documents of an office, which software is told about without naming a company."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models.functions import Now

from accounts.models import Office


class FiledDocuments(models.Model):
    """What one ingest batch filed at one office; the row goes as soon as software is told."""

    office = models.ForeignKey(Office, models.CASCADE, related_name="+")
    # Kind → identifier of the company → number of documents.
    counts = models.JSONField()
    at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return f"office {self.office_id} · {self.at:%Y-%m-%d %H:%M}"


class DocumentsNotice(models.Model):
    """One software is told how many documents of each kind that it can read were filed.

    They are those of one batch, and of later ones that came in before the first attempt.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    office = models.ForeignKey(Office, models.PROTECT, related_name="+")
    # Kind → number of documents.
    counts = models.JSONField()
    at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return f"office {self.office_id} · {self.at:%Y-%m-%d %H:%M}"
