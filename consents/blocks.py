"""An office does not want to be asked by a software any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models, transaction
from django.db.models.functions import Now

if TYPE_CHECKING:
    from consents.actors import Actor
    from consents.models import Consent


class BlockedByOffice(Exception):
    """The office blocked this software: it may not ask again until the office unblocks it."""


class Block(models.Model):
    """One office, one software that may not ask it."""

    office = models.ForeignKey("accounts.Office", models.PROTECT, related_name="blocks")
    partner = models.ForeignKey("partners.Partner", models.PROTECT, related_name="+")
    blocked_at = models.DateTimeField(db_default=Now(), editable=False)
    blocked_by = models.ForeignKey("accounts.User", models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["office", "partner"], name="consents_block_once")
        ]

    def __str__(self) -> str:
        return f"{self.office} · {self.partner}"


def block(consent: Consent, by: Actor) -> None:
    """Refuse further requests of the software behind this consent; twice is as good as once.

    What was allowed stays allowed. The event stands in the story of the consent that the office
    looked at. Raises NotAnAdmin.
    """
    from consents.models import ConsentEvent, EventKind

    with transaction.atomic():
        consent.hold_admin(by)
        _put, new = Block.objects.get_or_create(
            office_id=consent.office_id,
            partner_id=consent.partner_id,
            defaults={"blocked_by": by.person},
        )
        if new:
            ConsentEvent.objects.write(consent, EventKind.BLOCKED, by)


def unblock(consent: Consent, by: Actor) -> None:
    """Let the software ask again. Raises NotAnAdmin."""
    from consents.models import ConsentEvent, EventKind

    with transaction.atomic():
        consent.hold_admin(by)
        blocks = Block.objects.filter(office_id=consent.office_id, partner_id=consent.partner_id)
        lifted, _rows = blocks.delete()
        if lifted:
            ConsentEvent.objects.write(consent, EventKind.UNBLOCKED, by)
