"""Turn an event into the e-mails and the webhook delivery that tell people and software of it."""

from __future__ import annotations

from contextlib import suppress

from celery import shared_task
from django.db import IntegrityError, connection, transaction

from clients.models.event import ClientEvent
from consents.models import ConsentEvent, EventKind
from core.jobs import delay_after_commit
from core.telemetry import telemetry
from notifications.emails import send_consent_emails, send_transfer_emails
from notifications.models import (
    CompanyFanOut,
    Delivery,
    FanOut,
    WebhookEndpoint,
)
from notifications.models.webhook_endpoint import EVENT_NAMES
from notifications.webhooks.endpoints import deliver

# The advisory lock that is held while an event gets its place in the event feed.
FEED_LOCK = 20_002


def is_for_software(event: ConsentEvent) -> bool:
    """Return whether the software hears of this event.

    A change of the scope of an open request is no news for it: it cannot read anything yet.
    """
    if event.kind in (EventKind.NARROWED, EventKind.WIDENED):
        earlier = ConsentEvent.objects.filter(consent=event.consent_id, pk__lt=event.pk)
        return earlier.filter(kind=EventKind.ALLOWED).exists()
    return event.kind in EVENT_NAMES


@shared_task
def fan_out(event_id: int) -> None:
    """Create an e-mail for each person to be told and a delivery for the software, once."""
    with suppress(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        # One event at a time, until the commit: so the rows stand in the order of the feed.
        cursor.execute("select pg_advisory_xact_lock(%s)", [FEED_LOCK])
        event = ConsentEvent.objects.select_related("consent", "office").get(pk=event_id)
        partner_id = event.consent.partner_id if is_for_software(event) else None
        # The key is the event, so a second worker fails here and has nothing to do.
        FanOut.objects.create(event=event, partner_id=partner_id)
        endpoint = partner_id and WebhookEndpoint.objects.on().filter(partner=partner_id).first()
        if endpoint:
            Delivery.objects.create(
                endpoint=endpoint, event=event, traceparent=telemetry.tracing.traceparent()
            )
            delay_after_commit(deliver, endpoint.pk)
        send_consent_emails(event)


@shared_task
def fan_out_company(event_id: int) -> None:
    """Create an e-mail for each person to be told of a transfer, once."""
    with suppress(IntegrityError), transaction.atomic():
        event = ClientEvent.objects.select_related("office").get(pk=event_id)
        CompanyFanOut.objects.create(event=event)
        send_transfer_emails(event)
