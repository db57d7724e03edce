"""Which events were turned into e-mails and webhook deliveries."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from clients.models import ClientEvent
from consents.models import ConsentEvent
from partners.models import Partner


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
