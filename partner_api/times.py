"""Moments on the wire: ISO 8601 with an offset."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

# Java leaves seconds of nought out, .NET writes seven decimals and Go nine.
MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(Z|[+-]\d\d(?::?\d\d)?)",
    re.ASCII | re.IGNORECASE,
)


def on_the_wire(moment: datetime | None) -> str | None:
    """Milliseconds, as clients expect; microseconds where the moment has them and they count."""
    if moment is None:
        return None
    spec = "milliseconds" if moment.microsecond % 1000 == 0 else "microseconds"
    return moment.isoformat(timespec=spec).replace("+00:00", "Z")


def in_milliseconds(moment: datetime | None) -> str | None:
    """The moment of an event, for people and logs: cut to milliseconds, in UTC."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_the_wire(text: str) -> datetime:
    """Read an ISO 8601 moment; what is finer than a microsecond is cut off. Raises ValueError.

    Business Central pads it with blanks to a length of its own.
    """
    found = MOMENT.fullmatch(text.strip())
    if found is None:
        raise ValueError(text)
    date, clock, second, fraction, offset = found.groups()
    micro = (fraction or "")[:6].ljust(6, "0")
    moment = datetime.fromisoformat(f"{date}T{clock}:{second or '00'}.{micro}{offset.upper()}")
    try:
        moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(text) from error
    return moment


def two_years_before(now: datetime) -> datetime:
    """Two calendar years back; for 29 February, 28 February."""
    try:
        return cut_to_milliseconds(now.replace(year=now.year - 2))
    except ValueError:
        return cut_to_milliseconds((now - timedelta(days=1)).replace(year=now.year - 2))


def cut_to_milliseconds(moment: datetime) -> datetime:
    """So that the echoed end, which has milliseconds, is exactly the end that was used."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
