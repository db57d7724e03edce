"""Deliver events to one endpoint, in their order and by one worker at a time."""

from __future__ import annotations

import time

from celery import shared_task
from django.db.models.functions import Now

from consents.access import AccessContext
from notifications.emails import send_webhook_trouble
from notifications.models.documents_notice import DocumentsNotice
from notifications.models.webhook_endpoint import Delivery, OffReason, WebhookEndpoint
from notifications.webhooks.send import send

READ_AT_ONCE = 50  # deliveries
# Seconds after which they are read again: an event comes before the notices that wait already.
FRESH_FOR = 1.0


@shared_task
def deliver(endpoint_id: int) -> None:
    """Send an endpoint everything that is due, one event after the other."""
    endpoint = WebhookEndpoint.objects.select_related("partner").get(pk=endpoint_id)
    # A delivery can become due while another worker releases the endpoint, so we look again.
    while endpoint.deliveries.due().exists() and endpoint.lease():
        try:
            while due := _next_due(endpoint):
                # The lease lasts longer than it takes to send what is fresh, and one attempt more.
                endpoint.extend_lease()
                read_at = time.monotonic()
                for delivery in due:
                    _attempt(delivery, endpoint)
                    if time.monotonic() - read_at > FRESH_FOR:
                        break
        finally:
            endpoint.release()


def _next_due(endpoint: WebhookEndpoint) -> list[Delivery]:
    due = endpoint.deliveries.due().select_related("event__consent", "notice__office")
    return list(due[:READ_AT_ONCE])


def _attempt(delivery: Delivery, endpoint: WebhookEndpoint) -> None:
    """Send one event and write down what the receiver answered."""
    if not delivery.begin():
        return
    if delivery.notice and not _leave_readable(delivery.notice, endpoint):
        delivery.give_up()
        return
    answer = send(delivery, endpoint)
    if 200 <= answer.status < 300:
        delivery.delivered(str(answer))
    elif answer.status == 410:
        if endpoint.switch_off(OffReason.GONE):
            email_trouble(endpoint.pk)
    elif delivery.failed(str(answer), answer.retry_after):
        mine = WebhookEndpoint.objects.filter(pk=endpoint.pk, flagged_at=None)
        if mine.update(flagged_at=Now()):
            email_trouble(endpoint.pk)


def _leave_readable(notice: DocumentsNotice, endpoint: WebhookEndpoint) -> bool:
    """Leave the kinds in the notice that the software may read now; return whether one is left.

    The office may have ended or paused the consent since the notice was written.
    """
    access = AccessContext.of_pair(endpoint.partner_id, notice.office_id)
    notice.counts = {
        kind: number
        for kind, number in notice.counts.items()
        if access and access.denial_reason(kind) is None
    }
    return bool(notice.counts)


@shared_task
def email_trouble(endpoint_id: int) -> None:
    """Email the partner and the operators that an endpoint is off, or has not answered for days."""
    endpoint = WebhookEndpoint.objects.select_related("partner").get(pk=endpoint_id)
    send_webhook_trouble(endpoint)
