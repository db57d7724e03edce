"""Mails about people that wait for nobody."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from celery import shared_task
from django.conf import settings
from django.urls import reverse

from accounts.events import MembershipEvent
from accounts.mails import send
from accounts.models import User
from accounts.topics import Topic


@shared_task(bind=True, max_retries=10, default_retry_delay=60)
def send_reset_link(self: Any, person_id: int, language: str) -> None:
    """Mail a link to choose a new password; it is made here, so that no queue ever carries it."""
    person = User.objects.filter(pk=person_id, is_active=True).first()
    if person is None:
        return
    key = {"uidb36": user_pk_to_url_str(person), "key": default_token_generator.make_token(person)}
    link = settings.PORTAL_URL + reverse("account_reset_password_from_key", kwargs=key)
    if not send("password_reset", person.email, language, link=link):
        raise self.retry()


@shared_task
def tell_admins(event_id: int) -> int:
    """Tell the other Admins of the office what happened; how many mails went out."""
    event = MembershipEvent.objects.select_related("office", "person").get(pk=event_id)
    admins = event.office.memberships.admins().exclude(user=event.by).exclude(user=event.person)
    wanting = User.objects.filter(pk__in=admins.values("user"), is_active=True)
    wanting = wanting.exclude(muted__contains=[Topic.PEOPLE]).order_by("pk")
    return sum(
        send("people_changed", admin.email, admin.language or event.office.language, event=event)
        for admin in wanting
    )
