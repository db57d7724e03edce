"""Traces and reports of crashes: real receivers get them, and nobody and no secret stands in them."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from celery import current_app
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from core.telemetry import SpanKind, telemetry
from notifications.fan_out import fan_out
from notifications.models import Delivery, WebhookEndpoint
from tests import factories
from tests.conftest import Cast, Software, running_portal
from tests.deployment.test_worker import worker
from tests.factories import allow
from tests.test_settings import python, read

pytestmark = pytest.mark.requirement(98)
CODA = "application/vnd.coda.v1+cod"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"

NOBODY = "postgres://anna:hidden@127.0.0.1:9/portal"
CRASH = """
import django; django.setup()
from django.test import Client
from monitoring.switch_on import switch_on
switch_on()
browser = Client(raise_request_exception=False, headers={"cookie": "a=anna"})
print(browser.get("/software?q=secret-word", secure=True, SERVER_NAME="portal.example").status_code)
import sentry_sdk; sentry_sdk.flush(10)
"""


class Collector:
    """What the servers outside got: spans, reports of crashes, webhooks."""

    def __init__(self, server: HTTPServer) -> None:
        self.server = server
        self.traces: list[bytes] = []
        self.reports: list[bytes] = []
        self.webhooks: list[dict[str, str]] = []
        server.expect_request("/v1/traces").respond_with_handler(self._trace)
        server.expect_request("/api/7/envelope/").respond_with_handler(self._report)
        server.expect_request("/hook").respond_with_handler(self._webhook)

    def _trace(self, request: Request) -> Response:
        self.traces.append(_body(request))
        return Response(status=200, content_type="application/x-protobuf")

    def _report(self, request: Request) -> Response:
        self.reports.append(_body(request))
        return Response("{}", content_type="application/json")

    def _webhook(self, request: Request) -> Response:
        self.webhooks.append({name.lower(): value for name, value in request.headers.items()})
        return Response(status=204)

    def spans(self) -> list[Any]:
        service = pytest.importorskip("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
        found = []
        for body in self.traces:
            asked = service.ExportTraceServiceRequest.FromString(body)
            for resource in asked.resource_spans:
                found += [span for scope in resource.scope_spans for span in scope.spans]
        return found

    def events(self) -> list[dict[str, Any]]:
        """The events of Sentry's envelopes: a line about the envelope, one about the item, the item."""
        return [json.loads(report.split(b"\n")[2]) for report in self.reports]


def _body(request: Request) -> bytes:
    data = request.get_data()
    return gzip.decompress(data) if request.headers.get("Content-Encoding") == "gzip" else data


@pytest.fixture
def collector() -> Iterator[Collector]:
    with HTTPServer(threaded=True) as server:
        yield Collector(server)


def wait_for(wanted: Callable[[], Any]) -> None:
    end = time.monotonic() + 40
    while not wanted():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_call_its_webhook_and_two_crashes_are_told_and_name_nobody(
    people: Cast, collector: Collector, tmp_path: Path
) -> None:
    for package, extra in (("opentelemetry.sdk", "opentelemetry"), ("sentry_sdk", "sentry")):
        pytest.importorskip(package, reason=f"the extra {extra} is not installed")
    allow(people.consent, people.anna)
    WebhookEndpoint.objects.create(partner=people.ledgerly, url=collector.server.url_for("/hook"))
    document = factories.make_document(people.bakery, contents={CODA: b"0"})
    number = people.bakery.company_number
    address = collector.server.url_for("").rstrip("/")
    on = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": address,
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "PORTAL_SENTRY_DSN": f"{address.replace('://', '://key@')}/7",
        "PORTAL_STORAGE": str(tmp_path / "unmounted"),
        "PORTAL_QUEUE": current_app.conf.task_default_queue,
    }
    with running_portal(tmp_path, **on) as url, worker(tmp_path, **on):
        software = Software(url, people.ledgerly)
        lost = software.document(people.janssens, number, document.uuid, accept=CODA)
        assert lost.status_code == 500
        fan_out.delay(10**12)
        answer = software.call(
            "DELETE",
            f"/accounting-office-consents/{people.consent.uuid}?who=anna",
            headers={"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"},
        )
        assert answer.status_code == 204
        with httpx.Client() as browser:
            browser.post(f"{url}/accounts/login/", data={"login": people.anna.email})
            browser.get(f"{url}/consent/{people.consent.uuid}")
        software.http.close()
        wait_for(lambda: len(collector.reports) == 2)
        wait_for(lambda: "webhook" in {span.name for span in collector.spans()})
    told = one_trace(collector)
    assert told["http.route"] == "partner_api:consent"
    assert told["http.response.status_code"] == 204
    assert told["portal.request_id"] == answer.headers["ibanity-request-id"]
    of_call, of_task = sorted(collector.events(), key=lambda event: "task" in event["tags"])
    assert of_call["tags"]["request_id"] == lost.headers["ibanity-request-id"]
    assert of_call["exception"]["values"][-1]["type"] == "FileNotFoundError"
    assert of_task["tags"]["task"] == "notifications.fan_out.fan_out"
    assert of_task["exception"]["values"][-1]["type"] == "ConsentEvent.DoesNotExist"
    for event in (of_call, of_task):
        is_bare(event)
    everything = b"".join(collector.traces + collector.reports)
    for word in (*secrets_of(people, software), number, str(document.uuid)):
        assert word.encode() not in everything, word


def one_trace(collector: Collector) -> dict[str, Any]:
    """From the webhook up to the call, each span below the one before; what the call's span says."""
    ours = [span for span in collector.spans() if span.trace_id.hex() == TRACE]
    by_id = {span.span_id: span for span in ours}
    way = {span.name: span for span in ours}
    names, span = [], way["webhook"]
    while span is not None:
        names.append(span.name)
        span = by_id.get(span.parent_span_id)
    assert names == ["webhook", "notifications.fan_out.fan_out", "DELETE partner_api:consent"]
    assert {"SELECT", "UPDATE", "INSERT"} <= way.keys()
    (webhook,) = collector.webhooks
    assert webhook["traceparent"] == f"00-{TRACE}-{way['webhook'].span_id.hex()}-01"
    return {a.key: a.value.string_value or a.value.int_value for a in way[names[-1]].attributes}


def is_bare(event: dict[str, Any]) -> None:
    frames = event["exception"]["values"][-1]["stacktrace"]["frames"]
    assert {"function", "lineno"} <= frames[-1].keys()
    assert not [frame for frame in frames if "vars" in frame]
    assert not event.keys() & {"request", "user", "breadcrumbs", "extra", "server_name"}
    assert all("value" not in value for value in event["exception"]["values"])


def secrets_of(people: Cast, software: Software) -> list[str]:
    """What must not leave, and the words of pages and headers that would bring it along."""
    return [
        *(people.anna.email, people.janssens.name, people.bakery.name, str(people.consent.uuid)),
        *(software.client_id, software.secret, software.token, "Bearer", "Cookie", "who=anna"),
    ]


def test_a_page_that_crashes_is_reported_by_its_route(collector: Collector) -> None:
    """In a process of its own, as what is switched on stays on. No database answers it."""
    pytest.importorskip("sentry_sdk", reason="the extra sentry is not installed")
    address = collector.server.url_for("").rstrip("/").replace("://", "://key@")
    done = python(
        CRASH, PORTAL_SENTRY_DSN=f"{address}/7", DATABASE_URL=NOBODY, PORTAL_STATIC_FROM_SOURCE="1"
    )
    assert done.stdout.strip().endswith("503"), done.stderr[-2000:]
    (event,) = collector.events()
    assert event["tags"]["route"] == "consents:software"
    assert event["exception"]["values"][-1]["type"] == "OperationalError"
    is_bare(event)
    for word in (b"secret-word", b"anna", b"hidden"):
        assert word not in b"".join(collector.reports)


def test_nothing_is_traced_or_reported_by_itself(cast: Cast) -> None:
    with telemetry.tracing.span("x", SpanKind.CLIENT) as span:
        span.note("a", 1)
        assert telemetry.tracing.traceparent() == ""
    telemetry.report(LookupError())
    said = read({"off": {}})["off"]
    assert (said["OTEL_EXPORTER_OTLP_ENDPOINT"], said["PORTAL_SENTRY_DSN"]) == ("", "")
    assert "monitoring.middleware.traced" not in said["MIDDLEWARE"]
    assert not Delivery.objects.exclude(traceparent="").exists()
