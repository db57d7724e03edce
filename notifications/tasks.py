"""The periodic task that makes up for missed ones.

An event is usually fanned out by the task that its signal receiver queues, and a webhook delivery
is sent by the task that the fan-out queues. Where Redis was down or a worker was killed, the sweep
does it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from celery import shared_task
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now

from clients.models.event import ANNOUNCED_KINDS, ClientEvent
from consents.models import ConsentEvent
from core.purges import delete_in_batches
from notifications.documents_available import tell_filed_documents
from notifications.fan_out import fan_out, fan_out_company
from notifications.models import Delivery, DocumentsNotice, FiledDocuments
from notifications.webhooks.endpoints import deliver

# Deliveries that ended are shown to operators that long.
KEEP_FOR = timedelta(days=90)
# Older events are not sent any more. The limit bounds what the sweep reads.
LOOK_BACK = timedelta(days=30)
# Younger events are left to the task that the signal receiver queued.
TOO_YOUNG = timedelta(seconds=10)


@shared_task
def sweep() -> None:
    """Fan out what was missed: events and filed documents; queue the deliveries that are due."""
    _fan_out_missed(ConsentEvent.objects.all(), fan_out)
    _fan_out_missed(ClientEvent.objects.filter(kind__in=ANNOUNCED_KINDS), fan_out_company)
    untold = FiledDocuments.objects.filter(at__lt=Now() - TOO_YOUNG)
    tell_filed_documents(list(untold.values_list("office", flat=True).distinct()[:1000]))
    for endpoint_id in (
        Delivery.objects.due().order_by().values_list("endpoint", flat=True).distinct()
    ):
        deliver.delay(endpoint_id)


def _fan_out_missed(events: QuerySet[Any], fan_out: Callable[[int], None]) -> None:
    missed = events.filter(at__gt=Now() - LOOK_BACK, at__lt=Now() - TOO_YOUNG, fan_out=None)
    for event_id in missed.order_by("pk").values_list("pk", flat=True)[:1000]:
        fan_out(event_id)


@shared_task
def forget() -> None:
    """Delete the deliveries that ended and are older than 90 days; the event feed stays whole."""
    old = Delivery.objects.filter(created_at__lt=Now() - KEEP_FOR)
    delete_in_batches(old.exclude(delivered_at=None, given_up_at=None))
    notices = DocumentsNotice.objects.filter(at__lt=Now() - KEEP_FOR)
    delete_in_batches(notices.filter(~Exists(Delivery.objects.filter(notice=OuterRef("pk")))))
