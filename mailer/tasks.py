"""The tasks that send the e-mails of the outbox and delete old ones."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.db.models.functions import Now

from core.purges import delete_in_batches
from mailer.delivery import deliver
from mailer.models import OutgoingEmail

KEEP_FOR = timedelta(days=30)
BATCH = 1000  # e-mails that one sweep tries


@shared_task
def send(email_id: int) -> None:
    """Try to send one e-mail."""
    deliver(email_id)


@shared_task
def sweep() -> None:
    """Try every e-mail that is due: ones that no worker got, and ones that failed before."""
    due = OutgoingEmail.objects.due().order_by("next_attempt_at")
    for email_id in due.values_list("pk", flat=True)[:BATCH]:
        deliver(email_id)


@shared_task
def forget() -> int:
    """Delete ended e-mails older than 30 days: a row says who got an e-mail, and about what."""
    old = OutgoingEmail.objects.filter(created_at__lt=Now() - KEEP_FOR)
    return delete_in_batches(old.exclude(sent_at=None, given_up_at=None))
