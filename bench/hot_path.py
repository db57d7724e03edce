"""`hot_path`: what each trick of partner_api/hot_path saves, measured with it and without it.

Everything runs in this process, so the numbers are microseconds of its CPU for one call. A trick
whose line shows nothing must go (docs/adr/0020-hot-path.md).
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

import orjson
import psycopg
from django.conf import settings
from django.db import connection
from django.test import Client, override_settings
from oauth2_provider.models import AccessToken
from rest_framework import serializers

from bench import calls, participants
from bench.report import Report
from consents.access import AccessContext
from consents.models import Consent
from core.document_kinds import BY_TYPE
from core.prepared_sql import point_query
from documents.models.querysets import DocumentRow
from partner_api.hot_path.authentication import CALLER
from partner_api.hot_path.middleware import ApiMiddleware
from partner_api.hot_path.rate_limit import LONGEST_STEP, CallCounter
from partner_api.hot_path.search import document_resource, read_search

ROUNDS = 7
KIND = BY_TYPE["bankAccountStatement"]
# A saving below this is within the noise: the trick must go.
LEAST_SAVED = 1.0
MIDDLEWARE = f"{ApiMiddleware.__module__}.{ApiMiddleware.__qualname__}"


class ClientSerializer(serializers.Serializer[Any]):
    """A client of a search, as ordinary Django REST framework would read it."""

    type = serializers.CharField(required=False)
    id = serializers.RegexField(r"^[0-9]{10}$")


def measure(size: str, options: argparse.Namespace) -> bool:
    logging.disable(logging.INFO)
    report = Report("hot_path", size)
    _authentication(report)
    _bodies(report)
    _answers(report)
    _entry(report)
    return report.finish()


def _authentication(report: Report) -> None:
    credentials = participants.credentials()
    office = participants.office(participants.OF_RUN)
    checksum = hashlib.sha256(credentials.token.encode()).hexdigest()
    named = {"fingerprint": None, "office": office.uuid, "token": checksum}

    def by_objects() -> None:
        token = AccessToken.objects.select_related("application__partner").get(
            token_checksum=checksum
        )
        consent = Consent.objects.filter(
            office__uuid=office.uuid, partner=token.application.partner, status="allowed"
        ).first()
        assert consent is not None  # noqa: S101
        AccessContext.of(consent.pk)

    def unprepared() -> None:
        connection.ensure_connection()
        cursor = psycopg.ClientCursor(connection.connection)
        cursor.execute(CALLER, named)
        cursor.fetchall()

    def by_point_query() -> None:
        point_query(CALLER, **named)

    _compare(report, "token and access in one statement", by_point_query, by_objects, 200)
    _compare(report, "that statement prepared", by_point_query, unprepared, 200)
    step, single = CallCounter("bench-step"), CallCounter("bench-single")
    minute = int(time.time() // 60)
    _compare(
        report,
        f"one Redis call for {LONGEST_STEP} calls",
        lambda: step.add_one(0, minute, LONGEST_STEP),
        lambda: single.add_one(0, minute, 1),
        400,
    )


def _bodies(report: Report) -> None:
    office = participants.office(f"{participants.BIG}-0")
    credentials = participants.credentials()
    numbers = participants.numbers(office)
    call = calls.search(credentials, office.uuid, numbers, calls.last(7), 1000)
    body = orjson.loads(call.body)
    clients = body["data"]["relationships"]["clients"]["data"]

    def by_serializer() -> None:
        ClientSerializer(data=clients, many=True).is_valid(raise_exception=True)

    what = f"{len(numbers):,} clients read without a serializer"
    _compare(report, what, lambda: read_search(body), by_serializer, 2)


def _answers(report: Report) -> None:
    identifier = "0f8fad5b-d9cb-469f-a165-70867728950e"
    at = "2026-01-01T00:00:00.000Z"
    row = DocumentRow(1, identifier, None, at, '{"iban": "BE00000000000000"}')

    def nested() -> dict[str, Any]:
        attributes = {"version": 1, "replaces": None, KIND.date_attribute: row.available_at}
        attributes |= orjson.loads(row.attributes)
        client = {"data": {"type": "client", "id": "0010000007"}}
        one = {"type": KIND.type, "id": row.uuid, "attributes": attributes}
        return {**one, "relationships": {"client": client}}

    _compare(
        report,
        "100 documents as JSON text of the database",
        lambda: orjson.dumps([document_resource(KIND, row, "0010000007") for _ in range(100)]),
        lambda: orjson.dumps([nested() for _ in range(100)]),
        100,
    )


def _entry(report: Report) -> None:
    """The way through all middleware against the way through our own only."""
    others = [name for name in settings.MIDDLEWARE if name != MIDDLEWARE]
    ours, django = Client(), Client()

    def call(client: Client) -> None:
        client.get(calls.API, headers={"host": "localhost"})

    with override_settings(MIDDLEWARE=others):
        call(django)  # loads the middleware of this client
    call(ours)
    what = "a call answered before the middleware of the pages"
    _compare(report, what, lambda: call(ours), lambda: call(django), 50)


def _compare(
    report: Report,
    trick: str,
    with_it: Callable[[], object],
    without: Callable[[], object],
    times: int,
) -> None:
    """Interleave both, so that the noise of the machine reaches both."""
    found: list[tuple[float, float]] = []
    for _round in range(ROUNDS):
        found.append((_microseconds(with_it, times), _microseconds(without, times)))
    saved = _median([b - a for a, b in found])
    fast, slow = _median([a for a, _ in found]), _median([b for _, b in found])
    what = f"{trick}: saved ({fast:,.1f} instead of {slow:,.1f} µs)"
    report.at_least("3", what, saved, LEAST_SAVED, " µs")


def _median(values: Sequence[float]) -> float:
    return float(median(values))


def _microseconds(call: Callable[[], object], times: int) -> float:
    began = time.process_time()
    for _ in range(times):
        call()
    return (time.process_time() - began) * 1_000_000 / times
