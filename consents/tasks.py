"""Periodic jobs: they only write down what the clock has decided already."""

from celery import shared_task

from consents import ended, erasing, watch
from consents.ledger import write_anchors
from consents.models import Consent


@shared_task
def write_down_lapsed_requests() -> None:
    """Close the requests that nobody answered in time, each with its event."""
    for consent in Consent.objects.lapsed_but_open().iterator():
        consent.lapse()


@shared_task
def notice() -> None:
    """Reminders, the first fetch, a consent that nobody uses, and unusual volume."""
    watch.notice()


@shared_task
def tell_of_software() -> None:
    """Tell the offices at once that their software was suspended, or is active again."""
    watch.tell_of_software()


@shared_task
def write_down_what_ended() -> None:
    """Add what a killed process did not write to the file of ended consents."""
    ended.write_down_missing()


@shared_task
def anchor_the_ledger() -> None:
    """Write today's heads of the ledger to the file outside the database."""
    write_anchors()


@shared_task
def erase_old_names() -> None:
    """Forget who acted in consents that ended longer ago than proof is needed."""
    erasing.erase_old()
