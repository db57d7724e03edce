"""Mails about people that wait for nobody."""

from __future__ import annotations

from typing import Any, cast

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from celery import shared_task
from django.conf import settings
from django.urls import reverse
from django.utils import translation

from accounts.events import MembershipEvent
from accounts.joint import JointAct
from accounts.mails import send
from accounts.models import Office, User
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


@shared_task
def tell_of_act(act_id: int) -> None:
    """Tell everybody concerned what two operators did, each by a mail that waits for no other."""
    from accounts.told_of_acts import readers

    for reader in readers(JointAct.objects.select_related("person").get(pk=act_id)):
        tell_reader_of_act.delay(act_id, reader.pk)


@shared_task(bind=True, max_retries=400, default_retry_delay=600)
def tell_reader_of_act(self: Any, act_id: int, reader_id: int) -> None:
    """Mail one of them, again and again for three days while the mail server is away."""
    from accounts.told_of_acts import words_of

    acts = JointAct.objects.select_related("person", "asked_by", "confirmed_by")
    act, reader = acts.get(pk=act_id), User.objects.get(pk=reader_id)
    office = Office.objects.get(pk=cast(int, act.office_id))
    language = reader.language or office.language
    with translation.override(language):
        words = words_of(act, office, reader)
    # A mail server that took it twice shows it once.
    message_id = f"<act.{act.pk}.{reader.pk}@{settings.PORTAL_HOST}>"
    to = reader.email
    if not send("by_operators", to, language, message_id=message_id, words=words, act=act):
        raise self.retry()
