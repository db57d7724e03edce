"""Mails about people wait in the database: a mail server away for a day loses and doubles none."""

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

from accounts.address import AddressChange
from accounts.letters import send_reset_link, tell_of_invitation
from accounts.models import Invitation, Letter
from accounts.tasks import forget_letters, send_letter, sweep_letters
from tests import factories
from tests.accounts.people import log_in
from tests.accounts.smtp import MailServer
from tests.conftest import Cast, free_port

NEW = "nora.nieuw@office.example"
pytestmark = pytest.mark.usefixtures("slow_worker", "_no_letter")


@pytest.fixture
def _no_letter(request: pytest.FixtureRequest) -> None:
    """What tests of other processes left in the table is none of our business."""
    request.getfixturevalue("people" if "people" in request.fixturenames else "cast")
    Letter.objects.all().delete()


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


def an_at_work(cast: Cast) -> Browser:
    an = Browser()
    assert log_in(an, cast.an).status_code == 302
    return an


def invite(an: Browser, cast: Cast, path: str = "") -> Any:
    data = {"email": NEW, "role": "user", "language": "nl"}
    return an.post(f"/offices/{cast.janssens.slug}/users/invite{path}", data, follow=True)


def day_passes() -> int:
    """Every half hour the sweep comes by for a day; how many tries that made."""
    for _ in range(48):
        Letter.objects.open().update(
            next_at=F("next_at") - timedelta(minutes=30),
            made_at=F("made_at") - timedelta(minutes=30),
        )
        sweep_letters()
    return max(Letter.objects.values_list("attempts", flat=True))


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
    an = an_at_work(cast)  # a new device: a mail
    answer = invite(an, cast, "?next=/me")
    assert "on its way" in answer.content.decode()
    Browser().post("/accounts/password/reset/", {"email": cast.chloe.email})
    AddressChange(cast.an, "an.new@office.example", "old").mail()
    cast.bram.memberships.get().remove(cast.an)
    kinds = ["address", "invitation", "new_login", "password_reset", "people_changed"]
    assert sorted(Letter.objects.values_list("kind", flat=True)) == kinds
    tries = day_passes()
    assert 20 <= tries <= 48
    assert Letter.objects.open().count() == 5
    server.up()
    Letter.objects.update(next_at=Now())
    for _ in range(3):
        sweep_letters()
    told = sorted((one["To"], one["Message-ID"]) for one in server.mails)
    assert len(set(told)) == len(told) == 5
    assert sorted(to for to, _id in told) == sorted(
        [cast.an.email, cast.an.email, NEW, cast.chloe.email, bea.email]
    )
    assert not Letter.objects.open().exists()
    # The links, a day late, lead where they should; what happened is told with its own time.
    (link,) = links_to(server, NEW)
    assert link.endswith("?next=%2Fme")
    assert Browser().get(link).status_code == 200
    (link,) = links_to(server, cast.chloe.email)
    assert Browser().get(link).status_code == 302
    (link,) = links_to(server, cast.an.email)
    assert an.get(link).status_code == 200


def test_a_stolen_database_opens_no_invitation(cast: Cast, server: MailServer) -> None:
    invite(an_at_work(cast), cast)
    with connection.cursor() as cursor:
        cursor.execute("select to_jsonb(l)::text from accounts_letter l where kind = 'invitation'")
        ((row,),) = cursor.fetchall()
        of_janssens = "select to_jsonb(i)::text from accounts_invitation i where office_id = %s"
        cursor.execute(of_janssens, [cast.janssens.pk])
        ((invitation,),) = cursor.fetchall()
    server.up()
    sweep_letters()
    (link,) = links_to(server, NEW)
    key = link.removeprefix("/invitation/").partition(".")[0]
    assert len(key) == 64  # 256 bits
    assert key not in row + invitation
    assert configured.SECRET_KEY not in row
    # Neither what waits in Redis: a number.
    assert send_letter.s(1).args == (1,)


def test_an_invitation_sent_again_before_the_first_mail_went_is_one_mail(
    cast: Cast, server: MailServer
) -> None:
    invite(an_at_work(cast), cast)
    Letter.objects.exclude(kind="invitation").delete()
    cast.janssens.invitations.get().resend(cast.an)
    server.up()
    sweep_letters()
    (link,) = links_to(server, NEW)
    assert Browser().get(link).status_code == 200
    assert Letter.objects.filter(given_up_at=None, sent_at__isnull=False).count() == 1
    assert Letter.objects.exclude(given_up_at=None).count() == 1


@pytest.mark.parametrize("end", ["revoked", "expired", "accepted"])
def test_an_invitation_that_is_over_is_not_mailed(cast: Cast, server: MailServer, end: str) -> None:
    nora = factories.make_person("Nora", email=NEW)
    invitation = Invitation.objects.invite(
        cast.janssens, cast.an, email=NEW, role="user", language="en"
    )
    if end == "revoked":
        invitation.revoke(cast.an)
    elif end == "expired":
        Invitation.objects.update(expires_at=Now() - timedelta(seconds=1))
    else:
        invitation.accept(nora)
    server.up()
    sweep_letters()
    assert [one for one in server.mails if one["To"] == NEW] == []
    assert not Letter.objects.open().exists()


def test_a_new_secret_does_not_lose_an_invitation_that_waits(
    cast: Cast, server: MailServer, settings: Any
) -> None:
    Invitation.objects.invite(cast.janssens, cast.an, email=NEW, role="user", language="en")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-" + factories.PASSWORD
    server.up()
    sweep_letters()
    (link,) = links_to(server, NEW)
    assert Browser().get(link).status_code == 200


def test_a_letter_is_written_with_the_invitation_or_not_at_all(cast: Cast) -> None:
    with transaction.atomic():
        Invitation.objects.invite(cast.janssens, cast.an, email=NEW, role="user", language="en")
        assert Letter.objects.exists()
        transaction.set_rollback(True)
    assert not Letter.objects.exists()
    assert not cast.janssens.invitations.exists()


def test_a_link_to_a_new_address_is_dead_once_the_password_is_another(
    cast: Cast, server: MailServer
) -> None:
    AddressChange(cast.an, "an.new@office.example", "new").mail()
    cast.an.set_password("quite another sentence")
    cast.an.save()
    server.up()
    sweep_letters()
    assert server.mails == []
    assert Letter.objects.get().given_up_at is not None


def test_a_reset_asked_for_before_the_account_was_closed_is_not_mailed(
    cast: Cast, server: MailServer
) -> None:
    send_reset_link(cast.an, "en")
    cast.an.is_active = False
    cast.an.save()
    server.up()
    sweep_letters()
    assert server.mails == []


def test_a_server_that_dies_after_it_took_the_mail_gets_the_same_mail_again(
    cast: Cast, server: MailServer
) -> None:
    Invitation.objects.invite(cast.janssens, cast.an, email=NEW, role="user", language="en")
    server.says_yes = lambda: False
    server.up()
    sweep_letters()
    assert Letter.objects.get().sent_at is None
    server.says_yes = lambda: True
    Letter.objects.update(next_at=Now())
    sweep_letters()
    first, second = server.mails
    # The same identifier and the same link: a mail program shows it once, and either one works.
    assert first["Message-ID"] == second["Message-ID"]
    assert len(set(links_to(server, NEW))) == 1


@pytest.mark.parametrize("answer", ["451 later", "550 no such mailbox", "421 closing"])
def test_a_server_that_refuses_is_asked_again_for_three_days(
    cast: Cast, server: MailServer, answer: str
) -> None:
    send_reset_link(cast.an, "en")
    server.answer = lambda verb: answer if verb == "RCPT" else "250 ok"
    server.up()
    sweep_letters()
    letter = Letter.objects.get()
    assert (letter.attempts, letter.sent_at, letter.given_up_at) == (1, None, None)
    Letter.objects.update(made_at=Now() - timedelta(hours=73), next_at=Now())
    sweep_letters()
    letter.refresh_from_db()
    assert letter.given_up_at is not None


def test_a_broker_that_is_away_disturbs_nobody(
    cast: Cast,
    server: MailServer,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    def away(letter_id: int) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(send_letter, "delay", away)
    with django_capture_on_commit_callbacks(execute=True):
        answer = Browser().post("/accounts/password/reset/", {"email": cast.an.email})
    assert answer.status_code == 302
    server.up()
    sweep_letters()
    assert [one["To"] for one in server.mails] == [cast.an.email]


def test_eight_workers_at_once_send_one_mail(people: Cast, server: MailServer) -> None:
    send_reset_link(people.an, "en")
    letter = Letter.objects.latest("pk")
    server.up()
    failed: list[Exception] = []

    def work() -> None:
        try:
            send_letter(letter.pk)
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
    assert [one["To"] for one in server.mails] == [people.an.email]


def test_after_a_month_nobody_knows_who_was_mailed(cast: Cast) -> None:
    for _ in range(3):
        send_reset_link(cast.an, "en")
    old, young, waiting = Letter.objects.order_by("pk")
    for letter in (old, young):
        letter.sent()
    Letter.objects.exclude(pk=young.pk).update(made_at=Now() - timedelta(days=31))
    assert forget_letters() == 1
    assert set(Letter.objects.all()) == {young, waiting}


def test_the_other_admins_are_told_in_the_transaction_of_the_change(cast: Cast) -> None:
    bea = factories.make_person("Bea", cast.janssens)
    cast.bram.memberships.get().remove(cast.an)
    letter = Letter.objects.get()
    assert (letter.to, letter.event) == (bea.email, cast.janssens.people_events.get(kind="removed"))
    assert mail.outbox == []
    sweep_letters()
    assert [sent.to for sent in mail.outbox] == [[bea.email]]


def test_a_seed_of_another_invitation_opens_none(cast: Cast, server: MailServer) -> None:
    invitation = Invitation.objects.invite(
        cast.janssens, cast.an, email=NEW, role="user", language="en"
    )
    Letter.objects.all().delete()
    tell_of_invitation(invitation, "guessed")
    server.up()
    sweep_letters()
    assert server.mails == []
