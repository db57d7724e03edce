"""Mails about people that wait for nobody."""

from __future__ import annotations

from celery import shared_task

from accounts.events import MembershipEvent
from accounts.mails import send
from accounts.models import User
from accounts.topics import Topic


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
