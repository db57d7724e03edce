"""Periodic housekeeping of credentials."""

from celery import shared_task
from django.core.management import call_command


@shared_task
def forget_expired_tokens() -> None:
    """Delete access tokens that have expired; oauth-toolkit knows which."""
    call_command("cleartokens")
