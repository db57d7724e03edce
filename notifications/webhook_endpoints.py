"""Where a software wants to be told, and what was told there."""

from __future__ import annotations

import random
from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from consents.models import ConsentEvent, EventKind
from partners.models import Partner

# How an event is called on the wire; what is not here is not told.
NAMES: dict[str, str] = {
    EventKind.ALLOWED: "confirmed",
    EventKind.DENIED: "denied",
    EventKind.CANCELLED: "cancelled",
    EventKind.PAUSED: "paused",
    EventKind.RESUMED: "resumed",
    EventKind.LAPSED: "lapsed",
}
# After the first, the second … try; the last one again and again until three days are over.
WAITS = [timedelta(minutes=m) for m in (0.5, 2, 10, 30, 60, 120, 240, 480, 720, 960)]
GIVE_UP_AFTER = timedelta(hours=72)
LONGEST_WAIT = timedelta(hours=24)
# Longer than any try takes; after that a killed worker's work is taken over.
LEASE = timedelta(seconds=60)


class OffReason(models.TextChoices):
    GONE = "gone", _("The receiver answered 410 Gone")
    OPERATOR = "operator", _("Switched off by an operator")


def check_address(url: str) -> None:
    """Raise ValidationError unless webhooks may go there; names are looked up when we send."""
    parts = urlsplit(url)
    schemes = ("https", "http") if settings.PORTAL_WEBHOOKS_ALLOW_LOOPBACK else ("https",)
    if parts.scheme not in schemes or not parts.hostname:
        raise ValidationError(_("An address that begins with https://."))
    if parts.username is not None or parts.password is not None or "#" in url:
        raise ValidationError(_("Without a user name, a password or a #."))


class EndpointQuerySet(models.QuerySet["WebhookEndpoint"]):
    def on(self) -> EndpointQuerySet:
        return self.filter(off_at=None)


class WebhookEndpoint(models.Model):
    """The one address at which a partner is told; one worker at a time speaks to it."""

    partner = models.OneToOneField(Partner, models.PROTECT, related_name="webhook_endpoint")
    url = models.CharField(_("address"), max_length=2000, validators=[check_address])
    made_at = models.DateTimeField(db_default=Now(), editable=False)
    busy_until = models.DateTimeField(null=True, editable=False)
    off_at = models.DateTimeField(null=True, editable=False)
    off_reason = models.CharField(
        max_length=8, choices=OffReason.choices, blank=True, default="", editable=False
    )
    # Since when an event could not be told within three days.
    flagged_at = models.DateTimeField(null=True, editable=False)

    objects = EndpointQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(off_at=None, off_reason="") | (~Q(off_at=None) & ~Q(off_reason="")),
                name="notifications_endpoint_off_for_a_reason",
            )
        ]

    def __str__(self) -> str:
        return self.url

    def lease(self) -> bool:
        """Take the endpoint for this worker; False while another one has it."""
        free = Q(busy_until=None) | Q(busy_until__lte=Now())
        mine = WebhookEndpoint.objects.on().filter(free, pk=self.pk)
        return bool(mine.update(busy_until=Now() + LEASE))

    def release(self) -> None:
        WebhookEndpoint.objects.filter(pk=self.pk).update(busy_until=None)

    def switch_off(self, reason: OffReason) -> bool:
        """Send nothing there any more; what waits is left to the feed. True if it was on."""
        mine = WebhookEndpoint.objects.on().filter(pk=self.pk)
        done = bool(mine.update(off_at=Now(), off_reason=reason, busy_until=None))
        if done:
            self.deliveries.open().update(given_up_at=Now())
        return done

    def switch_on(self) -> None:
        WebhookEndpoint.objects.filter(pk=self.pk).update(
            off_at=None, off_reason="", flagged_at=None
        )


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def open(self) -> DeliveryQuerySet:
        return self.filter(delivered_at=None, given_up_at=None)

    def due(self) -> DeliveryQuerySet:
        """What may be sent now: of each consent the oldest event that is not told yet."""
        earlier = Delivery.objects.open().filter(
            endpoint=OuterRef("endpoint"),
            event__consent=OuterRef("event__consent"),
            event__lt=OuterRef("event"),
        )
        # An earlier event whose delivery is not made yet: its bell was missed.
        unheard = ConsentEvent.objects.filter(
            consent=OuterRef("event__consent"),
            pk__lt=OuterRef("event"),
            kind__in=NAMES,
            at__gt=OuterRef("endpoint__made_at"),
            fan_out=None,
        )
        waiting = self.open().filter(next_at__lte=Now(), endpoint__off_at=None)
        return waiting.exclude(Exists(earlier)).exclude(Exists(unheard)).order_by("event")


class Delivery(models.Model):
    """One event told to one endpoint: at least once, always with the identifier of the event."""

    endpoint = models.ForeignKey(WebhookEndpoint, models.PROTECT, related_name="deliveries")
    event = models.ForeignKey(ConsentEvent, models.PROTECT, related_name="+")
    made_at = models.DateTimeField(db_default=Now(), editable=False)
    next_at = models.DateTimeField(db_default=Now())
    attempts = models.PositiveIntegerField(default=0)
    # What the receiver answered last: a status, or why there was none.
    answer = models.CharField(max_length=100, blank=True, default="")
    delivered_at = models.DateTimeField(null=True)
    given_up_at = models.DateTimeField(null=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint", "event"], name="notifications_delivery_once"
            ),
            models.CheckConstraint(
                condition=Q(delivered_at=None) | Q(given_up_at=None),
                name="notifications_delivery_ends_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["endpoint", "event"],
                condition=Q(delivered_at=None, given_up_at=None),
                name="notifications_delivery_open",
            )
        ]

    def __str__(self) -> str:
        return f"{self.event_id} → {self.endpoint_id}"

    def begin(self) -> None:
        """Count the try before it: should this worker die, the next one is not at once."""
        Delivery.objects.filter(pk=self.pk).update(
            attempts=self.attempts + 1, next_at=Now() + LEASE
        )
        self.attempts += 1

    def delivered(self, answer: str) -> None:
        mine = Delivery.objects.filter(pk=self.pk, given_up_at=None)
        mine.update(delivered_at=Now(), answer=answer[:100])

    def failed(self, answer: str, retry_after: timedelta | None = None) -> bool:
        """Try again later, in ever longer steps; True when three days are over."""
        step = WAITS[min(self.attempts, len(WAITS)) - 1]
        wait = max(step * random.uniform(0.8, 1.2), retry_after or timedelta(0))  # noqa: S311
        mine = Delivery.objects.open().filter(pk=self.pk)
        mine.update(answer=answer[:100], next_at=Now() + min(wait, LONGEST_WAIT))
        over = mine.filter(made_at__lte=Now() - GIVE_UP_AFTER, attempts__gte=len(WAITS))
        return bool(over.update(given_up_at=Now()))

    def send_again(self) -> None:
        """Tell it once more, with the same identifier, whatever came of it before."""
        again = {"delivered_at": None, "given_up_at": None, "next_at": Now(), "made_at": Now()}
        Delivery.objects.filter(pk=self.pk).update(**again, attempts=0, answer="")
