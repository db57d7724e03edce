"""The log of all consent events in one order, and its signed states."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from core.triggers import append_only, erasable


class LogEntry(models.Model):
    """The place of an event in the log: the log only grows, and has no gaps."""

    position = models.BigIntegerField(primary_key=True)
    event = models.OneToOneField("consents.ConsentEvent", models.PROTECT, related_name="log_entry")

    class Meta:
        verbose_name_plural = "log entries"
        triggers = append_only("log_entries")

    def __str__(self) -> str:
        return str(self.position)


class LogCheckpoint(models.Model):
    """The state of the log at one moment, signed; `edge` is what the next one goes on from."""

    size = models.BigIntegerField(primary_key=True)
    edge = ArrayField(models.CharField(max_length=64))
    note = models.TextField()
    made_at = models.DateTimeField(db_default=Now(), editable=False)
    # When the place outside the database had it.
    delivered_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        triggers = erasable(
            "checkpoints",
            "OLD.delivered_at IS NULL AND NEW.delivered_at IS NOT NULL",
            "delivered_at",
        )

    def __str__(self) -> str:
        return str(self.size)
