"""Send one event to one endpoint and read what the receiver answers."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from typing import NamedTuple

import httpcore
from django.conf import settings

from core.telemetry import SpanKind, telemetry
from notifications.models.webhook_endpoint import Delivery, WebhookEndpoint
from notifications.webhooks import standard_webhooks
from notifications.webhooks.sign import event_body, signature
from notifications.webhooks.ssrf_guard import GuardedBackend

TIMEOUT = 15.0  # seconds, from the DNS lookup to the end of the answer
MAX_ANSWER_SIZE = 64 * 1024  # bytes of an answer that we read


class Answer(NamedTuple):
    """The result of an attempt: a status, or 0 and the reason why there is none."""

    status: int
    reason: str = ""
    retry_after: timedelta | None = None

    def __str__(self) -> str:
        return str(self.status or self.reason)


def send(delivery: Delivery, endpoint: WebhookEndpoint) -> Answer:
    """Send the event of a delivery. Never raises because of what the receiver does."""
    message = delivery.message
    with telemetry.tracing.span("webhook", SpanKind.CLIENT, delivery.traceparent) as span:
        span.note("portal.endpoint", endpoint.pk)
        answer = post(endpoint, str(message.uuid), event_body(message))
        if answer.status:
            span.note("http.response.status_code", answer.status)
        if not 200 <= answer.status < 300:
            span.failed(str(answer.status or "no answer"))
    return answer


def post(endpoint: WebhookEndpoint, message_id: str, body: bytes) -> Answer:
    """Sign a body and send it. Never raises because of what the receiver does."""
    headers = [
        ("Content-Type", "application/vnd.api+json"),
        ("Signature", signature(body, endpoint.partner)),
        *standard_webhooks.headers(endpoint, message_id, body),
        ("User-Agent", "CodaBox-Connect"),
    ]
    if traceparent := telemetry.tracing.traceparent():
        headers.append(("traceparent", traceparent))
    pool = httpcore.ConnectionPool(
        ssl_context=_tls_context(), network_backend=GuardedBackend(TIMEOUT)
    )
    timeouts = dict.fromkeys(("connect", "read", "write", "pool"), TIMEOUT)
    try:
        with (
            pool,
            pool.stream(
                "POST",
                endpoint.url,
                headers=headers,
                content=body,
                extensions={"timeout": timeouts},
            ) as response,
        ):
            _read(response)
            received = {name.lower(): value.decode("latin-1") for name, value in response.headers}
    except (httpcore.TimeoutException, TimeoutError):
        return Answer(0, "no answer in time")
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
        return Answer(0, f"{type(error).__name__}: {error}")
    except (httpcore.UnsupportedProtocol, ValueError) as error:
        return Answer(0, f"{type(error).__name__}: {error}")
    return Answer(response.status, retry_after=_retry_after(received.get(b"retry-after", "")))


@cache
def _tls_context() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=settings.PORTAL_WEBHOOKS_CA or None)


def _read(response: httpcore.Response) -> None:
    """Read the answer, but stop after MAX_ANSWER_SIZE bytes."""
    size = 0
    for part in response.iter_stream():
        size += len(part)
        if size > MAX_ANSWER_SIZE:
            return


def _retry_after(text: str) -> timedelta | None:
    """Parse seconds or a date (RFC 9110, section 10.2.3); return None for anything else."""
    if text.isdecimal() and len(text) < 9:
        return timedelta(seconds=int(text))
    try:
        return parsedate_to_datetime(text) - datetime.now(tz=UTC)
    except (TypeError, ValueError):
        return None
