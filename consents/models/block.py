"""The blocks of an office: software that may not ask it for a consent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models, transaction
from django.db.models.functions import Now

from consents.models.event import ConsentEvent, EventKind
from core.locks import hold, retry_deadlock
from partners.models import Partner

if TYPE_CHECKING:
    from accounts.models import Office
    from consents.actors import Actor
    from consents.models import Consent


class BlockedByOffice(Exception):
    """The office blocked this software: it may not ask again until the office unblocks it."""


class Block(models.Model):
    """One software that may not ask one office for a consent."""

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


@retry_deadlock
def block(consent: Consent, by: Actor) -> None:
    """Refuse further requests of the software of this consent; blocking twice changes nothing.

    A consent that was allowed stays allowed. The event is written to `consent`. Raises NotAnAdmin.
    """
    with transaction.atomic():
        hold(Partner, consent.partner_id)
        consent.hold_admin(by)
        _put, new = Block.objects.get_or_create(
            office_id=consent.office_id,
            partner_id=consent.partner_id,
            defaults={"blocked_by": by.person},
        )
        if new:
            ConsentEvent.objects.write(consent, EventKind.BLOCKED, by)


@retry_deadlock
def block_after_restore(office: Office, partner: Partner, by: Actor, reason: str) -> None:
    """Block the software again that was blocked when the database was lost; no Admin acts."""
    with transaction.atomic():
        hold(Partner, partner.pk)
        hold(type(office), office.pk)
        _put, new = Block.objects.get_or_create(office=office, partner=partner)
        consent = office.consents.filter(partner=partner).order_by("pk").last()
        if new and consent is not None:
            ConsentEvent.objects.write(consent, EventKind.BLOCKED, by, reason=reason)


@retry_deadlock
def unblock(consent: Consent, by: Actor) -> None:
    """Let the software ask again. Raises NotAnAdmin."""
    with transaction.atomic():
        consent.hold_admin(by)
        blocks = Block.objects.filter(office_id=consent.office_id, partner_id=consent.partner_id)
        lifted, _rows = blocks.delete()
        if lifted:
            ConsentEvent.objects.write(consent, EventKind.UNBLOCKED, by)
