"""Periodic housekeeping of logins."""

from datetime import timedelta

from allauth.usersessions.models import UserSession
from celery import shared_task
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db.models.functions import Now


@shared_task
def forget_ended_sessions() -> None:
    """Delete the sessions that have expired, with the user agents of their browsers."""
    call_command("clearsessions")
    # A session that begins now may not be committed yet.
    old = UserSession.objects.filter(
        created_at__lt=Now() - timedelta(seconds=settings.SESSION_COOKIE_AGE)
    )
    old.exclude(session_key__in=Session.objects.values("session_key")).delete()
