"""Reports of crashes for Sentry: what went wrong and where in the code, never with whom.

None of Sentry's own integrations runs: they send headers, addresses of pages, statements and
what the log says. An event leaves with the fields of KEPT only.
"""

from __future__ import annotations

import sys
from typing import Any

import sentry_sdk
import structlog
from celery.signals import task_failure
from django.conf import settings
from django.core.signals import got_request_exception
from sentry_sdk.types import Event, Hint

from core.telemetry import telemetry

KEPT = ("event_id", "timestamp", "platform", "level", "sdk", "release", "environment", "tags")
OF_EXCEPTION = ("type", "module")
OF_FRAME = ("filename", "function", "module", "lineno", "in_app", "context_line")


def start() -> None:
    """Report what crashes in this process from now on."""
    sentry_sdk.init(
        dsn=settings.PORTAL_SENTRY_DSN,
        default_integrations=False,
        auto_enabling_integrations=False,
        auto_session_tracking=False,
        send_default_pii=False,
        include_local_variables=False,
        max_breadcrumbs=0,
        before_send=_without_persons,
    )
    telemetry.report = report
    got_request_exception.connect(_of_a_page)
    task_failure.connect(_of_a_task)


def report(error: BaseException, **tags: str) -> None:
    """Report a crash; its log lines are found by the request id."""
    request_id = structlog.contextvars.get_contextvars().get("request_id")
    with sentry_sdk.new_scope() as scope:
        scope.set_tags(tags | ({"request_id": str(request_id)} if request_id else {}))
        sentry_sdk.capture_exception(error)


def _of_a_page(sender: Any, request: Any, **kwargs: Any) -> None:
    if error := sys.exception():
        match = request.resolver_match
        report(error, route=match.view_name if match is not None else "none")


def _of_a_task(sender: Any, exception: BaseException, **kwargs: Any) -> None:
    report(exception, task=sender.name)


def _without_persons(event: Event, hint: Hint) -> Event:
    """Leave out what an exception says too: PostgreSQL names there the row that it refused."""
    content: dict[str, Any] = dict(event)
    values = content.get("exception", {}).get("values", [])
    kept: Any = {name: content[name] for name in KEPT if content.get(name)}
    kept["exception"] = {"values": [_bare(value) for value in values]}
    return kept  # type: ignore[no-any-return]


def _bare(value: dict[str, Any]) -> dict[str, Any]:
    frames = (value.get("stacktrace") or {}).get("frames", [])
    bare = {name: value[name] for name in OF_EXCEPTION if value.get(name)}
    lines = [{name: frame[name] for name in OF_FRAME if name in frame} for frame in frames]
    return bare | {"stacktrace": {"frames": lines}}
