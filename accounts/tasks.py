"""Mails about people: sent until the mail server takes them, and forgotten after a while."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.db.models.functions import Now

from accounts.letters import Letter
from accounts.mails import post

KEPT_FOR = timedelta(days=30)


@shared_task
def send_letter(letter_id: int) -> None:
    """Send one letter unless it went, or another worker has it in hands."""
    Letter.objects.send(letter_id, post, "person", "invitation__office", "event__office")


@shared_task
def sweep_letters() -> None:
    """Send the letters that are due."""
    Letter.objects.sweep(send_letter)


@shared_task
def forget_letters() -> int:
    """Remove what was sent or given up a month ago: it says who was mailed, and from where."""
    over = Letter.objects.filter(made_at__lt=Now() - KEPT_FOR).exclude(pk__in=Letter.objects.open())
    return int(over.delete()[0])
