"""Catching up on events, keys and deliveries over HTTP, as the software of a partner."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import httpx
import pytest
from django.db import connection, transaction

from consents.models import ConsentEvent, EventKind
from notifications.fan_out import fan_out
from notifications.models import Delivery, FanOut, WebhookEndpoint, WebhookKey
from notifications.webhooks import signing_keys
from tests import factories
from tests.conftest import Cast, Software
from tests.factories import acting, allow

pytestmark = pytest.mark.requirement(69)


def feed(software: Software, **query: Any) -> dict[str, Any]:
    answer = software.call("GET", "/events", params=query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def story(cast: Cast) -> list[str]:
    """What the database says, in its own order."""
    wire = [EventKind.ALLOWED, EventKind.PAUSED, EventKind.RESUMED, EventKind.CANCELLED]
    rows = ConsentEvent.objects.filter(consent__partner=cast.ledgerly, kind__in=wire)
    return [str(event) for event in rows.order_by("pk").values_list("uuid", flat=True)]


def live(people: Cast) -> None:
    """A little history, which no worker has seen."""
    allow(people.consent, people.anna)
    for verb in ("pause", "resume", "pause", "resume", "cancel"):
        getattr(people.fresh(), verb)(acting(people.anna))


@pytest.mark.requirement(117)
def test_ledgerly_reads_everything_it_missed_in_order(people: Cast, ledgerly: Software) -> None:
    live(people)
    whole = feed(ledgerly)
    assert [event["id"] for event in whole["data"]] == story(people)
    assert [event["type"].rpartition(".")[2] for event in whole["data"]] == [
        *("confirmed", "paused", "resumed", "paused", "resumed", "cancelled")
    ]
    assert whole["meta"]["paging"] == {"limit": 100, "after": story(people)[-1]}


def test_page_by_page_nothing_is_missed_or_doubled(people: Cast, ledgerly: Software) -> None:
    live(people)
    read: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    for _page in range(4):
        page = feed(ledgerly, **query)
        read += [event["id"] for event in page["data"]]
        query["after"] = page["meta"]["paging"]["after"]
    assert read == story(people)
    # At the end the cursor stays, to go on from tomorrow.
    assert query["after"] == read[-1]
    consent = factories.make_request(people.janssens, people.ledgerly)
    allow(consent, people.anna)
    assert [e["id"] for e in feed(ledgerly, **query)["data"]] == story(people)[-1:]


def test_tally_sees_nothing_of_ledgerly(people: Cast, portal: str) -> None:
    live(people)
    tally = Software(portal, people.tally)
    assert feed(tally) == {"data": [], "meta": {"paging": {"limit": 100}}}
    foreign = tally.call("GET", "/events", params={"after": story(people)[0]})
    unknown = tally.call("GET", "/events", params={"after": str(uuid.uuid4())})
    assert foreign.status_code == unknown.status_code == 400
    assert foreign.json() == unknown.json()
    assert foreign.json()["errors"][0]["code"] == "invalidParameter"


@pytest.mark.parametrize(
    "query",
    [{"after": "x"}, {"limit": "0"}, {"limit": "1001"}, {"limit": "-1"}, {"limit": "١"},
     {"limit": ""}, {"limit": "9" * 5000}],
)  # fmt: skip
def test_a_bad_query_is_told(ledgerly: Software, query: dict[str, str]) -> None:
    answer = ledgerly.call("GET", "/events", params=query)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "invalidParameter"


def test_without_a_token_there_is_no_feed(portal: str) -> None:
    for path in ("events", "webhooks/deliveries"):
        assert httpx.get(f"{portal}/codabox-connect/{path}").status_code == 401


def test_an_event_that_commits_late_is_not_missed(people: Cast, ledgerly: Software) -> None:
    """One office decides first and commits last; whoever read in between still gets both."""
    other = factories.make_request(people.peeters, people.ledgerly)
    begun, may_commit = threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic():
            allow(people.consent, people.anna)
            begun.set()
            may_commit.wait(20)
        connection.close()

    thread = threading.Thread(target=slow)
    thread.start()
    assert begun.wait(20)
    allow(other, people.chloe)
    first = feed(ledgerly)
    assert len(first["data"]) == 1
    may_commit.set()
    thread.join(20)
    second = feed(ledgerly, after=first["meta"]["paging"]["after"])
    assert [event["relationships"]["accountingOfficeConsent"]["data"]["id"]
            for event in first["data"] + second["data"]] == [
        str(other.uuid), str(people.consent.uuid)
    ]  # fmt: skip


def test_many_workers_give_each_event_one_place(people: Cast, ledgerly: Software) -> None:
    live(people)
    events = list(ConsentEvent.objects.filter(consent=people.consent).values_list("pk", flat=True))

    def work() -> None:
        for event in events:
            fan_out(event)
        connection.close()

    threads = [threading.Thread(target=work) for _worker in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert FanOut.objects.filter(event__in=events).count() == len(events)
    assert [event["id"] for event in feed(ledgerly)["data"]] == story(people)


@pytest.mark.parametrize("base", ["", "/codabox-connect"])
def test_the_keys_are_found_from_their_link(portal: str, people: Cast, base: str) -> None:
    """At the root as well: the typed client looks for the keys of all products there."""
    key = signing_keys.current()
    accept = {"Accept": "application/vnd.api+json;version=2"}
    found = httpx.get(f"{portal}{base}/webhooks", headers=accept)
    link = found.json()["links"]["keys"]
    assert link == f"{portal}{base}/webhooks/keys"
    answer = httpx.get(link, headers=accept)
    for told in (found, answer):
        assert told.headers["Content-Type"] == "application/json"
        uuid.UUID(told.headers["ibanity-request-id"])
    keys = answer.json()["keys"]
    assert key.kid in [one["kid"] for one in keys]
    for one in keys:
        assert set(one) == {"kty", "n", "e", "kid", "use", "alg", "status"}
        assert (one["use"], one["alg"], one["status"]) == ("sig", "RS512", "ACTIVE")


@pytest.mark.parametrize("path", ["/webhooks/", "/webhooks/keys/", "/webhooks/nowhere"])
def test_below_the_root_of_webhooks_all_is_json(portal: str, path: str) -> None:
    answer = httpx.get(f"{portal}{path}", follow_redirects=False)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, "notFound")
    uuid.UUID(answer.headers["ibanity-request-id"])


def test_ledgerly_sees_what_was_sent_and_asks_for_it_again(
    people: Cast, ledgerly: Software, portal: str
) -> None:
    # Nobody answers there, and no worker runs here: only the rows are looked at.
    url = "https://software.example/hook"
    WebhookEndpoint.objects.create(partner=people.ledgerly, url=url)
    allow(people.consent, people.anna)
    event = people.consent.events.get(kind=EventKind.ALLOWED)
    fan_out(event.pk)
    row = Delivery.objects.get(event=event)
    row.delivered("204")
    (told,) = ledgerly.call("GET", "/webhooks/deliveries").json()["data"]
    assert told["id"] == str(event.uuid)
    assert told["attributes"]["answer"] == "204"
    again = ledgerly.call("POST", f"/webhooks/deliveries/{event.uuid}/redelivery")
    assert again.status_code == 202
    assert again.json()["data"]["attributes"]["deliveredAt"] is None
    assert Delivery.objects.due().filter(pk=row.pk).exists()
    # Under one key it is sent again once, also when it was tried in between.
    key = {"Ibanity-Idempotency-Key": "again"}
    path = f"/webhooks/deliveries/{event.uuid}/redelivery"
    first = ledgerly.call("POST", path, headers=key)
    row.delivered("204")
    repeated = ledgerly.call("POST", path, headers=key)
    assert (repeated.status_code, repeated.content) == (202, first.content)
    row.refresh_from_db()
    assert row.answer == "204"
    other = ledgerly.call("POST", path, headers=key, content="{}")
    assert (other.status_code, other.json()["errors"][0]["code"]) == (409, "idempotencyConflict")
    tally = Software(portal, people.tally)
    assert tally.call("GET", "/webhooks/deliveries").json() == {"data": []}
    for unknown in (event.uuid, uuid.uuid4()):
        refused = tally.call("POST", f"/webhooks/deliveries/{unknown}/redelivery")
        assert refused.status_code == 404


def test_the_keys_are_never_empty_and_whoever_asks_writes_nothing(
    portal: str, people: Cast
) -> None:
    WebhookKey.objects.all().delete()
    assert httpx.get(f"{portal}/webhooks/keys").json() == {"keys": []}
    assert not WebhookKey.objects.exists()
    signing_keys.create_first()
    first = httpx.get(f"{portal}/codabox-connect/webhooks/keys").json()["keys"]
    again = httpx.get(f"{portal}/webhooks/keys").json()["keys"]
    assert len(first) == 1
    assert again == first
