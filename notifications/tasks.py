"""From the event row to the mail: fan out once, send until it is taken, sweep what was missed."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from functools import partial

from celery import shared_task
from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from consents.models import ConsentEvent
from notifications.emails import receivers, send
from notifications.models import FanOut, Mail

# What was not heard of in a month is no news; it bounds what the sweep reads.
LOOK_BACK = timedelta(days=30)
# So long the bell may still ring.
NOT_YET = timedelta(seconds=10)


@shared_task
def fan_out(event_id: int) -> None:
    """Make one mail for everybody who must be told, once for each event."""
    with suppress(IntegrityError), transaction.atomic():
        # The key of the event: whoever comes second waits for the first, then has nothing to do.
        FanOut.objects.create(event_id=event_id)
        event = ConsentEvent.objects.select_related("consent", "office").get(pk=event_id)
        for person in receivers(event):
            mail = Mail.objects.create(event=event, person=person)
            transaction.on_commit(partial(send_mail.delay, mail.pk), robust=True)


@shared_task
def send_mail(mail_id: int) -> None:
    """Send one mail unless it went, or another worker has it in hands."""
    with transaction.atomic():
        waiting = Mail.objects.due().select_for_update(skip_locked=True, of=("self",))
        mail = waiting.select_related("person", "event").filter(pk=mail_id).first()
        if mail is not None:
            mail.sent() if send(mail) else mail.failed()


@shared_task
def sweep() -> None:
    """Find what nobody woke a worker for: events not fanned out, and mails that are due."""
    handled = FanOut.objects.filter(pk=OuterRef("pk"))
    unheard = ConsentEvent.objects.filter(at__gt=Now() - LOOK_BACK, at__lt=Now() - NOT_YET)
    unheard = unheard.exclude(Exists(handled)).order_by("pk")
    for event_id in unheard.values_list("pk", flat=True)[:1000]:
        fan_out(event_id)
    for mail_id in Mail.objects.due().values_list("pk", flat=True)[:1000]:
        send_mail(mail_id)
