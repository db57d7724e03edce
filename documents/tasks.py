"""Periodic housekeeping of documents."""

from celery import shared_task

from documents.publication import forget_dead_publications


@shared_task
def sweep_publications() -> None:
    """Let the default end of searches move on when a publishing process was killed."""
    forget_dead_publications()
