"""Mails about people: sent until the mail server takes them, and forgotten after a while."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.db import transaction
from django.db.models.functions import Now

from accounts.letters import Letter
from accounts.mails import post

KEPT_FOR = timedelta(days=30)


@shared_task
def send_letter(letter_id: int) -> None:
    """Send one letter unless it went, or another worker has it in hands."""
    with transaction.atomic():
        waiting = Letter.objects.due().select_for_update(skip_locked=True, of=("self",))
        related = waiting.select_related("person", "invitation__office", "event__office")
        letter = related.filter(pk=letter_id).first()
        if letter is None:
            return
        taken = post(letter)
        if taken is None:
            letter.give_up()
        else:
            letter.sent() if taken else letter.failed()


@shared_task
def sweep_letters() -> None:
    """Send what nobody woke a worker for, and what waited for a mail server."""
    for letter_id in Letter.objects.due().order_by("pk").values_list("pk", flat=True)[:1000]:
        send_letter(letter_id)


@shared_task
def forget_letters() -> int:
    """Remove what was sent or given up a month ago: it says who was mailed, and from where."""
    over = Letter.objects.filter(made_at__lt=Now() - KEPT_FOR).exclude(pk__in=Letter.objects.open())
    return int(over.delete()[0])
