"""A real mail server that is away for a day, or breaks off: nothing is lost, nothing is doubled."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.db.models.functions import Now

from accounts.models import User
from consents.models import ConsentEvent, EventKind
from mailer.models import OutgoingEmail
from mailer.tasks import send, sweep
from notifications.fan_out import fan_out
from tests import factories
from tests.conftest import Cast, free_port
from tests.factories import acting, allow
from tests.mail_server import CUT, mail_server
from tests.outbox import emails_about

pytestmark = pytest.mark.requirement(71)


DAY = timedelta(hours=24)


@pytest.fixture
def port(settings: Any, monkeypatch: pytest.MonkeyPatch) -> int:
    """The port of the mail server of the portal. No server listens there yet."""
    # On a slow machine the sweep would find the request of the fixtures, and email that as well.
    monkeypatch.setattr("notifications.tasks.TOO_YOUNG", timedelta(days=1))
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    return int(settings.EMAIL_PORT)


def a_morning(cast: Cast) -> list[ConsentEvent]:
    """An allow and a cancel, in an office of two Admins, made into mails."""
    factories.make_person("Bea", cast.janssens)
    allow(cast.consent, cast.anna)
    cast.fresh().cancel(acting(cast.anna))
    events = list(cast.consent.events.exclude(kind=EventKind.REQUESTED).order_by("pk"))
    for event in events:
        fan_out(event.pk)
    return events


def wait_for_the_next_try() -> timedelta:
    """Let the time until the next try pass, by the clock of the database; return how long."""
    now = OutgoingEmail.objects.annotate(now=Now()).values_list("now", flat=True).first()
    assert now is not None
    waits = [row.next_attempt_at - now for row in OutgoingEmail.objects.filter(sent_at=None)]
    passed: timedelta = max([*waits, timedelta(0)])
    earlier = {name: F(name) - passed for name in ("created_at", "next_attempt_at")}
    OutgoingEmail.objects.filter(sent_at=None).update(**earlier)
    return passed


def expected(events: list[ConsentEvent]) -> list[tuple[str, str]]:
    """Mailbox and Message-ID of every e-mail: the event and the reader, so that it shows once."""
    ids = {event.pk: event.uuid for event in events}
    return sorted(
        (
            User.objects.get(pk=row.context["person"]).email,
            f"<{ids[row.context['event']]}.{row.context['person']}@localhost>",
        )
        for row in emails_about(events)
    )


def test_a_mail_server_that_is_away_for_a_day_gets_every_mail_once(cast: Cast, port: int) -> None:
    events = a_morning(cast)
    rows = emails_about(events)
    assert rows.count() == 3  # the cancel goes to Bea alone: Anna did it
    passed, tries = timedelta(0), 0
    while passed < DAY:
        sweep()
        tries += 1
        assert not rows.exclude(sent_at=None, given_up_at=None).exists()
        passed += wait_for_the_next_try()
    assert 20 < tries < 60
    with mail_server(port) as server:
        for _again in range(3):
            sweep()
        for row in rows:
            send(row.pk)
        assert sorted(server.identifiers()) == expected(events)
    assert not rows.filter(sent_at=None).exists()


def test_nobody_gets_a_mail_twice_while_the_mail_server_comes_and_goes(
    cast: Cast, port: int
) -> None:
    events = a_morning(cast)
    taken: list[tuple[str, str]] = []
    for answers in (["250 Taken"], ["451 Later", "250 Taken", "452 Full"], []):
        sweep()  # nobody there
        wait_for_the_next_try()
        with mail_server(port) as server:
            server.answers = [*answers, *["421 Going down"] * (20 if answers else 0)]
            sweep()
            taken += server.identifiers()
        wait_for_the_next_try()
    assert sorted(taken) == expected(events)


def test_a_mail_that_was_taken_without_a_word_comes_again_under_the_same_identifier(
    cast: Cast, port: int
) -> None:
    """The line broke after the mail: nobody can know, so it goes again, and shows once."""
    allow(cast.consent, cast.anna)
    event = cast.consent.events.get(kind=EventKind.ALLOWED)
    fan_out(event.pk)
    with mail_server(port) as server:
        server.answers = [CUT]
        sweep()
        wait_for_the_next_try()
        sweep()
        sweep()
        assert server.identifiers() == expected([event]) * 2


def test_a_refused_recipient_delays_nobody_else(cast: Cast, port: int) -> None:
    events = a_morning(cast)
    with mail_server(port) as server:
        server.answers = ["554 Not for this one"]
        sweep()
        refused = emails_about(events).get(sent_at=None)
        assert len(server.taken) == len(expected(events)) - 1
        assert refused.attempts == 1
        wait_for_the_next_try()
        sweep()
        assert sorted(server.identifiers()) == expected(events)
