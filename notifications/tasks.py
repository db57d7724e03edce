"""From the event row to the mail: fan out once, send until it is taken, sweep what was missed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from celery import shared_task
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from accounts.letters import Letter
from accounts.outbox import wake_after_commit
from clients.events import TOLD, ClientEvent
from consents.models import ConsentEvent
from notifications import companies, emails, webhooks
from notifications.models import (
    CompanyFanOut,
    CompanyMail,
    Delivery,
    FanOut,
    Mail,
    WebhookEndpoint,
)
from notifications.webhook_endpoints import LEASE, NAMES, OffReason

# What was not heard of in a month is no news; it bounds what the sweep reads.
LOOK_BACK = timedelta(days=30)
# So long the bell may still ring.
NOT_YET = timedelta(seconds=10)
# Held while an event gets its place in the feed.
FEED_LOCK = 20_002


@shared_task
def fan_out(event_id: int) -> None:
    """Make one mail for everybody who must be told and one delivery for the software, once."""
    with suppress(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        # One after the other, to the commit: so the rows stand in the order of the feed.
        cursor.execute("select pg_advisory_xact_lock(%s)", [FEED_LOCK])
        event = ConsentEvent.objects.select_related("consent", "office").get(pk=event_id)
        told = event.consent.partner_id if event.kind in NAMES else None
        # The key of the event: whoever comes second has nothing to do.
        FanOut.objects.create(event=event, partner_id=told)
        endpoint = told and WebhookEndpoint.objects.on().filter(partner=told).first()
        if endpoint:
            Delivery.objects.create(endpoint=endpoint, event=event)
            wake_after_commit(deliver, endpoint.pk)
        for person in emails.receivers(event):
            mail = Mail.objects.create(event=event, person=person)
            wake_after_commit(send_mail, mail.pk)


@shared_task
def send_mail(mail_id: int) -> None:
    """Send one mail unless it went, or another worker has it in hands."""
    Mail.objects.send(mail_id, emails.send, "person", "event")


@shared_task
def fan_out_company(event_id: int) -> None:
    """Make one mail for everybody who must hear of a transfer, once."""
    with suppress(IntegrityError), transaction.atomic():
        event = ClientEvent.objects.select_related("office").get(pk=event_id)
        CompanyFanOut.objects.create(event=event)
        for person in companies.receivers(event):
            mail = CompanyMail.objects.create(event=event, person=person)
            wake_after_commit(send_company_mail, mail.pk)


@shared_task
def send_company_mail(mail_id: int) -> None:
    """As `send_mail`, about a company."""
    CompanyMail.objects.send(mail_id, companies.send, "person", "event__office")


@shared_task
def deliver(endpoint_id: int) -> None:
    """Tell an endpoint everything that is due, one event after the other, one worker at a time."""
    endpoint = WebhookEndpoint.objects.select_related("partner").get(pk=endpoint_id)
    # What became due while the last one gave the endpoint back is seen by the next look.
    while endpoint.deliveries.due().exists() and endpoint.lease():
        try:
            while (delivery := _next(endpoint)) is not None:
                _attempt(delivery, endpoint)
        finally:
            endpoint.release()


def _next(endpoint: WebhookEndpoint) -> Delivery | None:
    due = endpoint.deliveries.due().select_related("event__consent")
    return due.first()


def _attempt(delivery: Delivery, endpoint: WebhookEndpoint) -> None:
    delivery.begin()
    answer = webhooks.send(delivery, endpoint)
    if 200 <= answer.status < 300:
        delivery.delivered(str(answer))
    elif answer.status == 410:
        if endpoint.switch_off(OffReason.GONE):
            tell_of_trouble(endpoint.pk)
    elif delivery.failed(str(answer), answer.retry_after):
        mine = WebhookEndpoint.objects.filter(pk=endpoint.pk, flagged_at=None)
        if mine.update(flagged_at=Now()):
            tell_of_trouble(endpoint.pk)
    # The lease is as long as one try may take, so it begins anew with each.
    WebhookEndpoint.objects.filter(pk=endpoint.pk, busy_until__isnull=False).update(
        busy_until=Now() + LEASE
    )


@shared_task
def tell_of_trouble(endpoint_id: int) -> None:
    """Mail the partner and the operators that an endpoint is off, or could not be told."""
    endpoint = WebhookEndpoint.objects.select_related("partner").get(pk=endpoint_id)
    software = {"name": endpoint.partner.name}
    told = {"url": endpoint.url, "off_at": endpoint.off_at is not None, "partner": software}
    for to in sorted({endpoint.partner.email, settings.PORTAL_SUPPORT_EMAIL}):
        Letter.objects.write("webhook_trouble", to, "", told={"endpoint": told})


@shared_task
def sweep() -> None:
    """Find what nobody woke a worker for: events not fanned out, mails and deliveries due."""
    _unheard(ConsentEvent.objects.all(), fan_out)
    Mail.objects.sweep(send_mail)
    _unheard(ClientEvent.objects.filter(kind__in=TOLD), fan_out_company)
    CompanyMail.objects.sweep(send_company_mail)
    for endpoint_id in (
        Delivery.objects.due().order_by().values_list("endpoint", flat=True).distinct()
    ):
        deliver.delay(endpoint_id)


def _unheard(events: QuerySet[Any], fan_out: Callable[[int], None]) -> None:
    lately = events.filter(at__gt=Now() - LOOK_BACK, at__lt=Now() - NOT_YET, fan_out=None)
    for event_id in lately.order_by("pk").values_list("pk", flat=True)[:1000]:
        fan_out(event_id)
