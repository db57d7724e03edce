"""Who must be told? The event row is the outbox; these rows say who was told already."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Self

from django.db import models
from django.db.models.functions import Now

from accounts.models import User
from clients.models import ClientEvent
from consents.models import ConsentEvent
from notifications.webhook_endpoints import Delivery, WebhookEndpoint
from notifications.webhook_keys import WebhookKey
from partners.models import Partner

__all__ = ["Delivery", "WebhookEndpoint", "WebhookKey"]

# After that a mail is no news any more; a mail server may be away that long.
GIVE_UP_AFTER = timedelta(hours=72)


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


class Due(models.QuerySet[Any]):
    def due(self) -> Self:
        return self.filter(sent_at=None, given_up_at=None, next_at__lte=Now())


class Letter(models.Model):
    """One mail to one person about one event; at most one, whoever tries how often."""

    person = models.ForeignKey(User, models.PROTECT, related_name="+")
    made_at = models.DateTimeField(db_default=Now(), editable=False)
    next_at = models.DateTimeField(db_default=Now())
    attempts = models.PositiveIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    given_up_at = models.DateTimeField(null=True)

    objects = Due.as_manager()

    class Meta:
        abstract = True

    def sent(self) -> None:
        type(self)._default_manager.filter(pk=self.pk).update(
            sent_at=Now(), attempts=self.attempts + 1
        )

    def failed(self) -> None:
        """Try again later: after 1, 2, 4 … 64 minutes, and so on for three days."""
        wait = timedelta(minutes=2 ** min(self.attempts, 6))
        row = type(self)._default_manager.filter(pk=self.pk)
        row.update(attempts=self.attempts + 1, next_at=Now() + wait)
        row.filter(made_at__lte=Now() - GIVE_UP_AFTER).update(given_up_at=Now())


def rules(name: str) -> tuple[list[models.BaseConstraint], list[models.Index]]:
    """What the database keeps of a table of letters: one per event and person, and one end."""
    once = models.UniqueConstraint(fields=["event", "person"], name=f"notifications_{name}_once")
    ends = models.CheckConstraint(
        condition=models.Q(sent_at=None) | models.Q(given_up_at=None),
        name=f"notifications_{name}_ends_once",
    )
    due = models.Index(
        fields=["next_at"],
        condition=models.Q(sent_at=None, given_up_at=None),
        name=f"notifications_{name}_due",
    )
    return [once, ends], [due]


class Mail(Letter):
    """A letter about a consent."""

    event = models.ForeignKey(ConsentEvent, models.PROTECT, related_name="+")

    class Meta:
        constraints, indexes = rules("mail")

    def __str__(self) -> str:
        return f"{self.event_id} → {self.person_id}"


class CompanyMail(Letter):
    """A letter about a company that changes its office."""

    event = models.ForeignKey(ClientEvent, models.PROTECT, related_name="+")

    class Meta:
        constraints, indexes = rules("companymail")

    def __str__(self) -> str:
        return f"{self.event_id} → {self.person_id}"
