"""The end of the hash chain of each office."""

from __future__ import annotations

from django.db import models


class ChainHead(models.Model):
    """The end of an office's chain: how many events it has, and the hash of the last one."""

    office = models.OneToOneField("accounts.Office", models.PROTECT, related_name="chain_head")
    length = models.BigIntegerField(default=0)
    event_hash = models.CharField(max_length=64, blank=True, default="")
    # How many of its events stand in the log of all offices (consents.evidence.checkpoints).
    logged = models.BigIntegerField(db_default=0)

    def __str__(self) -> str:
        return f"{self.office}: {self.length}"
