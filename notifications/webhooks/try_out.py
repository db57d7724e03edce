"""Send a test event to an endpoint now, and return what the receiver said."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any, NamedTuple

from core.clock import database_time
from notifications.models.webhook_endpoint import OffReason, WebhookEndpoint
from notifications.webhooks.send import post
from notifications.webhooks.sign import in_milliseconds


class TestIsRunning(Exception):
    """Another test of this endpoint has not ended yet."""


class TestResult(NamedTuple):
    """The status of the answer, or None and the reason why there is none."""

    status: int | None
    milliseconds: int
    error: str | None


def test_event() -> dict[str, Any]:
    """Return a new event `codaboxConnect.test`, which is about nothing."""
    return {
        "type": "codaboxConnect.test",
        "id": str(uuid.uuid4()),
        "attributes": {"createdAt": in_milliseconds(database_time())},
        "relationships": {},
    }


def try_out(endpoint: WebhookEndpoint) -> TestResult:
    """Send a test event and wait for the answer, 15 seconds at most. Raises TestIsRunning.

    One test of an endpoint at a time: a receiver that hangs holds one thread of ours and no more.
    An endpoint that the software or a 410 switched off can be tried before it is switched on.
    """
    if endpoint.off_reason == OffReason.OPERATOR:
        return TestResult(None, 0, "The endpoint was switched off by the portal.")
    if not endpoint.begin_test():
        raise TestIsRunning
    event = test_event()
    begun = time.monotonic()
    try:
        body = json.dumps({"data": event}, separators=(",", ":")).encode()
        answer = post(endpoint, event["id"], body)
    finally:
        endpoint.end_test()
    milliseconds = round((time.monotonic() - begun) * 1000)
    return TestResult(answer.status or None, milliseconds, answer.reason or None)
