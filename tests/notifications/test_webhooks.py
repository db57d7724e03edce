"""Software is told of every decision: in order, at least once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from werkzeug import Request, Response

from consents.models import ConsentEvent, EventKind
from consents.scope import ScopeChange, change_scope
from notifications.fan_out import fan_out
from notifications.models import Delivery, WebhookEndpoint
from notifications.models.webhook_endpoint import EVENT_NAMES
from notifications.tasks import sweep
from notifications.webhooks.endpoints import deliver, email_trouble
from notifications.webhooks.send import MAX_ANSWER_SIZE
from tests import factories
from tests.conftest import ROOT, Cast
from tests.databases import address_of_database
from tests.factories import acting, allow
from tests.notifications.receiver import Receiver, hear, later

pytestmark = pytest.mark.usefixtures("quick_worker")


@pytest.mark.requirement(70)
def test_every_decision_is_told_in_order_by_identifiers_only(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    allow(cast.consent, cast.anna)
    for verb in ("pause", "resume", "cancel"):
        getattr(cast.fresh(), verb)(acting(cast.anna))
    hear(endpoint)
    assert receiver.told == ["confirmed", "paused", "resumed", "cancelled"]
    event = cast.consent.events.get(kind=EventKind.ALLOWED)
    first = receiver.got[0]
    assert first["id"] == str(event.uuid)
    assert first["relationships"] == {
        "accountingOfficeConsent": {
            "data": {"type": "accountingOfficeConsent", "id": str(cast.consent.uuid)}
        }
    }
    assert set(first) == {"type", "id", "attributes", "relationships"}
    assert set(first["attributes"]) == {"createdAt"}
    for body in receiver.bodies:
        assert len(body) < 2048
        for personal in (cast.anna.email, "Anna", cast.janssens.name, cast.janssens.company_number):
            assert personal.encode() not in body


def test_a_denial_and_a_lapse_are_told_and_a_note_between_colleagues_is_not(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    cast.consent.ask_admins(acting(cast.bram), [], "please")
    cast.consent.deny(acting(cast.anna))
    hear(endpoint)
    assert receiver.told == ["denied"]


def test_a_change_of_the_scope_is_told_once_the_consent_is_allowed(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    by = acting(cast.anna)
    less = ScopeChange(clients_out=(cast.bakery.pk,))
    change_scope(cast.fresh(), by, less)  # a request: the software can read nothing yet
    allow(cast.consent, cast.anna)
    change_scope(cast.fresh(), by, ScopeChange(kinds_out=("salesInvoice",)))
    more = ScopeChange(clients_in=(cast.bakery.pk,))
    change_scope(cast.fresh(), by, more, factories.terms_in_force())
    hear(endpoint)
    assert receiver.told == ["confirmed", "scopeChanged", "scopeChanged"]
    last = receiver.got[-1]
    assert last["type"] == "codaboxConnect.accountingOfficeConsent.scopeChanged"
    consent = {"type": "accountingOfficeConsent", "id": str(cast.consent.uuid)}
    assert last["relationships"] == {"accountingOfficeConsent": {"data": consent}}
    # Identifiers only: neither the kind nor the company stands in it.
    assert cast.bakery.company_number.encode() not in receiver.bodies[-1]
    assert b"salesInvoice" not in receiver.bodies[1]


def test_another_software_hears_nothing(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    consent = factories.make_request(cast.janssens, cast.tally)
    consent.deny(acting(cast.anna))
    hear(endpoint)
    assert receiver.got == []


@pytest.mark.requirement(65)
@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 429, 500, 502, 503, 504])
def test_every_refusal_is_tried_again_and_redirects_are_not_followed(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver, status: int
) -> None:
    receiver.answers(status, Location=receiver.server.url_for("/elsewhere"))
    allow(cast.consent, cast.anna)
    hear(endpoint)
    row = Delivery.objects.get()
    assert (row.attempts, row.answer, row.delivered_at) == (1, str(status), None)
    assert [entry[0].path for entry in receiver.server.log] == ["/hook"]
    deliver(endpoint.pk)  # not before its time
    assert len(receiver.got) == 1
    receiver.answers(200)
    later(endpoint)
    deliver(endpoint.pk)
    assert receiver.got[0]["id"] == receiver.got[1]["id"]
    assert Delivery.objects.get().delivered_at


@pytest.mark.requirement(65)
def test_a_receiver_says_how_long_to_wait(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    receiver.answers(429, **{"Retry-After": "7200"})
    allow(cast.consent, cast.anna)
    hear(endpoint)
    row = Delivery.objects.get()
    assert timedelta(minutes=119) < row.next_at - row.created_at < timedelta(minutes=122)


@pytest.mark.requirement(65)
def test_410_switches_the_endpoint_off_and_people_are_told(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver, eager: None
) -> None:
    receiver.answers(410)
    allow(cast.consent, cast.anna)
    cast.fresh().pause(acting(cast.anna))
    hear(endpoint)
    endpoint.refresh_from_db()
    assert (endpoint.off_at is not None, endpoint.off_reason) == (True, "gone")
    assert len(receiver.got) == 1
    assert not Delivery.objects.open().exists()
    assert cast.ledgerly.email in {m.to[0] for m in mail.outbox if "410" in str(m.body)}
    cast.fresh().cancel(acting(cast.anna))
    hear(endpoint)
    assert len(receiver.got) == 1


@pytest.mark.requirement(64)
def test_a_receiver_that_is_away_for_70_hours_is_told_in_the_end(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    receiver.answers(503)
    allow(cast.consent, cast.anna)
    hear(endpoint)
    for _hour in range(14):
        later(endpoint, hours=5)
        deliver(endpoint.pk)
    assert Delivery.objects.get().attempts == 15
    assert Delivery.objects.get().given_up_at is None
    receiver.answers(200)
    later(endpoint)
    deliver(endpoint.pk)
    assert Delivery.objects.get().delivered_at
    assert len({one["id"] for one in receiver.got}) == 1


@pytest.mark.requirement(64)
def test_after_three_days_it_is_given_up_flagged_and_told(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver, eager: None
) -> None:
    receiver.answers(500)
    allow(cast.consent, cast.anna)
    cast.fresh().pause(acting(cast.anna))
    hear(endpoint)
    for _try in range(8):
        later(endpoint, hours=9)
        deliver(endpoint.pk)
    assert not Delivery.objects.filter(given_up_at__isnull=False).exists()
    later(endpoint, hours=9)
    mail.outbox.clear()
    deliver(endpoint.pk)
    first, second = Delivery.objects.order_by("event")
    assert first.given_up_at
    assert first.attempts == 10
    endpoint.refresh_from_db()
    assert endpoint.flagged_at
    assert {m.to[0] for m in mail.outbox} >= {cast.ledgerly.email}
    # The next one of this consent is not held back for ever.
    assert second.attempts >= 1
    receiver.answers(200)
    later(endpoint)
    deliver(endpoint.pk)
    assert receiver.told[-1] == "paused"


@pytest.mark.requirement(64)
def test_the_waits_grow_differ_and_add_up_to_three_days(
    cast: Cast, endpoint: WebhookEndpoint
) -> None:
    allow(cast.consent, cast.anna)
    hear(endpoint)
    seen: list[set[float]] = []
    for attempts in range(1, 15):
        row = Delivery.objects.get()
        row.attempts = attempts
        waits = set()
        for _roll in range(5):
            Delivery.objects.update(delivered_at=None, attempts=1)
            row.failed("500")
            fresh = Delivery.objects.get()
            with connection.cursor() as cursor:
                cursor.execute("select statement_timestamp()")
                waits.add(round((fresh.next_at - cursor.fetchone()[0]).total_seconds(), 3))
        assert len(waits) > 1
        seen.append(waits)
    assert all(min(b) > max(a) for a, b in pairwise(seen[:8]))
    assert sum(min(waits) for waits in seen) >= 72 * 3600


@pytest.mark.parametrize("language", ["en", "nl", "fr", "de"])
def test_the_mail_about_trouble_in_each_language(
    cast: Cast, endpoint: WebhookEndpoint, settings: Any, language: str
) -> None:
    settings.LANGUAGE_CODE = language
    email_trouble(endpoint.pk)
    assert {m.to[0] for m in mail.outbox} == {cast.ledgerly.email, settings.PORTAL_SUPPORT_EMAIL}
    assert endpoint.url in str(mail.outbox[0].body)


@pytest.mark.requirement(65)
def test_a_slow_drip_a_flood_and_half_an_answer_end(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notifications.webhooks.send.TIMEOUT", 1.0)
    stop = threading.Event()

    def drip(request: Request) -> Response:
        def drops() -> Iterator[bytes]:
            while not stop.wait(0.1):
                yield b"."

        return Response(drops(), status=200)

    receiver.answer = drip
    allow(cast.consent, cast.anna)
    hear(endpoint)
    stop.set()
    assert Delivery.objects.get().answer == "no answer in time"

    sent = 0

    def flood(request: Request) -> Response:
        def parts() -> Iterator[bytes]:
            nonlocal sent
            for _part in range(10_000):
                sent += 8192
                yield b"." * 8192

        return Response(parts(), status=200)

    receiver.answer = flood
    later(endpoint)
    deliver(endpoint.pk)
    assert Delivery.objects.get().delivered_at
    assert MAX_ANSWER_SIZE < 10_000 * 8192
    assert sent < 10_000 * 8192


@pytest.mark.requirement(65)
def test_a_certificate_that_nobody_vouches_for_is_no_receiver(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    url = endpoint.url.replace("http://", "https://")  # it speaks no TLS at all
    WebhookEndpoint.objects.update(url=url)
    allow(cast.consent, cast.anna)
    hear(endpoint)
    assert "Error" in Delivery.objects.get().answer
    assert receiver.got == []


def test_nobody_is_told_twice_by_two_workers_and_nobody_overtakes(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    allow(cast.consent, cast.anna)
    cast.fresh().pause(acting(cast.anna))
    for event in ConsentEvent.objects.filter(fan_out=None).order_by("-pk"):
        fan_out(event.pk)  # the bell of the second came first
        fan_out(event.pk)
    inside: list[int] = []

    def meanwhile(request: Request) -> Response:
        inside.append(1)
        return Response(status=500 if len(inside) == 1 else 204)

    receiver.answer = meanwhile
    assert endpoint.lease()
    deliver(endpoint.pk)  # another worker has it
    assert receiver.got == []
    endpoint.release()
    deliver(endpoint.pk)
    assert receiver.told == ["confirmed"]  # the pause waits behind it
    later(endpoint)
    deliver(endpoint.pk)
    assert receiver.told == ["confirmed", "confirmed", "paused"]


def test_an_event_whose_signal_was_lost_is_not_overtaken(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    allow(cast.consent, cast.anna)
    cast.fresh().pause(acting(cast.anna))
    fan_out(cast.consent.events.get(kind=EventKind.PAUSED).pk)
    deliver(endpoint.pk)
    assert receiver.got == []
    fan_out(cast.consent.events.get(kind=EventKind.ALLOWED).pk)
    deliver(endpoint.pk)
    assert receiver.told == ["confirmed", "paused"]


def test_the_sweep_finds_what_nobody_woke(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver, eager: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("notifications.tasks.TOO_YOUNG", timedelta(0))
    allow(cast.consent, cast.anna)
    sweep()
    assert receiver.told == ["confirmed"]
    sweep()
    assert receiver.told == ["confirmed"]


CHILD = """
import django; django.setup()
from notifications.webhooks.endpoints import deliver
deliver({endpoint})
"""


@pytest.mark.kills
def test_a_sender_that_is_killed_is_followed_by_one_with_the_same_identifier(
    people: Cast, receiver: Receiver
) -> None:
    factories.make_application(people.ledgerly)
    url = receiver.server.url_for("/hook")
    endpoint = WebhookEndpoint.objects.create(partner=people.ledgerly, url=url)
    allow(people.consent, people.anna)
    for event in ConsentEvent.objects.filter(consent=people.consent).order_by("pk"):
        fan_out(event.pk)
    child: list[subprocess.Popen[bytes]] = []

    def kill(request: Request) -> Response:
        child[0].send_signal(signal.SIGKILL)
        return Response(status=204)

    receiver.answer = kill
    environment = os.environ | {
        "DATABASE_URL": address_of_database(),
        "PORTAL_WEBHOOKS_ALLOW_LOOPBACK": "1",
        "DJANGO_SETTINGS_MODULE": "codabox_portal.settings",
    }
    program = CHILD.format(endpoint=endpoint.pk)
    child.append(subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, env=environment))
    assert child[0].wait(60) == -signal.SIGKILL
    assert len(receiver.got) == 1
    row = endpoint.deliveries.get()
    assert (row.delivered_at, row.attempts) == (None, 1)
    receiver.answers(204)
    deliver(endpoint.pk)  # the lease of the dead one holds
    assert len(receiver.got) == 1
    later(endpoint)
    deliver(endpoint.pk)
    assert receiver.got[0]["id"] == receiver.got[1]["id"]
    assert endpoint.deliveries.get().delivered_at


def test_sent_again_it_has_the_same_identifier(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    allow(cast.consent, cast.anna)
    hear(endpoint)
    Delivery.objects.get().send_again()
    deliver(endpoint.pk)
    assert [one["id"] for one in receiver.got] == [str(receiver.got[0]["id"])] * 2


def test_every_kind_on_the_wire_is_one_of_the_contract() -> None:
    assert sorted(EVENT_NAMES.values()) == [
        "cancelled", "confirmed", "denied", "lapsed", "paused", "resumed",
        "scopeChanged", "scopeChanged",
    ]  # fmt: skip
