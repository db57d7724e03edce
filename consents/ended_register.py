"""The register of ended consents: a file outside the database that says what offices stopped.

It has one line of JSON for each cancel, pause, resumption, change of scope, block and unblock. No
backup of the database brings a line back or takes one away; see consents.restore_guard.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings

# What a line is about, by the kind of its event. The last line of a topic says how it stands.
TOPICS = {
    "cancelled": "end",
    "paused": "pause",
    "resumed": "pause",
    "narrowed": "scope",
    "widened": "scope",
    "blocked": "block",
    "unblocked": "block",
}


class Line(NamedTuple):
    """One event, in the words of the file: identifiers are UUIDs, `at` is ISO 8601 in UTC.

    `state` is, for a pause, `until`; for a scope all that it says: `kinds` that are left out,
    `allowlist`, and the `clients` on its list.
    """

    at: str
    kind: str
    event: str
    consent: str
    office: str
    partner: str
    state: dict[str, Any]

    @property
    def topic(self) -> str:
        return TOPICS[self.kind]


def register_file() -> Path:
    return Path(settings.PORTAL_ENDED_CONSENTS_FILE)


def register(*lines: Line) -> None:
    """Append lines, and wait until the disk has them."""
    text = "".join(json.dumps(line._asdict(), separators=(",", ":")) + "\n" for line in lines)
    register_file().parent.mkdir(parents=True, exist_ok=True)
    # One write at the end of the file: several processes do not mix their lines. What a crash cut
    # in half ends with a line break of its own.
    handle = os.open(register_file(), os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        size = os.fstat(handle).st_size
        cut = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
        os.write(handle, (b"\n" if cut else b"") + text.encode("ascii"))
        os.fsync(handle)
    finally:
        os.close(handle)


def registered(file: Path | None = None) -> list[Line]:
    """Every line, the oldest first; half a line, left by a crash, says nothing.

    Of the register of the settings, or of a copy.
    """
    file = file or register_file()
    if not file.exists():
        return []
    text = file.read_text(encoding="ascii", errors="replace")
    return sorted(_read(text), key=lambda line: line.at)


def _read(text: str) -> Iterator[Line]:
    for line in text.splitlines():
        try:
            found = Line(**json.loads(line))
        except (ValueError, TypeError):
            continue
        if found.kind in TOPICS:
            yield found
