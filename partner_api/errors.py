"""Errors as connect-api section 7 has them: JSON always, all faults of a request at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson
import structlog
from django.core.exceptions import DisallowedHost, RequestDataTooBig
from django.db import InterfaceError, InternalError, OperationalError
from django.http import Http404, HttpResponse
from psycopg.errors import ReadOnlySqlTransaction
from rest_framework import exceptions
from rest_framework.settings import api_settings

from core.telemetry import telemetry

log = structlog.get_logger("api")
MEDIA_TYPE = "application/vnd.api+json"


class Fault(NamedTuple):
    """One thing that is wrong, in a sentence a human understands."""

    code: str
    detail: str
    pointer: str | None = None
    meta: dict[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        fault: dict[str, Any] = {"code": self.code, "detail": self.detail}
        if self.pointer is not None:
            fault["source"] = {"pointer": self.pointer}
            fault["meta"] = {"attribute": self.pointer.rsplit("/", 1)[-1]}
        if self.meta:
            fault["meta"] = {**fault.get("meta", {}), **self.meta}
        return fault


class ApiError(Exception):
    """A refusal with its status, faults and headers."""

    def __init__(self, status: int, *faults: Fault, headers: dict[str, str] | None = None) -> None:
        super().__init__(", ".join(fault.code for fault in faults))
        self.status = status
        self.faults = faults
        self.headers = headers or {}


def invalid(*faults: Fault) -> ApiError:
    return ApiError(400, *faults)


def faults_of(detail: Any, pointer: str = "") -> Iterator[Fault]:
    """The faults that a serializer found, each with a JSON pointer to its member."""
    if isinstance(detail, list) and any(isinstance(inner, dict) for inner in detail):
        for place, inner in enumerate(detail):
            yield from faults_of(inner, f"{pointer}/{place}")
        return
    if not isinstance(detail, dict):
        for sentence in detail:
            yield Fault("validationError", str(sentence), pointer)
        return
    for name, inner in detail.items():
        of_all = name == api_settings.NON_FIELD_ERRORS_KEY
        yield from faults_of(inner, pointer if of_all else f"{pointer}/{name}")


def not_found() -> ApiError:
    """For what does not exist and for what was never asked for: the answers are equal."""
    return ApiError(404, Fault("notFound", "There is no such resource for you."))


def unauthorized(detail: str) -> ApiError:
    """No usable credentials came with the call."""
    return ApiError(401, Fault("unauthorized", detail), headers={"WWW-Authenticate": "Bearer"})


def invalid_token(detail: str) -> ApiError:
    """An access token came with the call, but it is not valid (RFC 6750, section 3.1)."""
    challenge = 'Bearer error="invalid_token"'
    return ApiError(401, Fault("unauthorized", detail), headers={"WWW-Authenticate": challenge})


def refused(status: int, code: str, detail: str, **meta: Any) -> ApiError:
    return ApiError(status, Fault(code, detail, meta=meta or None))


def too_many_requests(seconds: int, detail: str) -> ApiError:
    return ApiError(429, Fault("tooManyRequests", detail), headers={"Retry-After": str(seconds)})


def restoring() -> ApiError:
    """A restored backup revived consents; `manage.py reapply_cancellations` opens the API again."""
    return ApiError(
        503,
        Fault("temporarilyUnavailable", "The portal is being restored. Try again later."),
        headers={"Retry-After": "60"},
    )


def answer(error: Exception) -> HttpResponse:
    """Turn any exception into an answer of the contract; an unknown one is logged, not shown."""
    known = error if isinstance(error, ApiError) else _translated(error)
    body = orjson.dumps({"errors": [fault.as_json() for fault in known.faults]})
    response = HttpResponse(
        body, status=known.status, content_type=MEDIA_TYPE, headers=known.headers
    )
    response.code = known.faults[0].code  # type: ignore[attr-defined]  # for the counter
    return response


def handle(error: Exception, context: dict[str, Any]) -> HttpResponse:
    """DRF's exception handler."""
    return answer(error)


def _away(error: Exception) -> ApiError:
    """The database is away, too slow, or read-only: nothing is served and nothing was changed."""
    log.error("database_away", error=str(error))
    return ApiError(
        503,
        Fault("temporarilyUnavailable", "Try again in a moment; nothing was changed."),
        headers={"Retry-After": "5"},
    )


def _translated(error: Exception) -> ApiError:
    match error:
        case Http404():
            return not_found()
        case exceptions.ValidationError():
            return invalid(*faults_of(error.detail))
        case exceptions.MethodNotAllowed():
            return refused(405, "methodNotAllowed", "This resource does not know that method.")
        case exceptions.UnsupportedMediaType():
            return refused(
                415,
                "unsupportedMediaType",
                "Content-Type must be application/vnd.api+json or application/json, in UTF-8, "
                "and the body must not be compressed.",
            )
        case RequestDataTooBig():
            return refused(413, "payloadTooLarge", "The body is larger than 1 MiB.")
        case DisallowedHost():
            return refused(400, "invalidParameter", "Host must be the name of this portal.")
        case OperationalError() | InterfaceError():
            return _away(error)
        case InternalError() if isinstance(error.__cause__, ReadOnlySqlTransaction):
            return _away(error)
        case _:
            log.exception("api_crash")
            telemetry.report(error)
            return refused(500, "internalError", "Something went wrong here; it was written down.")
