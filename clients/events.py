"""What happened to a company in the registry: written once, in the transaction of the change."""

from __future__ import annotations

import uuid
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.db import models, transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from accounts.triggers import erasable
from clients.signals import client_told

if TYPE_CHECKING:
    from accounts.models import Office, User
    from clients.models import Client


class ClientEventKind(models.TextChoices):
    ADDED = "added", _("Company added")
    CHANGED = "changed", _("Company changed")
    ARCHIVED = "archived", _("Company archived")
    RESTORED = "restored", _("Company taken back from the archive")
    ACCOUNT_REGISTERED = "account_registered", _("Bank account registered")
    ACCOUNT_REMOVED = "account_removed", _("Bank account removed")
    TRANSFER_ASKED = "transfer_asked", _("Transfer asked")
    TRANSFER_AGREED = "transfer_agreed", _("Transfer agreed")
    TRANSFER_DECLINED = "transfer_declined", _("Transfer declined")
    TRANSFER_WITHDRAWN = "transfer_withdrawn", _("Transfer withdrawn")
    MOVED = "moved", _("Company moved")


# The Admins of the office get a mail; that of an agreement names the moment of the move.
TOLD = {
    ClientEventKind.TRANSFER_ASKED,
    ClientEventKind.TRANSFER_AGREED,
    ClientEventKind.TRANSFER_DECLINED,
    ClientEventKind.TRANSFER_WITHDRAWN,
}

FIELDS = {
    "name": _("Name"),
    "code": _("Company code"),
    "language": _("Language"),
    "email": _("E-mail"),
}


class ClientEventManager(models.Manager["ClientEvent"]):
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
        if kind in TOLD:
            # Only a bell: the event row is what must be told, and a sweep finds what nobody heard.
            ring = partial(client_told.send, sender=ClientEvent, event_id=event.pk)
            transaction.on_commit(ring, robust=True)
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
        told = [self.details[name] for name in ("reason", "iban") if name in self.details]
        if "other" in self.details:
            words = _("To %(other)s") if self.details["leaving"] else _("From %(other)s")
            told.append(words % self.details)
        if moment := self.moment:
            told.append(date_format(timezone.localtime(moment), "DATETIME_FORMAT"))
        return told

    @property
    def moment(self) -> datetime | None:
        """From when on a transfer is wished or agreed."""
        said = self.details.get("moment")
        return datetime.fromisoformat(said) if said else None
