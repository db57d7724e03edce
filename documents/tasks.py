"""Periodic housekeeping of documents."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from documents import retention
from documents.completeness.check import check_due_offices
from documents.emails import send_digests
from documents.ingest import drop_folder
from documents.ingest.visibility_horizon import remove_dead_batches
from documents.reads_by_month import add_months, drop_old_months
from documents.storage import garbage_collection

# One shard every five minutes, so that all 256 are checked in a day.
SHARD_EVERY = timedelta(minutes=5)


@shared_task
def remove_dead_ingest_batches() -> None:
    """Let the visibility horizon move on when an ingesting process was killed."""
    remove_dead_batches()


@shared_task
def collect_garbage() -> None:
    """Remove the bytes of one shard that no row names and that are a day old."""
    turn = int(timezone.now().timestamp() // SHARD_EVERY.total_seconds())
    shards = garbage_collection.shards()
    garbage_collection.collect(shards[turn % len(shards)])


@shared_task
def ingest_drop_folder() -> None:
    """Ingest the files in the drop folder; one worker at a time."""
    drop_folder.ingest_waiting_files()


@shared_task
def delete_for_retention() -> None:
    """Delete the documents that were kept for their time, in short batches."""
    retention.delete_for_retention()


@shared_task
def keep_months_of_reads() -> None:
    """Add months to the access log and drop those that were kept for their time."""
    add_months()
    drop_old_months()


@shared_task
def check_completeness() -> None:
    """Look for missing documents at the offices that were not checked today."""
    check_due_offices()


@shared_task
def send_missing_documents() -> None:
    """Tell people once a week what is new among the missing documents."""
    send_digests()
