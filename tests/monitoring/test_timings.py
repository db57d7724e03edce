"""Rate, latency and errors by route, and jobs that fail: of all processes, and of nobody in particular."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from celery import shared_task
from django.db import DatabaseError, connection, transaction
from django.test import Client as Browser
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from codabox_portal.addresses import documents_in_folder
from monitoring.models import Timing
from monitoring.tasks import heartbeat
from monitoring.timings import BOUNDS, WRITE_EVERY, Timings, timings
from tests import factories
from tests.accounts.people import logged_in
from tests.conftest import Cast, running_portal
from tests.monitoring.test_metrics import scrape

pytestmark = pytest.mark.requirement(98)


def _fail() -> None:
    raise LookupError


always_fails = shared_task(_fail)


def calls(figures: dict[str, float], route: str, method: str, status: str) -> float:
    return figures.get(f"portal_request_seconds_count {method} {route} {status}", 0)


def test_requests_are_counted_by_route_and_never_by_whose_page_it_was(
    cast: Cast, client: Browser
) -> None:
    before = scrape(client)
    anna = logged_in(cast.anna)
    assert anna.get(f"/consent/{cast.consent.uuid}").status_code == 200
    assert client.get(f"/codabox-connect/accounting-office-consents/{uuid4()}").status_code == 401
    assert client.get("/nothing-here/anna@example.be").status_code == 404
    assert client.generic("BREW", "/me").status_code in (302, 405)
    after = scrape(client)

    def more(*labels: str) -> float:
        return calls(after, *labels) - calls(before, *labels)

    assert more("consents:manage", "GET", "2xx") == 1
    assert more("partner_api:consent", "GET", "4xx") == 1
    assert more("none", "GET", "4xx") == 1
    assert more("accounts:me", "other", "3xx") + more("accounts:me", "other", "4xx") == 1
    text = client.get("/metrics").content.decode()
    for word in (str(cast.consent.uuid), "anna", "/consent/", "BREW", "nothing-here"):
        assert word not in text


def test_what_health_checks_and_prometheus_ask_is_not_counted(cast: Cast, client: Browser) -> None:
    for path in ("/health/live", "/health/ready", "/metrics", "/metrics"):
        client.get(path)
    assert not [name for name in scrape(client) if " live " in name or " metrics " in name]


@pytest.mark.django_db
def test_how_long_it_took_falls_into_the_buckets_of_prometheus(client: Browser) -> None:
    for seconds in (0.005, 0.006, 0.3, 99.0):
        timings.count("call", "bucket:test", "GET", "2xx", seconds)
    text = client.get("/metrics").content.decode()
    buckets = {
        sample.labels["le"]: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.labels.get("route") == "bucket:test" and "le" in sample.labels
    }
    assert list(buckets) == [*map(str, BOUNDS), "+Inf"]
    assert [buckets[bound] for bound in ("0.005", "0.01", "0.25", "0.5", "10.0")] == [1, 2, 2, 3, 3]
    assert buckets["+Inf"] == 4
    took = scrape(client)["portal_request_seconds_sum GET bucket:test 2xx"]
    assert took == pytest.approx(99.311)


@pytest.mark.django_db
def test_jobs_that_fail_are_counted_by_task_and_none_is_told_as_zero(client: Browser) -> None:
    heartbeat.apply()
    told = scrape(client)
    assert told["portal_jobs_total success monitoring.tasks.heartbeat"] >= 1
    assert told["portal_jobs_total failure monitoring.tasks.heartbeat"] == 0
    assert told["portal_jobs_seconds_total monitoring.tasks.heartbeat"] > 0
    always_fails.apply()
    always_fails.apply()
    assert scrape(client)[f"portal_jobs_total failure {always_fails.name}"] == 2


@pytest.mark.django_db
def test_what_cannot_be_written_now_is_written_later() -> None:
    of_test = Timings()
    of_test.count("call", "later:test", "GET", "2xx", 0.1)
    # PostgreSQL refuses every statement of a transaction in which one has failed.
    with suppress(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        with suppress(DatabaseError):
            cursor.execute("select 1 / 0")
        with pytest.raises(DatabaseError):
            of_test.write()
    of_test.count("call", "later:test", "GET", "2xx", 0.1)
    of_test.write()
    of_test.write()
    assert Timing.objects.get(name="later:test").count == 2


def test_documents_that_came_in_and_the_disk_they_lie_on_are_told(
    people: Cast, client: Browser, settings: Any, tmp_path: Path
) -> None:
    nowhere_yet = documents_in_folder(str(tmp_path / "not" / "there" / "yet"))
    settings.STORAGES = settings.STORAGES | {"documents": nowhere_yet}
    before = scrape(client)
    factories.make_documents(people.bakery, [timezone.now()] * 3)
    with connection.cursor() as cursor:
        cursor.execute("select pg_stat_force_next_flush()")
    after = scrape(client)
    assert after["portal_documents_in_total"] - before["portal_documents_in_total"] == 3
    assert after["portal_documents"] >= 3
    assert after["portal_database_bytes"] > 1_000_000
    disk = shutil.disk_usage(tmp_path)
    assert after["portal_storage_bytes size"] == disk.total
    assert abs(after["portal_storage_bytes free"] - disk.free) < disk.total / 100


def test_every_process_tells_what_all_of_them_counted_and_none_forgets_when_it_ends(
    people: Cast, tmp_path: Path
) -> None:
    """Two web processes: what either counted is told by both, and is there after their end."""
    with running_portal(tmp_path, workers=2) as url:
        before = _unknown_consents(url)
        for _ in range(30):
            # A connection of its own each time: the two processes take turns.
            httpx.get(f"{url}/codabox-connect/accounting-office-consents/{uuid4()}")
        _until(lambda: {_unknown_consents(url) for _ in range(6)} == {before + 30})
        for _ in range(7):
            httpx.get(f"{url}/codabox-connect/accounting-office-consents/{uuid4()}")
    told = Timing.objects.filter(name="partner_api:consent", method="GET", outcome="4xx")
    assert sum(told.values_list("count", flat=True)) == before + 37


def _unknown_consents(url: str) -> float:
    return sum(
        sample.value
        for family in text_string_to_metric_families(httpx.get(f"{url}/metrics").text)
        for sample in family.samples
        if sample.name == "portal_request_seconds_count"
        and sample.labels["route"] == "partner_api:consent"
        and (sample.labels["method"], sample.labels["status"]) == ("GET", "4xx")
    )


def _until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + WRITE_EVERY + 10
    while not true():
        assert time.monotonic() < end
        time.sleep(0.3)
