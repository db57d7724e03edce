"""The server of software that is told, and what wakes the telling."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db.models import F
from django.db.models.functions import Now
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from consents.models import ConsentEvent
from notifications.fan_out import fan_out
from notifications.models import WebhookEndpoint
from notifications.webhooks.endpoints import deliver


class Receiver:
    """The server of software: what it got, and what it answers."""

    def __init__(self, server: HTTPServer) -> None:
        self.server = server
        self.got: list[dict[str, Any]] = []
        self.signatures: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.bodies: list[bytes] = []
        self.answer: Callable[[Request], Response] = lambda request: Response(status=204)
        server.expect_request("/hook").respond_with_handler(self._hear)

    def _hear(self, request: Request) -> Response:
        self.bodies.append(request.get_data())
        self.got.append(json.loads(request.get_data())["data"])
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        self.signatures.append(request.headers["Signature"])
        return self.answer(request)

    def answers(self, status: int, **headers: str) -> None:
        self.answer = lambda request: Response(status=status, headers=headers)

    @property
    def told(self) -> list[str]:
        return [one["type"].rpartition(".")[2] for one in self.got]


def hear(endpoint: WebhookEndpoint) -> None:
    """What a worker does after the signal: fan out what happened, then tell it."""
    for event_id in ConsentEvent.objects.filter(fan_out=None).order_by("pk").values_list("pk"):
        fan_out(event_id[0])
    deliver(endpoint.pk)


def later(endpoint: WebhookEndpoint, **ago: float) -> None:
    """Let what waits be due now, and everything be so much older."""
    old = timedelta(**ago)
    endpoint.deliveries.update(next_at=Now(), created_at=F("created_at") - old)
    WebhookEndpoint.objects.update(busy_until=None)
