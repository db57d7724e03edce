"""What happened to a company in the registry: written once, in the transaction of the change."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.db import models, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from clients.admins import TooManyClaims
from clients.signals import client_event_written
from core.dates import moment_in_words
from core.triggers import erasable

if TYPE_CHECKING:
    from accounts.models import Office, User
    from clients.models import Client


class ClientEventKind(models.TextChoices):
    ADDED = "added", _("Company added")
    CHANGED = "changed", _("Company changed")
    ARCHIVED = "archived", _("Company archived")
    RESTORED = "restored", _("Company restored from the archive")
    CONFIRMED = "confirmed", _("Company confirmed")
    CONTESTED = "contested", _("Company no longer confirmed")
    REFUSED = "refused", _("Company refused by an operator")
    ACCOUNT_REGISTERED = "account_registered", _("Bank account added")
    ACCOUNT_REMOVED = "account_removed", _("Bank account removed")
    ACCOUNT_CONFIRMED = "account_confirmed", _("Bank account confirmed")
    ACCOUNT_CONTESTED = "account_contested", _("Bank account no longer confirmed")
    ACCOUNT_REFUSED = "account_refused", _("Bank account refused by an operator")
    TRANSFER_ASKED = "transfer_asked", _("Transfer requested")
    TRANSFER_AGREED = "transfer_agreed", _("Transfer accepted")
    TRANSFER_DECLINED = "transfer_declined", _("Transfer declined")
    TRANSFER_WITHDRAWN = "transfer_withdrawn", _("Transfer withdrawn")
    MOVED = "moved", _("Company transferred")


# The Admins of the office get an e-mail; that of an agreement names the moment of the move.
ANNOUNCED_KINDS = {
    ClientEventKind.TRANSFER_ASKED,
    ClientEventKind.TRANSFER_AGREED,
    ClientEventKind.TRANSFER_DECLINED,
    ClientEventKind.TRANSFER_WITHDRAWN,
}

FIELDS = {
    "name": _("Name"),
    "code": _("Company code"),
    "language": _("Language"),
    "email": _("Email"),
}


# What an office says without proof.
CLAIMS = (ClientEventKind.ADDED, ClientEventKind.RESTORED, ClientEventKind.ACCOUNT_REGISTERED)
MOST_CLAIMS_A_DAY = 1_000


class ClientEventManager(models.Manager["ClientEvent"]):
    def check_claims(self, office: Office) -> None:
        """Raise TooManyClaims when the office has claimed as much as a day allows.

        Everything counts, whether or not it is free: so the limit tells nothing.
        """
        since = Now() - timedelta(days=1)
        made = self.filter(office=office, kind__in=CLAIMS, at__gt=since)
        if made[:MOST_CLAIMS_A_DAY].count() >= MOST_CLAIMS_A_DAY:
            raise TooManyClaims

    def write(
        self,
        client: Client,
        office: Office,
        kind: ClientEventKind,
        by: User | None,
        **details: Any,
    ) -> ClientEvent:
        """Write down for one office who did what; None is the clock.

        Names are copied, so that later changes cannot touch them.
        """
        event = self.create(
            client=client,
            office=office,
            kind=kind,
            by=by,
            by_name=str(by or "")[:120],
            client_name=client.name,
            details=details,
        )
        if kind in ANNOUNCED_KINDS:
            # The signal only wakes a worker; a sweep finds the rows that nobody heard of.
            send = partial(client_event_written.send, sender=ClientEvent, event_id=event.pk)
            transaction.on_commit(send, robust=True)
        return event


class ClientEvent(models.Model):
    """One line of the story that an office may read about a company of its own.

    What both offices of a transfer may know is written once for each.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    client = models.ForeignKey(
        "clients.Client", models.PROTECT, related_name="events", db_index=False
    )
    office = models.ForeignKey("accounts.Office", models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=18, choices=ClientEventKind.choices)
    at = models.DateTimeField(db_default=Now(), editable=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_index=False
    )
    by_name = models.CharField(max_length=120, blank=True)
    client_name = models.CharField(max_length=200)
    # Of a change each field with its old and new value; else `reason`, `iban`, `other`, `moment`.
    details = models.JSONField(default=dict)

    objects: ClassVar[ClientEventManager] = ClientEventManager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=ClientEventKind.values),
                name="clients_clientevent_known_kind",
            )
        ]
        indexes = [
            models.Index(fields=["client", "office", "-id"], name="clients_event_of_client"),
            models.Index(
                fields=["office", "at"],
                condition=models.Q(kind__in=CLAIMS),
                name="clients_event_claims",
            ),
        ]
        triggers = erasable(
            "client_events",
            "OLD.by_id IS NOT NULL AND NEW.by_name = 'Person ' || OLD.by_id",
            "by_name",
        )

    def __str__(self) -> str:
        return f"{self.kind} · {self.client_name}"

    @property
    def lines(self) -> list[str]:
        """The details as people read them."""
        if self.kind == ClientEventKind.CHANGED:
            return [
                f"{FIELDS.get(field, field)}: {old or '–'} → {new or '–'}"
                for field, (old, new) in self.details.items()
            ]
        lines = [self.details[name] for name in ("reason", "iban") if name in self.details]
        if "other" in self.details:
            words = _("To %(other)s") if self.details["leaving"] else _("From %(other)s")
            lines.append(words % self.details)
        if moment := self.moment:
            lines.append(moment_in_words(moment))
        return lines

    @property
    def moment(self) -> datetime | None:
        """From when on a transfer is wished or agreed."""
        said = self.details.get("moment")
        return datetime.fromisoformat(said) if said else None
