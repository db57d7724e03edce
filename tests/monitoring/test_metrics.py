"""What Prometheus reads: true figures out of the database, for nobody but Prometheus."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from django.conf import settings as configured
from django.db.models.functions import Now
from django.test import Client as Browser
from prometheus_client.parser import text_string_to_metric_families
from redis import Redis

from consents.models import ConsentActivity, ConsentEvent, EventKind
from consents.tasks import write_checkpoints
from documents.models import IngestBatch
from mailer.models import OutgoingEmail
from monitoring.models import Heartbeat
from monitoring.tasks import heartbeat
from notifications.models import Delivery, FanOut, WebhookEndpoint
from tests import factories
from tests.accounts.people import without_number
from tests.conftest import Cast, Software
from tests.factories import acting, allow
from tests.notifications.test_emails import event_of
from tests.owner import as_owner, rules_off

pytestmark = pytest.mark.requirement(98)


NGINX_AND_CALLER = "203.0.113.9"


def figures(text: str) -> dict[str, float]:
    """Name with labels → value, read by Prometheus' own parser."""
    return {
        sample.name + "".join(f" {value}" for value in sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def without_tokens(page: bytes) -> str:
    """A page without what is new each time: the token of its language form, its own number."""
    return without_number(re.sub(r'(csrfmiddlewaretoken" value=)"\w+"', r"\1", page.decode()))


def scrape(browser: Browser, **headers: Any) -> dict[str, float]:
    answer = browser.get("/metrics", **headers)
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=")
    return figures(answer.content.decode())


def test_prometheus_reads_what_stands_in_the_database(cast: Cast, client: Browser) -> None:
    before = scrape(client)
    allow(cast.consent, cast.anna)
    factories.make_allowed(cast.peeters, cast.ledgerly, cast.chloe).pause(acting(cast.chloe))
    factories.make_request(cast.janssens, cast.tally)
    ConsentActivity.objects.create(
        consent=cast.consent, day=datetime.now().date(), served=70, refused=5, refused_ended=2
    )
    ConsentActivity.objects.create(
        consent=cast.consent, day=datetime.now().date() - timedelta(days=1), served=1000
    )
    IngestBatch.objects.create(started_at=Now() - timedelta(seconds=40))
    event = event_of(cast, EventKind.UNUSED)
    FanOut.objects.get_or_create(event=event)
    OutgoingEmail.objects.create(
        message="consent_unused", recipient=cast.anna.email, created_at=Now() - timedelta(hours=2)
    )
    endpoint = WebhookEndpoint.objects.create(partner=cast.ledgerly, url="https://x.example/")
    Delivery.objects.create(
        endpoint=endpoint, event=event, created_at=Now() - timedelta(minutes=5), attempts=3
    )
    after = scrape(client)
    grew = {name: after[name] - before.get(name, 0) for name in after}
    # The consent of the cast was a request before; three more rows came.
    assert grew["portal_consents allowed"] == 2
    assert grew["portal_consents to_be_determined"] == 0
    assert grew["portal_consents_paused"] == 1
    assert grew["portal_document_calls_total served"] == 70
    assert grew["portal_document_calls_total refused"] == 5
    assert grew["portal_document_calls_total refused_ended"] == 2
    assert grew["portal_waiting email"] == 1
    assert grew["portal_waiting webhook"] == 1
    assert grew["portal_waiting publication"] == 1
    assert 7200 <= after["portal_waiting_seconds email"] < 7300
    assert 300 <= after["portal_waiting_seconds webhook"] < 400
    assert 40 <= after["portal_waiting_seconds publication"] < 100
    assert grew["portal_webhook_endpoints on"] == 1
    waiting = ConsentEvent.objects.filter(fan_out=None).count()
    assert after["portal_waiting event"] == waiting > 0


def test_events_wait_until_a_checkpoint_outside_covers_them(cast: Cast, client: Browser) -> None:
    write_checkpoints()
    assert scrape(client)["portal_waiting checkpoint"] == 0
    allow(cast.consent, cast.anna)
    assert scrape(client)["portal_waiting checkpoint"] == 1
    with rules_off("consents_consentevent"):
        as_owner("update consents_consentevent set at = now() - interval '1 day'")
    assert 86_000 < scrape(client)["portal_waiting_seconds checkpoint"] < 87_000
    write_checkpoints()
    assert scrape(client)["portal_waiting_seconds checkpoint"] == 0


@pytest.mark.django_db
def test_a_worker_that_does_what_beat_asks_is_seen(client: Browser) -> None:
    assert scrape(client)["portal_heartbeat_age_seconds"] == float("inf")
    heartbeat()
    assert 0 <= scrape(client)["portal_heartbeat_age_seconds"] < 5
    Heartbeat.objects.update(at=Now() - timedelta(minutes=9))
    assert 540 <= scrape(client)["portal_heartbeat_age_seconds"] < 560
    heartbeat()
    assert scrape(client)["portal_heartbeat_age_seconds"] < 5


@pytest.mark.django_db
def test_jobs_that_no_worker_takes_are_counted_and_redis_away_is_told(
    client: Browser, settings: Any
) -> None:
    settings.CELERY_TASK_DEFAULT_QUEUE = f"metrics-{factories.unique()}"
    redis = Redis.from_url(configured.REDIS_URL)
    redis.lpush(settings.CELERY_TASK_DEFAULT_QUEUE, "one", "two")
    try:
        told = scrape(client)
    finally:
        redis.delete(settings.CELERY_TASK_DEFAULT_QUEUE)
    assert (told["portal_redis_up"], told["portal_queue_jobs"]) == (1, 2)
    settings.REDIS_URL = "redis://127.0.0.1:9/0"  # nobody listens there
    told = scrape(client)
    assert told["portal_redis_up"] == 0
    assert "portal_queue_jobs" not in told


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "headers"),
    [
        ("127.0.0.1/32", {"REMOTE_ADDR": "203.0.113.9"}),
        # nginx on the same machine: the call is from loopback, the caller is not.
        ("127.0.0.1/32", {"HTTP_X_FORWARDED_FOR": NGINX_AND_CALLER}),
        # Whatever a stranger writes in front of what nginx appends.
        ("127.0.0.1/32", {"HTTP_X_FORWARDED_FOR": f"127.0.0.1, {NGINX_AND_CALLER}"}),
        # Past nginx, with a header of one's own.
        ("127.0.0.1/32", {"REMOTE_ADDR": "203.0.113.9", "HTTP_X_FORWARDED_FOR": "127.0.0.1"}),
        ("127.0.0.1/32", {"HTTP_X_FORWARDED_FOR": "nonsense"}),
        ("127.0.0.1/32", {"REMOTE_ADDR": ""}),
        ("10.0.0.0/8", {}),
        ("", {}),
    ],
)
@pytest.mark.parametrize("proxies", [0, 1])
def test_a_stranger_gets_what_an_unknown_page_gives(
    client: Browser, settings: Any, given: str, headers: dict[str, Any], proxies: int
) -> None:
    settings.PORTAL_METRICS_FROM = [given] if given else []
    settings.PORTAL_TRUSTED_PROXIES = proxies
    for ask in (client.get, client.post, client.head, client.put):
        answer, unknown = ask("/metrics", **headers), ask("/metricz", **headers)
        assert answer.status_code == unknown.status_code == 404
        assert dict(answer.headers) == dict(unknown.headers)
        assert without_tokens(answer.content).replace("metrics", "metricz") == without_tokens(
            unknown.content
        )
        assert b"portal_" not in answer.content


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "headers"),
    [
        ("127.0.0.0/8", {}),
        ("10.1.0.0/16", {"REMOTE_ADDR": "10.1.2.3"}),
        ("fd00::/8", {"REMOTE_ADDR": "fd00::7"}),
        # IPv4 that arrived on an IPv6 socket.
        ("10.1.0.0/16", {"REMOTE_ADDR": "::ffff:10.1.2.3"}),
        # Through a proxy that is itself in the list.
        ("10.1.0.0/16", {"REMOTE_ADDR": "10.1.2.3", "HTTP_X_FORWARDED_FOR": "10.1.9.9"}),
    ],
)
def test_prometheus_is_let_in_from_its_networks(
    client: Browser, settings: Any, given: str, headers: dict[str, Any]
) -> None:
    settings.PORTAL_METRICS_FROM = [given]
    assert "portal_consents allowed" in scrape(client, **headers)
    assert client.post("/metrics", **headers).status_code == 405


def test_every_web_process_tells_the_same_and_no_personal_data(
    portal: str, people: Cast, ledgerly: Software
) -> None:
    allow(people.consent, people.anna)
    client = factories.make_client(people.janssens)
    assert ledgerly.search(people.janssens, [client.company_number]).status_code == 201
    # A connection of its own each time: the two processes take turns.
    texts = [httpx.get(f"{portal}/metrics").text for _ in range(6)]
    for name in ("portal_consents allowed", "portal_document_calls_total served"):
        assert {figures(text)[name] for text in texts} == {figures(texts[0])[name]}
    assert figures(texts[0])["portal_document_calls_total served"] >= 1
    for word in (people.anna.email, "Janssens", "Ledgerly", str(people.consent.uuid)):
        assert word not in texts[0]
