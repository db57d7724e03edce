"""Periodic housekeeping of the API."""

from celery import shared_task

from partner_api.idempotency import forget_old_records


@shared_task
def forget_idempotency_records() -> None:
    """Delete the answers to idempotency keys that are older than a day."""
    forget_old_records()
