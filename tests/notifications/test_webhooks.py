"""A software is told of every decision: signed, in order, at least once, and never inside."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import httpcore
import jwt
import pytest
import time_machine
from django.core import mail
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection
from django.db.models import F
from django.db.models.functions import Now
from joserfc import jwt as other_jwt
from joserfc.jwk import KeySet
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from consents.models import ConsentEvent, EventKind
from notifications import guarded
from notifications.models import Delivery, WebhookEndpoint, WebhookKey
from notifications.tasks import deliver, fan_out, sweep, tell_of_trouble
from notifications.webhook_endpoints import NAMES, check_address
from notifications.webhooks import READ_AT_MOST, body_of, signature_of
from tests import factories
from tests.conftest import ROOT, Cast, test_database_url
from tests.factories import acting, allow


@pytest.fixture(autouse=True)
def _loopback(settings: Any) -> None:
    settings.PORTAL_WEBHOOKS_ALLOW_LOOPBACK = True


class Receiver:
    """The server of a software: what it got, and what it answers."""

    def __init__(self, server: HTTPServer) -> None:
        self.server = server
        self.got: list[dict[str, Any]] = []
        self.signatures: list[str] = []
        self.bodies: list[bytes] = []
        self.answer: Callable[[Request], Response] = lambda request: Response(status=204)
        server.expect_request("/hook").respond_with_handler(self._hear)

    def _hear(self, request: Request) -> Response:
        self.bodies.append(request.get_data())
        self.got.append(json.loads(request.get_data())["data"])
        self.signatures.append(request.headers["Signature"])
        return self.answer(request)

    def answers(self, status: int, **headers: str) -> None:
        self.answer = lambda request: Response(status=status, headers=headers)

    @property
    def told(self) -> list[str]:
        return [one["type"].rpartition(".")[2] for one in self.got]


@pytest.fixture
def receiver(httpserver: HTTPServer) -> Receiver:
    return Receiver(httpserver)


@pytest.fixture
def endpoint(cast: Cast, receiver: Receiver) -> WebhookEndpoint:
    factories.make_application(cast.ledgerly)
    url = receiver.server.url_for("/hook")
    return WebhookEndpoint.objects.create(partner=cast.ledgerly, url=url)


def hear(endpoint: WebhookEndpoint) -> None:
    """What the bell wakes: fan out what happened, then tell it."""
    for event_id in ConsentEvent.objects.filter(fan_out=None).order_by("pk").values_list("pk"):
        fan_out(event_id[0])
    deliver(endpoint.pk)


def later(endpoint: WebhookEndpoint, **ago: float) -> None:
    """Let what waits be due now, and everything be so much older."""
    old = timedelta(**ago)
    endpoint.deliveries.update(next_at=Now(), made_at=F("made_at") - old)
    WebhookEndpoint.objects.update(busy_until=None)


def test_every_decision_is_told_in_order_by_identifiers_only(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    allow(cast.consent, cast.an)
    for verb in ("pause", "resume", "cancel"):
        getattr(cast.fresh(), verb)(acting(cast.an))
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
        for personal in (cast.an.email, "An", cast.janssens.name, cast.janssens.company_number):
            assert personal.encode() not in body


def test_a_denial_and_a_lapse_are_told_and_a_note_between_colleagues_is_not(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    cast.consent.ask_admins(acting(cast.bram), [], "please")
    cast.consent.deny(acting(cast.an))
    hear(endpoint)
    assert receiver.told == ["denied"]


def test_another_software_hears_nothing(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    consent = factories.make_request(cast.janssens, cast.tally)
    consent.deny(acting(cast.an))
    hear(endpoint)
    assert receiver.got == []


def test_two_libraries_verify_the_signature_through_a_rotation(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    allow(cast.consent, cast.an)
    hear(endpoint)
    WebhookKey.objects.update(made_at=Now() - timedelta(hours=2))
    call_command("rotate_webhook_key", stdout=open(os.devnull, "w"))  # noqa: SIM115
    cast.fresh().pause(acting(cast.an))
    hear(endpoint)
    WebhookKey.objects.update(made_at=Now() - timedelta(hours=2))
    cast.fresh().resume(acting(cast.an))
    hear(endpoint)
    kids = [jwt.get_unverified_header(token)["kid"] for token in receiver.signatures]
    # Published first, and signing only an hour later.
    assert kids[0] == kids[1] != kids[2]
    published = {"keys": [key.as_jwk() for key in WebhookKey.objects.published()]}
    client = cast.ledgerly.applications.get().client_id
    for token, body in zip(receiver.signatures, receiver.bodies, strict=True):
        for claims in (verified(token, published, client), verified_too(token, published)):
            assert claims["digest"] == base64.b64encode(hashlib.sha512(body).digest()).decode()
            assert claims["aud"] == client
            assert claims["iss"].endswith("/codabox-connect")
            assert 0 < claims["exp"] - claims["iat"] <= 300
    assert len({verified_too(t, published)["jti"] for t in receiver.signatures}) == 3


def verified(token: str, published: dict[str, Any], client: str) -> dict[str, Any]:
    """The claims, by PyJWT."""
    keys = jwt.PyJWKSet.from_dict(published)
    key = keys[jwt.get_unverified_header(token)["kid"]]
    told: dict[str, Any] = jwt.decode(token, key, algorithms=["RS512"], audience=client)
    return told


def verified_too(token: str, published: dict[str, Any]) -> dict[str, Any]:
    """The claims, by joserfc."""
    keys = KeySet.import_key_set(published)  # type: ignore[arg-type]
    return dict(other_jwt.decode(token, keys, algorithms=["RS512"]).claims)


def test_a_changed_byte_an_old_token_and_another_audience_are_noticed(
    cast: Cast, endpoint: WebhookEndpoint
) -> None:
    allow(cast.consent, cast.an)
    body = body_of(cast.consent.events.get(kind=EventKind.ALLOWED))
    token = signature_of(body, cast.ledgerly)
    published = {"keys": [key.as_jwk() for key in WebhookKey.objects.published()]}
    client = cast.ledgerly.applications.get().client_id
    digest = base64.b64encode(hashlib.sha512(body[:-1] + b"x").digest()).decode()
    assert verified(token, published, client)["digest"] != digest
    with pytest.raises(jwt.InvalidAudienceError):
        verified(token, published, "somebody else")
    head, claims, seal = token.split(".")
    with pytest.raises(jwt.InvalidSignatureError):
        verified(f"{head}.{claims[:-2]}AA.{seal}", published, client)
    after = datetime.now(tz=UTC) + timedelta(seconds=301)
    with time_machine.travel(after), pytest.raises(jwt.ExpiredSignatureError):
        verified(token, published, client)


def test_the_keys_have_3072_bits_and_lie_encrypted(cast: Cast) -> None:
    key = WebhookKey.objects.signing()
    public = key.as_jwk()
    size = len(base64.urlsafe_b64decode(public["n"] + "==")) * 8
    assert size == 3072
    assert (public["use"], public["alg"], public["status"]) == ("sig", "RS512", "ACTIVE")
    private = json.loads(key.private().export_private())
    with connection.cursor() as cursor:
        cursor.execute("select to_jsonb(k)::text from notifications_webhookkey k")
        stored = cursor.fetchone()[0]
    assert private["d"] not in stored
    for _again in range(3):
        WebhookKey.objects.rotate()
    assert WebhookKey.objects.count() == 2


@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 429, 500, 502, 503, 504])
def test_every_refusal_is_tried_again_and_redirects_are_not_followed(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver, status: int
) -> None:
    receiver.answers(status, Location=receiver.server.url_for("/elsewhere"))
    allow(cast.consent, cast.an)
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


def test_a_receiver_says_how_long_to_wait(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    receiver.answers(429, **{"Retry-After": "7200"})
    allow(cast.consent, cast.an)
    hear(endpoint)
    row = Delivery.objects.get()
    assert timedelta(minutes=119) < row.next_at - row.made_at < timedelta(minutes=122)


def test_410_switches_the_endpoint_off_and_people_are_told(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver, eager: None
) -> None:
    receiver.answers(410)
    allow(cast.consent, cast.an)
    cast.fresh().pause(acting(cast.an))
    hear(endpoint)
    endpoint.refresh_from_db()
    assert (endpoint.off_at is not None, endpoint.off_reason) == (True, "gone")
    assert len(receiver.got) == 1
    assert not Delivery.objects.open().exists()
    assert cast.ledgerly.email in {m.to[0] for m in mail.outbox if "410" in str(m.body)}
    cast.fresh().cancel(acting(cast.an))
    hear(endpoint)
    assert len(receiver.got) == 1


def test_a_receiver_that_is_away_for_70_hours_is_told_in_the_end(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    receiver.answers(503)
    allow(cast.consent, cast.an)
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


def test_after_three_days_it_is_given_up_flagged_and_told(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver, eager: None
) -> None:
    receiver.answers(500)
    allow(cast.consent, cast.an)
    cast.fresh().pause(acting(cast.an))
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


def test_the_waits_grow_differ_and_add_up_to_three_days(
    cast: Cast, endpoint: WebhookEndpoint
) -> None:
    allow(cast.consent, cast.an)
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
    tell_of_trouble(endpoint.pk)
    assert {m.to[0] for m in mail.outbox} == {cast.ledgerly.email, settings.PORTAL_SUPPORT_EMAIL}
    assert endpoint.url in str(mail.outbox[0].body)


def test_a_slow_drip_a_flood_and_half_an_answer_end(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("notifications.webhooks.TRY_FOR", 1.0)
    stop = threading.Event()

    def drip(request: Request) -> Response:
        def drops() -> Iterator[bytes]:
            while not stop.wait(0.1):
                yield b"."

        return Response(drops(), status=200)

    receiver.answer = drip
    allow(cast.consent, cast.an)
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
    assert READ_AT_MOST < 10_000 * 8192
    assert sent < 10_000 * 8192


def test_a_certificate_that_nobody_vouches_for_is_no_receiver(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    url = endpoint.url.replace("http://", "https://")  # it speaks no TLS at all
    WebhookEndpoint.objects.update(url=url)
    allow(cast.consent, cast.an)
    hear(endpoint)
    assert "Error" in Delivery.objects.get().answer
    assert receiver.got == []


FORBIDDEN = [
    "127.0.0.1", "127.1", "localhost", "2130706433", "0x7f000001", "0177.0.0.1", "0", "0.0.0.0",
    "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "[fe80::1]", "[fc00::1]", "[fd00:ec2::254]", "224.0.0.1", "[ff02::1]", "240.0.0.1",
    "255.255.255.255", "198.18.0.1", "192.0.2.1", "[2001:db8::1]", "[::ffff:10.0.0.1]",
]  # fmt: skip


@pytest.mark.parametrize("host", FORBIDDEN)
def test_no_connection_ever_ends_inside(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver, settings: Any, host: str
) -> None:
    settings.PORTAL_WEBHOOKS_ALLOW_LOOPBACK = False
    url = f"http://{host}:{receiver.server.port}/hook"
    WebhookEndpoint.objects.update(url=url)
    allow(cast.consent, cast.an)
    hear(endpoint)
    assert receiver.got == []
    answer = Delivery.objects.get().answer
    assert "AddressRefused" in answer or "no such host" in answer, answer


def test_a_name_that_turns_inside_after_the_check_is_not_looked_up_again(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver, settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Rebinding: the first look-up says a public address, every later one this machine."""
    settings.PORTAL_WEBHOOKS_ALLOW_LOOPBACK = False
    monkeypatch.setattr("notifications.webhooks.TRY_FOR", 1.0)
    asked: list[str] = []
    port = receiver.server.port
    look_up = guarded.socket.getaddrinfo

    def answers(host: str, *args: Any, **more: Any) -> list[Any]:
        if host != "rebinding.example":
            return look_up(host, *args, **more)
        asked.append(host)
        address = "203.0.114.1" if len(asked) == 1 else "127.0.0.1"
        return [(2, 1, 6, "", (address, port))]

    monkeypatch.setattr(guarded.socket, "getaddrinfo", answers)
    reached: list[str] = []
    real = httpcore.SyncBackend.connect_tcp

    def connect(self: Any, host: str, *args: Any, **more: Any) -> Any:
        reached.append(host)
        return real(self, host, *args, **more)

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    WebhookEndpoint.objects.update(url=f"http://rebinding.example:{port}/hook")
    allow(cast.consent, cast.an)
    hear(endpoint)
    assert asked == ["rebinding.example"]
    assert reached == ["203.0.114.1"]
    assert receiver.got == []


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_the_public_internet_is_open(address: str) -> None:
    assert guarded.is_public(address)


@pytest.mark.parametrize(
    "url", ["", "ftp://x.example", "http://x.example", "https://", "https://a:b@x.example/",
            "https://x.example/#top", "x.example"]
)  # fmt: skip
def test_an_address_that_no_webhook_may_have(url: str, settings: Any) -> None:
    settings.PORTAL_WEBHOOKS_ALLOW_LOOPBACK = False
    with pytest.raises(ValidationError):
        check_address(url)


def test_nobody_is_told_twice_by_two_workers_and_nobody_overtakes(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    allow(cast.consent, cast.an)
    cast.fresh().pause(acting(cast.an))
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


def test_an_event_whose_bell_was_missed_is_not_overtaken(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    allow(cast.consent, cast.an)
    cast.fresh().pause(acting(cast.an))
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
    monkeypatch.setattr("notifications.tasks.NOT_YET", timedelta(0))
    allow(cast.consent, cast.an)
    sweep()
    assert receiver.told == ["confirmed"]
    sweep()
    assert receiver.told == ["confirmed"]


CHILD = """
import django; django.setup()
from notifications.tasks import deliver
deliver({endpoint})
"""


def test_a_sender_that_is_killed_is_followed_by_one_with_the_same_identifier(
    people: Cast, receiver: Receiver
) -> None:
    factories.make_application(people.ledgerly)
    url = receiver.server.url_for("/hook")
    endpoint = WebhookEndpoint.objects.create(partner=people.ledgerly, url=url)
    allow(people.consent, people.an)
    for event in ConsentEvent.objects.filter(consent=people.consent).order_by("pk"):
        fan_out(event.pk)
    child: list[subprocess.Popen[bytes]] = []

    def kill(request: Request) -> Response:
        child[0].send_signal(signal.SIGKILL)
        return Response(status=204)

    receiver.answer = kill
    environment = os.environ | {
        "DATABASE_URL": test_database_url(),
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
    allow(cast.consent, cast.an)
    hear(endpoint)
    Delivery.objects.get().send_again()
    deliver(endpoint.pk)
    assert [one["id"] for one in receiver.got] == [str(receiver.got[0]["id"])] * 2


def test_every_kind_on_the_wire_is_one_of_the_contract() -> None:
    assert sorted(NAMES.values()) == [
        "cancelled", "confirmed", "denied", "lapsed", "paused", "resumed",
    ]  # fmt: skip
