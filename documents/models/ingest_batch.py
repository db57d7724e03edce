"""A batch of documents that is being ingested."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class IngestBatch(models.Model):
    """A batch that has not committed yet; see documents.ingest.visibility_horizon."""

    started_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"since {self.started_at}"
