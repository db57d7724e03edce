"""E-mails about consents: who gets which, in which words, once, whatever fails on the way."""

from __future__ import annotations

import json
import re
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import User
from accounts.notification_preferences import NotificationPreference
from consents.actors import Actor
from consents.models import ConsentEvent, EventKind
from mailer import tasks as mailer_tasks
from mailer.models import OutgoingEmail
from mailer.tasks import send
from notifications.emails import PREFERENCE_BY_KIND, readers
from notifications.fan_out import fan_out
from notifications.models import FanOut
from notifications.tasks import sweep
from tests import factories
from tests.accounts.people import logged_in
from tests.conftest import Cast
from tests.factories import acting, allow
from tests.outbox import emails_about

LANGUAGES = ["en", "nl", "fr", "de"]


def event_of(cast: Cast, kind: str) -> ConsentEvent:
    """An event of this kind, by whom it is usually done."""
    if kind == EventKind.REQUESTED:
        return cast.consent.events.get(kind=kind)
    if kind == EventKind.ALLOWED:
        allow(cast.consent, cast.anna)
        return cast.consent.events.get(kind=kind)
    by = {
        EventKind.ASKED: acting(cast.bram),
        EventKind.DENIED: acting(cast.anna),
        EventKind.CANCELLED: acting(cast.anna),
        EventKind.PAUSED: acting(cast.anna),
        EventKind.RESUMED: acting(cast.anna),
    }.get(EventKind(kind), Actor.clock())
    note = "Before Friday & <soon>" if kind == EventKind.ASKED else ""
    terms = (EventKind.TERMS_CHANGED, EventKind.TERMS_REMINDED)
    until = timezone.now() + timedelta(days=60) if kind in terms else None
    return ConsentEvent.objects.write(cast.consent, EventKind(kind), by, reason=note, until=until)


def deliver(event: ConsentEvent) -> dict[str, Any]:
    """All mails of an event, by address."""
    mail.outbox.clear()
    fan_out(event.pk)
    for row in emails_about([event]):
        send(row.pk)
    return {sent.to[0]: sent for sent in mail.outbox}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", sorted(PREFERENCE_BY_KIND))
def test_each_mail_in_each_language_as_text_and_as_html(
    cast: Cast, kind: str, language: str
) -> None:
    bea = factories.make_person("Bea", cast.janssens, language=language)
    event = event_of(cast, kind)
    sent = deliver(event)[bea.email]
    html = sent.alternatives[0][0]
    assert f'<html lang="{language}">' in html
    assert cast.ledgerly.name in sent.subject
    assert "%(" not in sent.subject + sent.body + html
    assert "\n" not in sent.subject
    link = re.search(r"https?://\S+", sent.body)
    assert link is not None
    assert str(cast.consent.uuid) in link[0]
    assert link[0].replace("&", "&amp;") in html
    if kind == EventKind.ASKED:
        assert "Before Friday & <soon>" in sent.body
        assert "Before Friday &amp; &lt;soon&gt;" in html


def test_the_four_languages_say_it_in_four_ways(cast: Cast) -> None:
    for language in LANGUAGES:
        factories.make_person("Bea", cast.janssens, language=language)
    for kind in PREFERENCE_BY_KIND:
        if kind == EventKind.ALLOWED:
            continue
        subjects = {sent.subject for sent in deliver(event_of(cast, kind)).values()}
        assert len(subjects) == 4, subjects


def test_the_admins_are_told_but_who_did_it(cast: Cast) -> None:
    bea = factories.make_person("Bea", cast.janssens)
    assert set(deliver(event_of(cast, EventKind.PAUSED))) == {bea.email}
    assert set(deliver(event_of(cast, EventKind.UNUSUAL))) == {bea.email, cast.anna.email}
    gone = factories.make_person("Gone", cast.janssens, is_active=False)
    told = deliver(event_of(cast, EventKind.UNUSED))
    for person in (cast.bram, cast.chloe, cast.dirk, gone):
        assert person.email not in told


def test_whoever_is_asked_by_name_is_told_alone(cast: Cast) -> None:
    bea = factories.make_person("Bea", cast.janssens)
    cast.consent.ask_admins(acting(cast.bram), [bea], "please")
    event = cast.consent.events.get(kind=EventKind.ASKED)
    assert set(deliver(event)) == {bea.email}


def test_the_receipt_goes_with_an_allow_to_whoever_allowed_as_well(cast: Cast) -> None:
    sent = deliver(event_of(cast, EventKind.ALLOWED))[cast.anna.email]
    ((name, content, kind),) = sent.attachments
    assert (name, kind) == ("receipt.json", "application/json")
    assert str(cast.consent.uuid) in json.dumps(json.loads(content))


@pytest.mark.parametrize("kind", sorted(PREFERENCE_BY_KIND))
def test_a_mail_can_be_switched_off_unless_it_protects_the_office(cast: Cast, kind: str) -> None:
    bea = factories.make_person("Bea", cast.janssens)
    event = event_of(cast, kind)
    assert bea in readers(event)
    User.objects.filter(pk=bea.pk).update(muted_notifications=list(NotificationPreference.values))
    protects = kind in (
        EventKind.ALLOWED,
        EventKind.UNUSUAL,
        EventKind.TERMS_CHANGED,
        EventKind.TERMS_REMINDED,
        EventKind.SUSPENDED,
        EventKind.REINSTATED,
    )
    assert (bea in readers(event)) is protects


def test_fanning_out_twice_gives_one_mail_and_sending_twice_sends_once(cast: Cast) -> None:
    event = event_of(cast, EventKind.UNUSED)
    assert len(deliver(event)) == 1
    assert deliver(event) == {}
    assert emails_about([event]).count() == 1


def test_a_signal_is_sent_after_the_commit_of_every_event(
    cast: Cast, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[int] = []
    monkeypatch.setattr(fan_out, "delay", heard.append)
    with django_capture_on_commit_callbacks(execute=True):
        event = event_of(cast, EventKind.DENIED)
        assert heard == []
    assert heard == [event.pk]


def test_a_broker_that_is_away_disturbs_nobody_and_the_sweep_finds_the_event(
    cast: Cast, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(event_id: int) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(fan_out, "delay", away)
    with django_capture_on_commit_callbacks(execute=True):
        event = event_of(cast, EventKind.UNUSED)
    assert not FanOut.objects.filter(pk=event.pk).exists()
    monkeypatch.setattr("notifications.tasks.TOO_YOUNG", timedelta(0))
    mail.outbox.clear()
    sweep()
    mailer_tasks.sweep()
    assert cast.anna.email in [address for sent in mail.outbox for address in sent.to]
    sent = len(mail.outbox)
    sweep()
    mailer_tasks.sweep()
    assert len(mail.outbox) == sent


def test_a_mail_server_that_is_away_for_a_day_loses_and_doubles_nothing(
    cast: Cast, settings: Any
) -> None:
    event = event_of(cast, EventKind.UNUSED)
    backend = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9  # nobody listens there
    fan_out(event.pk)
    row = emails_about([event]).get()
    for tries in range(1, 31):
        send(row.pk)
        row.refresh_from_db()
        assert row.sent_at is None
        assert row.attempts == tries
        send(row.pk)  # not due yet: no try
        row.refresh_from_db()
        assert row.attempts == tries
        # Time passes until the next try.
        now = OutgoingEmail.objects.annotate(now=Now()).values_list("now", flat=True).get(pk=row.pk)
        waited = row.next_attempt_at - now
        assert timedelta(0) < waited <= timedelta(minutes=64)
        OutgoingEmail.objects.filter(pk=row.pk).update(next_attempt_at=Now())
    settings.EMAIL_BACKEND = backend
    mail.outbox.clear()
    mailer_tasks.sweep()
    assert [sent.to for sent in mail.outbox] == [[cast.anna.email]]
    assert str(event.uuid) in mail.outbox[0].extra_headers["Message-ID"]
    mailer_tasks.sweep()
    assert len(mail.outbox) == 1


def test_after_three_days_a_mail_is_given_up_and_that_is_written_down(
    cast: Cast, settings: Any
) -> None:
    event = event_of(cast, EventKind.UNUSED)
    fan_out(event.pk)
    emails_about([event]).update(created_at=F("created_at") - timedelta(days=3, hours=1))
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    row = emails_about([event]).get()
    send(row.pk)
    row.refresh_from_db()
    assert row.given_up_at is not None
    assert not OutgoingEmail.objects.due().filter(pk=row.pk).exists()


def test_eight_workers_at_once_make_and_send_one_mail(people: Cast) -> None:
    event = people.consent.events.get(kind=EventKind.REQUESTED)
    FanOut.objects.filter(pk=event.pk).delete()
    emails_about([event]).delete()
    mail.outbox.clear()
    failed: list[Exception] = []

    def work() -> None:
        try:
            fan_out(event.pk)
            for row in emails_about([event]):
                send(row.pk)
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert failed == []
    assert emails_about([event]).count() == 1
    assert [sent.to for sent in mail.outbox if sent.to == [people.anna.email]] == [
        [people.anna.email]
    ]


def test_an_office_can_have_every_decision_mailed_to_all_its_admins(cast: Cast) -> None:
    bea = factories.make_person(
        "Bea",
        cast.janssens,
        muted_notifications=[NotificationPreference.DECISIONS, NotificationPreference.REQUESTS],
    )
    assert bea.email not in deliver(event_of(cast, EventKind.PAUSED))
    anna = logged_in(cast.anna)
    form = {"name": cast.janssens.name, "decisions_to_all": "on"}
    assert anna.post(f"/offices/{cast.janssens.slug}/organization", form).status_code == 303
    assert bea.email in deliver(event_of(cast, EventKind.PAUSED))
    # The other switches stay hers.
    assert bea.email not in deliver(event_of(cast, EventKind.REMINDED))
