"""The address to which accounting software wants webhooks, and every delivery to it."""

from __future__ import annotations

import random
import uuid
from datetime import timedelta
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from consents.models import ConsentEvent, EventKind
from core.public_address import address_in, is_public
from notifications.models.documents_notice import DocumentsNotice
from partners.models import Partner

# The name of each event in webhooks and in the event feed. Other events are not sent.
EVENT_NAMES: dict[str, str] = {
    EventKind.ALLOWED: "confirmed",
    EventKind.DENIED: "denied",
    EventKind.CANCELLED: "cancelled",
    EventKind.PAUSED: "paused",
    EventKind.RESUMED: "resumed",
    EventKind.LAPSED: "lapsed",
    # Only while the consent is allowed, see `notifications.fan_out`.
    EventKind.NARROWED: "scopeChanged",
    EventKind.WIDENED: "scopeChanged",
}
# The wait after the first attempt, the second …; the last wait repeats until GIVE_UP_AFTER.
WAITS = [timedelta(minutes=m) for m in (0.5, 2, 10, 30, 60, 120, 240, 480, 720, 960)]
GIVE_UP_AFTER = timedelta(hours=72)
LONGEST_WAIT = timedelta(hours=24)
LONGEST_ADDRESS = 2000
# Longer than any attempt takes. After that, another worker takes over from a killed one.
LEASE = timedelta(seconds=60)


class OffReason(models.TextChoices):
    GONE = "gone", _("The receiver replied with 410 Gone")
    OPERATOR = "operator", _("Switched off by an operator")
    PARTNER = "partner", "Switched off by the software"
    REMOVED = "removed", "Removed by the software"


def check_address(url: str) -> None:
    """Raise ValidationError unless webhooks may go there. Host names are looked up on sending."""
    parts = urlsplit(url)
    schemes = ("https", "http") if settings.PORTAL_WEBHOOKS_ALLOW_LOOPBACK else ("https",)
    if parts.scheme not in schemes or not parts.hostname:
        raise ValidationError(_("Enter an address that starts with https://."))
    if parts.username is not None or parts.password is not None or "#" in url:
        raise ValidationError(_("Enter the address without a user name, a password or a #."))
    address = address_in(parts.hostname)
    if address is None or is_public(address):
        return
    if not (settings.PORTAL_WEBHOOKS_ALLOW_LOOPBACK and ip_address(address).is_loopback):
        raise ValidationError(_("Enter an address on the public internet."), code="not_public")


class EndpointQuerySet(models.QuerySet["WebhookEndpoint"]):
    def on(self) -> EndpointQuerySet:
        return self.filter(off_at=None)

    def of_partner(self, partner_id: int) -> WebhookEndpoint | None:
        """Return the endpoint of a partner, unless the software removed it."""
        mine = self.filter(partner=partner_id).exclude(off_reason=OffReason.REMOVED)
        return mine.select_related("partner").first()

    def register(self, partner_id: int, url: str, *, is_on: bool) -> tuple[WebhookEndpoint, bool]:
        """Save what the software wants; return the endpoint, and whether it is new.

        What an operator switched off stays off until an operator switches it on.
        """
        with transaction.atomic():
            _row, created = self.get_or_create(partner_id=partner_id, defaults={"url": url})
            endpoint = (
                self.select_related("partner")
                .select_for_update(of=("self",))
                .get(partner=partner_id)
            )
            was_removed = endpoint.off_reason == OffReason.REMOVED
            endpoint.url = url
            if was_removed:
                endpoint.secret_version += 1
                endpoint.secret_shown_at = None
            endpoint.save(update_fields=["url", "secret_version", "secret_shown_at"])
            if (is_on or was_removed) and endpoint.off_reason != OffReason.OPERATOR:
                endpoint.switch_on()
            if not is_on:
                endpoint.switch_off(OffReason.PARTNER)
            endpoint.refresh_from_db(fields=["off_at", "off_reason", "flagged_at"])
        return endpoint, created or was_removed


class WebhookEndpoint(models.Model):
    """The one address that receives the webhooks of a partner, from one worker at a time."""

    partner = models.OneToOneField(Partner, models.PROTECT, related_name="webhook_endpoint")
    url = models.CharField(_("address"), max_length=LONGEST_ADDRESS, validators=[check_address])
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    # The secret follows from the identifier and this number; a new number makes a new secret.
    secret_version = models.PositiveIntegerField(default=1, editable=False)
    # The secret is shown once: in the first answer of the API, or to an operator.
    secret_shown_at = models.DateTimeField(null=True, editable=False)
    # While a test event is on its way, so that there is one at a time.
    testing_until = models.DateTimeField(null=True, editable=False)
    busy_until = models.DateTimeField(null=True, editable=False)
    off_at = models.DateTimeField(null=True, editable=False)
    off_reason = models.CharField(
        max_length=8, choices=OffReason.choices, blank=True, default="", editable=False
    )
    # Since when the endpoint has had an event that it did not take within three days.
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
        """Reserve the endpoint for this worker. Return False while another worker has it."""
        free = Q(busy_until=None) | Q(busy_until__lte=Now())
        mine = WebhookEndpoint.objects.on().filter(free, pk=self.pk)
        return bool(mine.update(busy_until=Now() + LEASE))

    def extend_lease(self) -> None:
        """Go on reserving it, unless it was switched off meanwhile."""
        mine = WebhookEndpoint.objects.filter(pk=self.pk, busy_until__isnull=False)
        mine.update(busy_until=Now() + LEASE)

    def release(self) -> None:
        WebhookEndpoint.objects.filter(pk=self.pk).update(busy_until=None)

    def begin_test(self) -> bool:
        """Reserve the endpoint for one test event. Return False while another one is on its way."""
        free = Q(testing_until=None) | Q(testing_until__lte=Now())
        mine = WebhookEndpoint.objects.filter(free, pk=self.pk)
        return bool(mine.update(testing_until=Now() + LEASE))

    def end_test(self) -> None:
        WebhookEndpoint.objects.filter(pk=self.pk).update(testing_until=None)

    def may_show_secret(self) -> bool:
        """Return True once for each secret; of two callers at the same moment for one of them."""
        mine = WebhookEndpoint.objects.filter(
            pk=self.pk, secret_version=self.secret_version, secret_shown_at=None
        )
        return bool(mine.update(secret_shown_at=Now()))

    def renew_secret(self, version: int) -> bool:
        """Replace the secret; False where it is not `version` any more, as after a double click."""
        mine = WebhookEndpoint.objects.filter(pk=self.pk, secret_version=version)
        done = bool(mine.update(secret_version=version + 1, secret_shown_at=Now()))
        self.refresh_from_db(fields=["secret_version", "secret_shown_at"])
        return done

    def switch_off(self, reason: OffReason) -> bool:
        """Stop sending to this endpoint and give up what is due. Return whether it was on.

        The software can still read the events in the event feed.
        """
        mine = WebhookEndpoint.objects.on().filter(pk=self.pk)
        done = bool(mine.update(off_at=Now(), off_reason=reason, busy_until=None))
        if done:
            self.deliveries.open().update(given_up_at=Now())
        return done

    def remove(self) -> None:
        """Stop sending because the software wants no webhooks any more; keep what was sent.

        What an operator switched off stays so, or the software could switch it on again.
        """
        if not self.switch_off(OffReason.REMOVED):
            mine = WebhookEndpoint.objects.filter(pk=self.pk)
            mine.exclude(off_reason__in=["", OffReason.OPERATOR]).update(
                off_reason=OffReason.REMOVED
            )

    def switch_on(self) -> None:
        WebhookEndpoint.objects.filter(pk=self.pk).update(
            off_at=None, off_reason="", flagged_at=None
        )


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def open(self) -> DeliveryQuerySet:
        return self.filter(delivered_at=None, given_up_at=None)

    def due(self) -> DeliveryQuerySet:
        """Return what may be sent now: for each consent the oldest event not delivered yet."""
        earlier = Delivery.objects.open().filter(
            endpoint=OuterRef("endpoint"),
            event__consent=OuterRef("event__consent"),
            event__lt=OuterRef("event"),
        )
        # An earlier event that was not fanned out yet, because no worker was woken for it.
        missed = ConsentEvent.objects.filter(
            consent=OuterRef("event__consent"),
            pk__lt=OuterRef("event"),
            kind__in=EVENT_NAMES,
            at__gt=OuterRef("endpoint__created_at"),
            fan_out=None,
        )
        waiting = self.open().filter(next_at__lte=Now(), endpoint__off_at=None)
        return waiting.exclude(Exists(earlier)).exclude(Exists(missed)).order_by("event", "pk")


class Delivery(models.Model):
    """One event, or one notice of new documents, for one endpoint.

    It can be sent twice, always with the same identifier.
    """

    endpoint = models.ForeignKey(WebhookEndpoint, models.PROTECT, related_name="deliveries")
    event = models.ForeignKey(ConsentEvent, models.PROTECT, null=True, related_name="+")
    notice = models.OneToOneField(DocumentsNotice, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    next_at = models.DateTimeField(db_default=Now())
    # The trace in which it was made, as the header of W3C has it: all attempts belong to it.
    traceparent = models.CharField(max_length=55, blank=True, db_default="")
    attempts = models.PositiveIntegerField(default=0)
    # The last answer of the receiver: a status, or the reason why there is none.
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
                condition=Q(event=None) ^ Q(notice=None), name="notifications_delivery_of_one_thing"
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
        return f"{self.event_id or self.notice} → {self.endpoint_id}"

    @property
    def message(self) -> ConsentEvent | DocumentsNotice:
        """What is sent."""
        message = self.event or self.notice
        assert message is not None, "see the constraint"  # noqa: S101
        return message

    def begin(self) -> bool:
        """Count the attempt before it starts: if this worker dies, the next attempt has to wait.

        Return False where it is open no more: a newer notice took its place.
        """
        mine = Delivery.objects.open().filter(pk=self.pk)
        if not mine.update(attempts=self.attempts + 1, next_at=Now() + LEASE):
            return False
        self.attempts += 1
        if self.notice:
            # Until now, more documents may have been counted in.
            self.notice.refresh_from_db(fields=["counts"])
        return True

    def give_up(self) -> None:
        Delivery.objects.open().filter(pk=self.pk).update(given_up_at=Now())

    def delivered(self, answer: str) -> None:
        mine = Delivery.objects.filter(pk=self.pk, given_up_at=None)
        mine.update(delivered_at=Now(), answer=answer[:100])

    def failed(self, answer: str, retry_after: timedelta | None = None) -> bool:
        """Schedule the next attempt, each time later. Return whether three days are over."""
        step = WAITS[min(self.attempts, len(WAITS)) - 1]
        wait = max(step * random.uniform(0.8, 1.2), retry_after or timedelta(0))  # noqa: S311
        mine = Delivery.objects.open().filter(pk=self.pk)
        mine.update(answer=answer[:100], next_at=Now() + min(wait, LONGEST_WAIT))
        over = mine.filter(created_at__lte=Now() - GIVE_UP_AFTER, attempts__gte=len(WAITS))
        return bool(over.update(given_up_at=Now()))

    def send_again(self) -> None:
        """Send the event once more, with the same identifier, whatever came of it before."""
        again = {"delivered_at": None, "given_up_at": None, "next_at": Now(), "created_at": Now()}
        Delivery.objects.filter(pk=self.pk).update(**again, attempts=0, answer="")
