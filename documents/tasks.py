"""Periodic housekeeping of documents."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from documents import orphans, retention
from documents.drop import take_drop_folder_in
from documents.publication import forget_dead_publications

# One shard every five minutes, so that all of them are looked through in a day.
SHARD_EVERY = timedelta(minutes=5)


@shared_task
def sweep_publications() -> None:
    """Let the default end of searches move on when a publishing process was killed."""
    forget_dead_publications()


@shared_task
def sweep_orphans() -> None:
    """Remove bytes of the shard whose turn it is that no row names, when they are a day old."""
    turn = int(timezone.now().timestamp() // SHARD_EVERY.total_seconds())
    shards = orphans.shards()
    orphans.sweep(shards[turn % len(shards)])


@shared_task
def take_in() -> None:
    """Take in what lies in the drop folder; one worker at a time."""
    take_drop_folder_in()


@shared_task
def bury() -> None:
    """Delete the documents whose time is over, a bounded number at a time."""
    retention.bury()
