"""E-mails about people wait in the outbox: a mail server away for a day loses and doubles none."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as configured
from django.core import mail
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.test import Client as Browser

from accounts.emails import send_invitation, send_password_reset
from accounts.login.email_change import EmailChange
from accounts.models import Invitation
from mailer.models import OutgoingEmail
from mailer.tasks import forget, send, sweep
from tests import factories
from tests.accounts.people import log_in
from tests.accounts.smtp import MailServer
from tests.conftest import Cast, free_port

NEW = "nora.nieuw@office.example"
pytestmark = [pytest.mark.requirement(71), pytest.mark.usefixtures("_empty_outbox")]


@pytest.fixture
def _empty_outbox(request: pytest.FixtureRequest) -> None:
    """What tests of other processes left in the table is none of our business."""
    request.getfixturevalue("people" if "people" in request.fixturenames else "cast")
    OutgoingEmail.objects.all().delete()


@pytest.fixture
def server(settings: Any) -> Iterator[MailServer]:
    """The mail server of these tests; it is down until they start it."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    mails = MailServer(settings.EMAIL_PORT)
    yield mails
    mails.down()


def anna_at_work(cast: Cast) -> Browser:
    anna = Browser()
    assert log_in(anna, cast.anna).status_code == 302
    return anna


def invite(anna: Browser, cast: Cast, path: str = "") -> Any:
    data = {"email": NEW, "role": "user", "language": "nl"}
    return anna.post(f"/offices/{cast.janssens.slug}/users/invite{path}", data, follow=True)


def day_passes() -> int:
    """Every half hour the sweep comes by for a day; how many tries that made."""
    for _ in range(48):
        OutgoingEmail.objects.open().update(
            next_attempt_at=F("next_attempt_at") - timedelta(minutes=30),
            created_at=F("created_at") - timedelta(minutes=30),
        )
        sweep()
    return max(OutgoingEmail.objects.values_list("attempts", flat=True))


def body_of(message: Any) -> str:
    return str(message.get_body(("plain",)).get_content())


def links_to(server: MailServer, mailbox: str) -> list[str]:
    told = "".join(body_of(one) for one in server.mails if one["To"] == mailbox)
    return re.findall(
        r"https?://[^/\s]+(/(?:invitation|accounts/password/reset/key|me/email)/\S+)", told
    )


def test_a_mail_server_away_for_a_day_loses_and_doubles_nothing(
    cast: Cast, server: MailServer
) -> None:
    bea = factories.make_person("Bea", cast.janssens)
    anna = anna_at_work(cast)  # a new device: a mail
    answer = invite(anna, cast, "?next=/me")
    assert "We sent an invitation" in answer.content.decode()
    Browser().post("/accounts/password/reset/", {"email": cast.chloe.email})
    EmailChange(cast.anna, "anna.new@office.example", "old").send_link()
    cast.bram.memberships.get().remove(cast.anna)
    messages = ["email_change", "invitation", "new_login", "password_reset", "people_changed"]
    assert sorted(OutgoingEmail.objects.values_list("message", flat=True)) == messages
    tries = day_passes()
    assert 20 <= tries <= 48
    assert OutgoingEmail.objects.open().count() == 5
    server.up()
    OutgoingEmail.objects.update(next_attempt_at=Now())
    for _ in range(3):
        sweep()
    told = sorted((one["To"], one["Message-ID"]) for one in server.mails)
    assert len(set(told)) == len(told) == 5
    assert sorted(to for to, _id in told) == sorted(
        [cast.anna.email, cast.anna.email, NEW, cast.chloe.email, bea.email]
    )
    assert not OutgoingEmail.objects.open().exists()
    # The links, a day late, lead where they should; what happened is told with its own time.
    (link,) = links_to(server, NEW)
    assert link.endswith("?next=%2Fme")
    assert Browser().get(link).status_code == 200
    (link,) = links_to(server, cast.chloe.email)
    assert Browser().get(link).status_code == 302
    (link,) = links_to(server, cast.anna.email)
    assert anna.get(link).status_code == 200


def test_a_stolen_database_opens_no_invitation(cast: Cast, server: MailServer) -> None:
    invite(anna_at_work(cast), cast)
    with connection.cursor() as cursor:
        cursor.execute(
            "select to_jsonb(l)::text from mailer_outgoingemail l where message = 'invitation'"
        )
        ((row,),) = cursor.fetchall()
        of_janssens = "select to_jsonb(i)::text from accounts_invitation i where office_id = %s"
        cursor.execute(of_janssens, [cast.janssens.pk])
        ((invitation,),) = cursor.fetchall()
    server.up()
    sweep()
    (link,) = links_to(server, NEW)
    key = link.removeprefix("/invitation/").partition(".")[0]
    assert len(key) == 64  # 256 bits
    assert key not in row + invitation
    assert configured.SECRET_KEY not in row
    # Neither what waits in Redis: a number.
    assert send.s(1).args == (1,)


def test_an_invitation_sent_again_before_the_first_mail_went_is_one_mail(
    cast: Cast, server: MailServer
) -> None:
    invite(anna_at_work(cast), cast)
    OutgoingEmail.objects.exclude(message="invitation").delete()
    cast.janssens.invitations.get().resend(cast.anna)
    server.up()
    sweep()
    (link,) = links_to(server, NEW)
    assert Browser().get(link).status_code == 200
    assert OutgoingEmail.objects.filter(given_up_at=None, sent_at__isnull=False).count() == 1
    assert OutgoingEmail.objects.exclude(given_up_at=None).count() == 1


@pytest.mark.parametrize("end", ["revoked", "expired", "accepted"])
def test_an_invitation_that_is_over_is_not_mailed(cast: Cast, server: MailServer, end: str) -> None:
    nora = factories.make_person("Nora", email=NEW)
    invitation = Invitation.objects.invite(
        cast.janssens, cast.anna, email=NEW, role="user", language="en"
    )
    if end == "revoked":
        invitation.revoke(cast.anna)
    elif end == "expired":
        Invitation.objects.update(expires_at=Now() - timedelta(seconds=1))
    else:
        invitation.accept(nora)
    server.up()
    sweep()
    assert [one for one in server.mails if one["To"] == NEW] == []
    assert not OutgoingEmail.objects.open().exists()


def test_a_new_secret_does_not_lose_an_invitation_that_waits(
    cast: Cast, server: MailServer, settings: Any
) -> None:
    Invitation.objects.invite(cast.janssens, cast.anna, email=NEW, role="user", language="en")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-" + factories.PASSWORD
    server.up()
    sweep()
    (link,) = links_to(server, NEW)
    assert Browser().get(link).status_code == 200


def test_an_email_is_written_with_the_invitation_or_not_at_all(cast: Cast) -> None:
    with transaction.atomic():
        Invitation.objects.invite(cast.janssens, cast.anna, email=NEW, role="user", language="en")
        assert OutgoingEmail.objects.exists()
        transaction.set_rollback(True)
    assert not OutgoingEmail.objects.exists()
    assert not cast.janssens.invitations.exists()


def test_a_new_password_ends_the_link_to_a_new_address(cast: Cast, server: MailServer) -> None:
    EmailChange(cast.anna, "anna.new@office.example", "new").send_link()
    cast.anna.set_password("quite another sentence")
    cast.anna.save()
    server.up()
    sweep()
    assert server.mails == []
    assert OutgoingEmail.objects.get().given_up_at is not None


def test_a_reset_asked_for_before_the_account_was_closed_is_not_mailed(
    cast: Cast, server: MailServer
) -> None:
    send_password_reset(cast.anna, "en")
    cast.anna.is_active = False
    cast.anna.save()
    server.up()
    sweep()
    assert server.mails == []


def test_a_server_that_dies_after_it_took_the_mail_gets_the_same_mail_again(
    cast: Cast, server: MailServer
) -> None:
    Invitation.objects.invite(cast.janssens, cast.anna, email=NEW, role="user", language="en")
    server.says_yes = lambda: False
    server.up()
    sweep()
    assert OutgoingEmail.objects.get().sent_at is None
    server.says_yes = lambda: True
    OutgoingEmail.objects.update(next_attempt_at=Now())
    sweep()
    first, second = server.mails
    # The same identifier and the same link: a mail program shows it once, and either one works.
    assert first["Message-ID"] == second["Message-ID"]
    assert len(set(links_to(server, NEW))) == 1


@pytest.mark.parametrize("answer", ["451 later", "550 no such mailbox", "421 closing"])
def test_a_server_that_refuses_is_asked_again_for_three_days(
    cast: Cast, server: MailServer, answer: str
) -> None:
    send_password_reset(cast.anna, "en")
    server.answer = lambda verb: answer if verb == "RCPT" else "250 ok"
    server.up()
    sweep()
    email = OutgoingEmail.objects.get()
    assert (email.attempts, email.sent_at, email.given_up_at) == (1, None, None)
    OutgoingEmail.objects.update(created_at=Now() - timedelta(hours=73), next_attempt_at=Now())
    sweep()
    email.refresh_from_db()
    assert email.given_up_at is not None


def test_a_broker_that_is_away_disturbs_nobody(
    cast: Cast,
    server: MailServer,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    def away(email_id: int) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(send, "delay", away)
    with django_capture_on_commit_callbacks(execute=True):
        answer = Browser().post("/accounts/password/reset/", {"email": cast.anna.email})
    assert answer.status_code == 302
    server.up()
    sweep()
    assert [one["To"] for one in server.mails] == [cast.anna.email]


def test_eight_workers_at_once_send_one_mail(people: Cast, server: MailServer) -> None:
    send_password_reset(people.anna, "en")
    email = OutgoingEmail.objects.latest("pk")
    server.up()
    failed: list[Exception] = []

    def work() -> None:
        try:
            send(email.pk)
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
    assert [one["To"] for one in server.mails] == [people.anna.email]


def test_after_a_month_nobody_knows_who_was_mailed(cast: Cast) -> None:
    for _ in range(3):
        send_password_reset(cast.anna, "en")
    old, young, waiting = OutgoingEmail.objects.order_by("pk")
    for email in (old, young):
        email.mark_sent()
    OutgoingEmail.objects.exclude(pk=young.pk).update(created_at=Now() - timedelta(days=31))
    assert forget() == 1
    assert set(OutgoingEmail.objects.all()) == {young, waiting}


def test_the_other_admins_are_told_in_the_transaction_of_the_change(cast: Cast) -> None:
    bea = factories.make_person("Bea", cast.janssens)
    cast.bram.memberships.get().remove(cast.anna)
    email = OutgoingEmail.objects.get()
    event = cast.janssens.office_events.get(kind="removed")
    assert (email.recipient, email.context["event"]) == (bea.email, event.pk)
    assert mail.outbox == []
    sweep()
    assert [sent.to for sent in mail.outbox] == [[bea.email]]


def test_a_seed_of_another_invitation_opens_none(cast: Cast, server: MailServer) -> None:
    invitation = Invitation.objects.invite(
        cast.janssens, cast.anna, email=NEW, role="user", language="en"
    )
    OutgoingEmail.objects.all().delete()
    send_invitation(invitation, cast.janssens.office_events.latest("pk"), "guessed")
    server.up()
    sweep()
    assert server.mails == []
