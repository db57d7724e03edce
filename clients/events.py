"""What happened to a company in the registry: written once, in the transaction of the change."""

from __future__ import annotations

import uuid
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import pgtrigger
from django.conf import settings
from django.db import models, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

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


# The Admins of the office get a mail.
TOLD = {
    ClientEventKind.TRANSFER_ASKED,
    ClientEventKind.TRANSFER_AGREED,
    ClientEventKind.TRANSFER_DECLINED,
    ClientEventKind.TRANSFER_WITHDRAWN,
    ClientEventKind.MOVED,
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
            transaction.on_commit(partial(_tell, event.pk), robust=True)
        return event


def _tell(event_id: int) -> None:
    from clients.tasks import tell_admins

    tell_admins.delay(event_id)


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
    # Of a change each field with its old and new value; else `reason`, `iban`, `office`, `moment`.
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
        triggers = [
            pgtrigger.Protect(
                name="keep_client_events", operation=pgtrigger.Update | pgtrigger.Delete
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} · {self.client_name}"
