"""What is only needed for a while is deleted by a job, and nothing that is still in use."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.models import Model
from django.db.models.functions import Now
from django.utils import timezone

from accounts.tasks import forget_ended_sessions
from codabox_portal.schedule import BEAT
from core.purges import BATCH, delete_in_batches
from mailer.models import OutgoingEmail
from mailer.tasks import forget as forget_emails
from notifications.models import Delivery, DocumentsNotice, FanOut, WebhookEndpoint
from notifications.tasks import forget
from partner_api.models import IdempotencyRecord
from partner_api.tasks import forget_idempotency_records
from tests.accounts.people import logged_in
from tests.conftest import Cast

OLD = Now() - timedelta(days=91)
DAY = timedelta(days=1)
# One more than a batch.
MANY = BATCH + 1


class Deletions:
    """How many rows each DELETE took, by the table."""

    def __init__(self) -> None:
        self.of: defaultdict[str, list[int]] = defaultdict(list)

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        done = execute(sql, params, many, context)
        if found := re.match(r'DELETE FROM "(\w+)"', sql):
            self.of[found[1]].append(context["cursor"].rowcount)
        return done


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


def ended_sessions(cast: Cast) -> type[Model]:
    Session.objects.bulk_create(
        Session(session_key=f"k{n}", session_data="", expire_date=timezone.now() - DAY * 2)
        for n in range(MANY)
    )
    return Session


def forgotten_browsers(cast: Cast) -> type[Model]:
    UserSession.objects.bulk_create(
        UserSession(
            user=cast.anna, session_key=f"k{n}", ip="192.0.2.1", created_at=timezone.now() - DAY
        )
        for n in range(MANY)
    )
    found: type[Model] = UserSession
    return found


def sent_emails(cast: Cast) -> type[Model]:
    OutgoingEmail.objects.bulk_create(
        OutgoingEmail(
            message="x", recipient="an@x.example", created_at=OLD, sent_at=OLD, dedupe_key=f"k{n}"
        )
        for n in range(MANY)
    )
    return OutgoingEmail


def ended_deliveries(cast: Cast) -> type[Model]:
    endpoint = WebhookEndpoint.objects.create(partner=cast.ledgerly, url="https://x.example/")
    notices = DocumentsNotice.objects.bulk_create(
        DocumentsNotice(office=cast.janssens, counts={}, at=OLD) for _ in range(MANY)
    )
    Delivery.objects.bulk_create(
        Delivery(endpoint=endpoint, notice=notice, created_at=OLD, delivered_at=OLD)
        for notice in notices
    )
    return Delivery


def unused_notices(cast: Cast) -> type[Model]:
    DocumentsNotice.objects.bulk_create(
        DocumentsNotice(office=cast.janssens, counts={}, at=OLD) for _ in range(MANY)
    )
    return DocumentsNotice


def used_keys(cast: Cast) -> type[Model]:
    IdempotencyRecord.objects.bulk_create(
        IdempotencyRecord(
            partner=cast.ledgerly,
            target="POST /x",
            key=f"k{n}",
            body_sha256="",
            status=201,
            answer=b"",
            created_at=OLD,
        )
        for n in range(MANY)
    )
    return IdempotencyRecord


BACKLOGS: list[tuple[Callable[[Cast], type[Model]], Callable[[], object]]] = [
    (ended_sessions, forget_ended_sessions),
    (forgotten_browsers, forget_ended_sessions),
    (sent_emails, forget_emails),
    (ended_deliveries, forget),
    (unused_notices, forget),
    (used_keys, forget_idempotency_records),
]


@pytest.mark.parametrize(("backlog", "job"), BACKLOGS)
def test_a_backlog_is_deleted_in_one_run_in_short_transactions(
    cast: Cast, backlog: Callable[[Cast], type[Model]], job: Callable[[], object]
) -> None:
    """No statement deletes more than a batch, whatever the worker missed."""
    table = backlog(cast)._meta.db_table
    deletions = Deletions()
    with connection.execute_wrapper(deletions):
        job()
    assert sum(deletions.of[table]) == MANY
    assert max(deletions.of[table]) <= BATCH < MANY


def test_a_row_that_is_in_use_again_stays(cast: Cast) -> None:
    """It was found with its batch, and no longer fits when the batch is deleted."""
    ended_sessions(cast)
    ended = Session.objects.filter(expire_date__lt=timezone.now())

    def renew(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("DELETE") and not renewed:
            renewed.append(1)
            Session.objects.filter(pk="k7").update(expire_date=timezone.now() + DAY)
        return execute(sql, params, many, context)

    renewed: list[int] = []
    with connection.execute_wrapper(renew):
        assert delete_in_batches(ended) == MANY - 1
    assert Session.objects.filter(pk="k7").exists()


def test_beat_queues_every_job() -> None:
    tasks = {job["task"] for job in BEAT.values()}
    assert tasks >= {
        "accounts.tasks.forget_ended_sessions",
        "documents.tasks.delete_for_retention",
        "documents.tasks.keep_months_of_reads",
        "mailer.tasks.forget",
        "notifications.tasks.forget",
        "partner_api.tasks.forget_idempotency_records",
        "partners.tasks.forget_expired_tokens",
    }
