"""Periodic jobs of consents. They write down what the clock has decided already."""

from celery import shared_task

from consents import restore_guard, scheduled_events
from consents.evidence import anonymisation, checkpoints
from consents.models import Consent


@shared_task
def write_down_lapsed_requests() -> None:
    """Close the requests that nobody answered in time, each with its event."""
    for consent in Consent.objects.lapsed_but_open().iterator():
        consent.lapse()


@shared_task
def write_due_events() -> None:
    """Reminders, the first fetch, a consent that nobody uses, and unusual volume."""
    scheduled_events.write_due_events()


@shared_task
def write_software_status_events() -> None:
    """Tell the offices at once that their software was suspended, or is active again."""
    scheduled_events.write_software_status_events()


@shared_task
def complete_the_register() -> None:
    """Add what a killed process did not write to the file of ended consents."""
    restore_guard.register_missing()


@shared_task
def write_checkpoints() -> None:
    """Sign the state of the log of events, and bring it to the place outside the database."""
    checkpoints.write_checkpoint()
    checkpoints.deliver_checkpoints()


@shared_task
def anonymise_ended_consents() -> None:
    """Anonymise consents that ended longer ago than evidence is needed."""
    anonymisation.anonymise_old()
