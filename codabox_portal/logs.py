"""Structured logs: one JSON line an event on stderr, readable lines on a terminal.

Every line of a request carries its request id, which API callers get as `ibanity-request-id`. No
line carries a secret or says who somebody is: people and software stand there by their numbers.
"""

import logging
import re
import sys
from typing import Any

import orjson
import structlog

# What makes a text worth a closer look; most have nothing of it, and a look costs 0.3 µs.
SUSPICIOUS = re.compile(
    r"[^ -~]|[@?]|/invitation/|/email/|/key/|consents?/|earer |asic ", re.IGNORECASE
)
HIDDEN = [
    # The keys of links that were mailed.
    (re.compile(r"(/(?:invitation|me/email|password/reset/key)/)[^\s/?\"']+"), r"\1…"),
    # What a browser or software names a consent by.
    (re.compile(r"(/(?:accounting-office-)?consents?/)[\da-f-]{36}\b", re.IGNORECASE), r"\1…"),
    (re.compile(r"\?[^\s\"']+"), "?…"),
    (re.compile(r"\b(bearer|basic) +[^\s\"',]+", re.IGNORECASE), r"\1 …"),
    (re.compile(r"[^\s@<>\"'(=:/]+@[\w.-]+"), "…@…"),
]
# Control characters, and those that change the direction of what follows: a name must not be able
# to forge a line, to colour a terminal or to read backwards. Half a character is no UTF-8 at all.
TRICKS = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def harmless(logger: Any, method: str, line: structlog.typing.EventDict) -> Any:
    """Take out of a line what must not be in a log, and what would make it lie."""
    line.pop("user_agent", None)
    line.pop("ip", None)
    for name, value in line.items():
        if isinstance(value, str) and SUSPICIOUS.search(value):
            line[name] = _harmless(value, keep="\n" if name in ("exception", "stack") else "")
    return line


def _harmless(text: str, keep: str) -> str:
    for pattern, instead in HIDDEN:
        text = pattern.sub(instead, text)
    return TRICKS.sub(lambda found: found[0] if found[0] in keep else _shown(found[0]), text)


def _shown(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


SHARED: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    harmless,
]


def configuration(*, json_lines: bool) -> dict[str, Any]:
    """Configure structlog and return the `LOGGING` dictionary for Django."""
    # Our own lines do not go by way of Python's logging, which looks for the line of code that
    # spoke and formats twice: 130 µs of each call of the API.
    direct: structlog.typing.Processor
    if json_lines:
        direct = structlog.processors.JSONRenderer(orjson.dumps)
        factory: Any = structlog.BytesLoggerFactory(open(2, "wb", closefd=False))  # noqa: SIM115
    else:
        direct, factory = structlog.dev.ConsoleRenderer(), structlog.PrintLoggerFactory(sys.stderr)
    structlog.configure(
        processors=[*SHARED, direct],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=factory,
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processor": structlog.processors.JSONRenderer() if json_lines else direct,
                "foreign_pre_chain": [structlog.stdlib.add_logger_name, *SHARED],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": {
            "httpx": {"level": "WARNING"},
            "django.server": {"handlers": ["stderr"], "propagate": False},
        },
    }
