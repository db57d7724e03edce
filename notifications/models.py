"""Who must be told? The event row is the outbox; these rows say who was told already."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models.functions import Now

from accounts.models import User
from accounts.outbox import Outgoing, OutgoingQuerySet
from clients.models import ClientEvent
from consents.models import ConsentEvent
from notifications.webhook_endpoints import Delivery, WebhookEndpoint
from notifications.webhook_keys import WebhookKey
from partners.models import Partner

__all__ = ["Delivery", "WebhookEndpoint", "WebhookKey"]


class FanOut(models.Model):
    """This event was turned into its mails and deliveries: once, in one transaction with them.

    The rows of this table are made one after the other, so their order is that of the commits:
    the place of an event in the feed of its partner.
    """

    event = models.OneToOneField(ConsentEvent, models.PROTECT, related_name="fan_out")
    # The software whose feed has this event; null where it is none of its business.
    partner = models.ForeignKey(Partner, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        indexes = [models.Index(fields=["partner", "id"], name="notifications_feed")]

    def __str__(self) -> str:
        return f"event {self.event_id}"


class CompanyFanOut(models.Model):
    """This event of a company was turned into its mails: once, in one transaction with them."""

    event = models.OneToOneField(ClientEvent, models.PROTECT, related_name="fan_out")
    at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return f"event {self.event_id}"


class ToPerson(Outgoing):
    """A mail to one person about one event; at most one, whoever tries how often."""

    event_id: int  # each table has its own kind of event
    person = models.ForeignKey(User, models.PROTECT, related_name="+")

    objects: ClassVar[Any] = OutgoingQuerySet.as_manager()

    class Meta(Outgoing.Meta):
        abstract = True
        constraints = [
            *Outgoing.Meta.constraints,
            models.UniqueConstraint(
                fields=["event", "person"], name="%(app_label)s_%(class)s_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} → {self.person_id}"


class Mail(ToPerson):
    """A mail about a consent."""

    event = models.ForeignKey(ConsentEvent, models.PROTECT, related_name="+")


class CompanyMail(ToPerson):
    """A mail about a company that changes its office."""

    event = models.ForeignKey(ClientEvent, models.PROTECT, related_name="+")
