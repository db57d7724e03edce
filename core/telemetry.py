"""Where traces and errors go. Nowhere, and at no cost, until an extra is switched on.

`monitoring.traces` and `monitoring.error_reports` switch it on; the apps below speak to this
module only. Nothing that names a person, no body and no secret may be given to it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from enum import Enum


class SpanKind(Enum):
    SERVER = "server"
    CLIENT = "client"
    CONSUMER = "consumer"


class Span:
    """One piece of work in a trace; this one is not recorded."""

    def rename(self, name: str) -> None:
        """Say what it was, once that is known."""

    def note(self, name: str, value: str | int) -> None:
        """Add an attribute."""

    def failed(self, why: str) -> None:
        """Mark it as an error; `why` is the name of an exception, never its text."""


class Tracing:
    """Makes spans; this one records none."""

    def span(self, name: str, kind: SpanKind, parent: str = "") -> AbstractContextManager[Span]:
        """A span around the block, below the W3C `traceparent` given or else the span around it."""
        return nullcontext(Span())

    def traceparent(self) -> str:
        """The span around this line, as the header of W3C has it; empty: there is none."""
        return ""


class Telemetry:
    """What is switched on in this process."""

    def __init__(self) -> None:
        self.tracing = Tracing()
        self.report: Callable[[BaseException], None] = lambda error: None


telemetry = Telemetry()
