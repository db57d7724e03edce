"""Traces for OpenTelemetry: one from a call of the API to the webhook that it caused.

The spans are our own, so that they say only what they must: routes, tasks, statements without
their parameters. The ready-made instrumentations send addresses of pages and headers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.util import Finalize
from typing import Any

from celery.signals import before_task_publish, task_postrun, task_prerun
from django.db.backends.signals import connection_created
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from core.telemetry import Span, SpanKind, Tracing, telemetry

W3C = TraceContextTextMapPropagator()
KINDS = {kind: trace.SpanKind[kind.name] for kind in SpanKind}
TEXTS = re.compile(r"'(?:[^']|'')*'")


class RecordedSpan(Span):
    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def rename(self, name: str) -> None:
        self._span.update_name(name)

    def note(self, name: str, value: str | int) -> None:
        self._span.set_attribute(name, value)

    def failed(self, why: str) -> None:
        self._span.set_status(trace.Status(trace.StatusCode.ERROR, why))


class RecordedTracing(Tracing):
    def __init__(self, provider: TracerProvider) -> None:
        self._tracer = provider.get_tracer("codabox_portal")

    @contextmanager
    def span(self, name: str, kind: SpanKind, parent: str = "") -> Iterator[Span]:
        # What an exception says may name somebody: its type alone is told.
        with self._tracer.start_as_current_span(
            name,
            context=W3C.extract({"traceparent": parent}, Context()) if parent else None,
            kind=KINDS[kind],
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            recorded = RecordedSpan(span)
            try:
                yield recorded
            except BaseException as error:
                recorded.failed(type(error).__name__)
                raise

    def traceparent(self) -> str:
        carrier: dict[str, str] = {}
        W3C.inject(carrier)
        return carrier.get("traceparent", "")


def start() -> None:
    """Trace this process from now on, and send what is left when it ends.

    The exporter reads OTEL_EXPORTER_OTLP_ENDPOINT and the other standard variables.
    """
    ours = Resource({SERVICE_NAME: "codabox-portal"})
    provider = TracerProvider(resource=ours.merge(OTELResourceDetector().detect()))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    telemetry.tracing = RecordedTracing(provider)
    # Granian ends its web processes without `atexit`.
    Finalize(None, provider.shutdown, exitpriority=1)
    before_task_publish.connect(_give_the_trace_to_the_task)
    task_prerun.connect(_begin_the_task)
    task_postrun.connect(_end_the_task)
    connection_created.connect(_trace_statements)


def _give_the_trace_to_the_task(headers: dict[str, Any], **kwargs: Any) -> None:
    if traceparent := telemetry.tracing.traceparent():
        headers["traceparent"] = traceparent


def _begin_the_task(task: Any, **kwargs: Any) -> None:
    parent = task.request.get("traceparent") or ""
    around = telemetry.tracing.span(task.name, SpanKind.CONSUMER, parent)
    task.request.span_of_the_run = around, around.__enter__()


def _end_the_task(
    task: Any, state: str | None = None, retval: object = None, **kwargs: Any
) -> None:
    around, span = task.request.span_of_the_run
    if state == "FAILURE":
        span.failed(type(retval).__name__)
    around.__exit__(None, None, None)


def _trace_statements(connection: Any, **kwargs: Any) -> None:
    if _in_a_span not in connection.execute_wrappers:
        connection.execute_wrappers.append(_in_a_span)


def _in_a_span(
    execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    """A span around a statement of a request or a job; its parameters are not told."""
    if not trace.get_current_span().is_recording():
        return execute(sql, params, many, context)
    text = TEXTS.sub("'…'", sql) if isinstance(sql, str) else ""
    word = text.split(maxsplit=1)[0].upper() if text.split() else "SQL"
    with telemetry.tracing.span(word, SpanKind.CLIENT) as span:
        span.note("db.system.name", "postgresql")
        span.note("db.query.text", text)
        return execute(sql, params, many, context)
