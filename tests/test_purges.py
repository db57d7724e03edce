"""What is only needed for a while is deleted by a job, and nothing that is still in use."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db.models.functions import Now
from django.utils import timezone

from accounts.tasks import forget_ended_sessions
from codabox_portal.schedule import BEAT
from notifications.models import Delivery, DocumentsNotice, FanOut, WebhookEndpoint
from notifications.tasks import forget
from tests.accounts.people import logged_in
from tests.conftest import Cast

OLD = Now() - timedelta(days=91)


def test_sessions_that_ended_are_deleted_with_their_browsers(cast: Cast) -> None:
    logged_in(cast.anna)
    ended = UserSession.objects.get(user=cast.anna)
    UserSession.objects.update(created_at=Now() - timedelta(days=1))
    Session.objects.update(expire_date=timezone.now() - timedelta(minutes=1))
    running = logged_in(cast.chloe)
    forget_ended_sessions()
    assert not UserSession.objects.filter(pk=ended.pk).exists()
    assert [one.user_id for one in UserSession.objects.all()] == [cast.chloe.pk]
    assert Session.objects.count() == 1
    assert running.get("/me").status_code == 200


def test_a_session_that_just_began_keeps_its_browser(cast: Cast) -> None:
    """Its row may be written before that of the session is committed."""
    logged_in(cast.anna)
    Session.objects.all().delete()
    forget_ended_sessions()
    assert UserSession.objects.filter(user=cast.anna).exists()


def test_deliveries_that_ended_long_ago_are_deleted_and_the_feed_stays(cast: Cast) -> None:
    endpoint = WebhookEndpoint.objects.create(partner=cast.ledgerly, url="https://x.example/")
    event = cast.consent.events.earliest("pk")
    FanOut.objects.get_or_create(event=event, defaults={"partner": cast.ledgerly})

    def delivery(**fields: Any) -> Delivery:
        notice = DocumentsNotice.objects.create(office=cast.janssens, counts={})
        DocumentsNotice.objects.filter(pk=notice.pk).update(at=OLD)
        made = Delivery.objects.create(endpoint=endpoint, notice=notice)
        Delivery.objects.filter(pk=made.pk).update(**fields)
        return made

    gone = [
        delivery(created_at=OLD, delivered_at=Now()).pk,
        delivery(created_at=OLD, given_up_at=Now()).pk,
    ]
    kept = [delivery(created_at=OLD).pk, delivery(delivered_at=Now()).pk]
    forget()
    assert not Delivery.objects.filter(pk__in=gone).exists()
    assert Delivery.objects.filter(pk__in=kept).count() == 2
    notices = Delivery.objects.filter(pk__in=kept).values_list("notice", flat=True)
    # Tests that commit may have left notices of other offices.
    own = DocumentsNotice.objects.filter(office=cast.janssens).values_list("pk", flat=True)
    assert set(own) == set(notices)
    assert FanOut.objects.filter(event=event).exists()


def test_beat_queues_both_jobs() -> None:
    tasks = {job["task"] for job in BEAT.values()}
    assert {"accounts.tasks.forget_ended_sessions", "notifications.tasks.forget"} <= tasks
