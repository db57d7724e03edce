"""An office does not want to be asked by a software any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models.functions import Now

if TYPE_CHECKING:
    from consents.actors import Actor


class BlockedByOffice(Exception):
    """The office blocked this software: it may not ask again until the office unblocks it."""


class BlockQuerySet(models.QuerySet["Block"]):
    def put(self, office_id: int, partner_id: int, by: Actor) -> None:
        """Block; twice is as good as once."""
        self.get_or_create(
            office_id=office_id, partner_id=partner_id, defaults={"blocked_by": by.person}
        )

    def lift(self, office_id: int, partner_id: int) -> None:
        self.filter(office_id=office_id, partner_id=partner_id).delete()


class Block(models.Model):
    """One office, one software that may not ask it."""

    office = models.ForeignKey("accounts.Office", models.PROTECT, related_name="blocks")
    partner = models.ForeignKey("partners.Partner", models.PROTECT, related_name="+")
    blocked_at = models.DateTimeField(db_default=Now(), editable=False)
    blocked_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")

    objects = BlockQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["office", "partner"], name="consents_block_once")
        ]

    def __str__(self) -> str:
        return f"{self.office} · {self.partner}"
