"""Periodic housekeeping of logins."""

from datetime import timedelta

from allauth.usersessions.models import UserSession
from celery import shared_task
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from core.purges import delete_in_batches


@shared_task
def forget_ended_sessions() -> None:
    """Delete the sessions that have expired, with the user agents of their browsers."""
    delete_in_batches(Session.objects.filter(expire_date__lt=Now()))
    # A session that begins now may not be committed yet.
    old = UserSession.objects.filter(
        created_at__lt=Now() - timedelta(seconds=settings.SESSION_COOKIE_AGE)
    )
    running = Session.objects.filter(session_key=OuterRef("session_key"))
    delete_in_batches(old.filter(~Exists(running)))
