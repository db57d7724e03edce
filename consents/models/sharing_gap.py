"""The times in which software could not read a company, or a kind, of an office."""

from __future__ import annotations

from django.db import models

from accounts.models import Office
from clients.models import Client
from core.document_kinds import TYPE_CHOICES
from partners.models import Partner


class SharingGap(models.Model):
    """A time in which an office did not share one company, or one kind, with one software.

    The office left it out, or the company was with another office. What arrived meanwhile becomes
    readable when the gap ends, so a search finds it then. Rows belong to the pair of office and
    software, because software keeps its last `to` when a consent follows another.
    """

    office = models.ForeignKey(Office, models.PROTECT, related_name="+", db_index=False)
    # Written last, behind the consent. The check of a foreign key would lock software and company
    # there, against the order of locks. Neither goes away: nobody deletes what has documents or
    # consents.
    partner = models.ForeignKey(
        Partner, models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    client = models.ForeignKey(
        Client, models.PROTECT, null=True, related_name="+", db_constraint=False
    )
    kind = models.CharField(max_length=24, choices=TYPE_CHOICES, blank=True, default="")
    # None: it was never shared before. No search ever ended behind `since` while it was shared.
    since = models.DateTimeField(null=True)
    # From here on what was readable is hidden; no answer ended behind it before the gap was known.
    # None where nothing was readable.
    hidden_at = models.DateTimeField(null=True)
    # None: the gap goes on.
    until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(client=None) ^ models.Q(kind=""),
                name="consents_sharinggap_company_or_kind",
            ),
            models.UniqueConstraint(
                fields=["office", "partner", "client", "kind"],
                condition=models.Q(until=None),
                nulls_distinct=False,
                name="consents_sharinggap_one_open",
            ),
        ]
        indexes = [
            # Each search asks whether a gap ended since its `from`.
            models.Index(fields=["office", "partner", "until"], name="consents_sharinggap_ended"),
        ]

    def __str__(self) -> str:
        return f"{self.client_id or self.kind}: {self.since} to {self.until}"
