"""A document search (connect-api section 5): the body in, the answer out."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import orjson

from documents.kinds import BY_TYPE, KindOfDocument
from documents.querysets import Clients, Row
from partner_api.errors import Fault, invalid
from partner_api.serializers import ATTRIBUTES, fault, member, wrong_type
from partner_api.times import from_the_wire, on_the_wire

CLIENTS = "/data/relationships/clients/data"
PAGING = "/meta/paging"
MAX_CLIENTS = 5000
MAX_LIMIT = 1000
DEFAULT_LIMIT = 100


class Search(NamedTuple):
    """What is asked: half-open from `start` to `end`, as the caller may name it next time."""

    kind: KindOfDocument
    start: datetime | None
    end: datetime | None
    clients: list[str]
    limit: int
    after: uuid.UUID | str | None

    def until(self, horizon: datetime) -> Bounded:
        """The window that can be answered: two years back, and no further than `horizon`.

        The echoed end has milliseconds, so the end that is used has them too.
        """
        earliest, latest = two_years_before(horizon), _cut_to_milliseconds(horizon)
        return Bounded(
            max(self.start or earliest, earliest, key=_instant),
            min(self.end or latest, latest, key=_instant),
        )


class Bounded(NamedTuple):
    start: datetime
    end: datetime


class Faults(list[Fault]):
    """Collects what is wrong, so that all of it is answered at once."""

    def add(self, pointer: str, detail: str) -> None:
        self.append(fault(pointer, detail))


def read_search(body: dict[str, Any]) -> Search:
    """Check the body; raise with all faults at once."""
    faults = Faults(wrong_type(body, "documentSearch"))
    kind = _kind(body, faults)
    given_start = _moment(body, "from", faults)
    given_end = _moment(body, "to", faults)
    clients = _clients(body, faults)
    limit, after = _paging(body, kind, faults)
    if given_start and given_end and given_end < given_start:
        faults.add(f"{ATTRIBUTES}/to", "to lies before from.")
    if faults or kind is None:
        raise invalid(*faults)
    return Search(kind, given_start, given_end, clients, limit, after)


def two_years_before(now: datetime) -> datetime:
    """Two calendar years back; for 29 February, 28 February."""
    try:
        return _cut_to_milliseconds(now.replace(year=now.year - 2))
    except ValueError:
        return _cut_to_milliseconds((now - timedelta(days=1)).replace(year=now.year - 2))


def search_answer(
    search: Search,
    identifier: str,
    window: Bounded,
    clients: Clients,
    rows: Sequence[Row],
) -> dict[str, Any]:
    """The body of the answer; a row over the limit says that there is more.

    `included` is an object here, not JSON:API's array.
    """
    kind = search.kind
    rows, more = rows[: search.limit], len(rows) > search.limit
    documents = [{"type": kind.type, "id": row.public_id or row.uuid} for row in rows]
    numbers = clients.numbers
    known = set(numbers.values())
    meta: dict[str, Any] = {"paging": {"limit": search.limit}}
    if more:
        meta["paging"]["after"] = rows[-1].uuid
    unknown = [number for number in search.clients if number not in known]
    if unknown:
        meta["unknownClients"] = unknown
    if clients.excluded:
        meta["excludedClients"] = clients.excluded
    return {
        "data": {
            "type": "documentSearch",
            "id": identifier,
            "attributes": {
                "documentType": kind.type,
                "from": on_the_wire(window.start),
                "to": on_the_wire(window.end),
            },
            "relationships": {
                "clients": {"data": [{"type": "client", "id": n} for n in search.clients]},
                "documents": {"data": documents},
            },
        },
        "included": {
            "documents": [document_resource(kind, row, numbers[row.client_id]) for row in rows]
        },
        "meta": meta,
    }


def document_resource(kind: KindOfDocument, row: Row, number: str) -> orjson.Fragment:
    """One document, of the client with this enterprise number, as search and read show it.

    JSON text, since its stored attributes are that already: nested objects would cost a page of
    100 as much as the search itself. Only an identifier of text may hold what JSON must escape.
    """
    identifier = orjson.dumps(row.public_id).decode() if row.public_id else f'"{row.uuid}"'
    own = row.attributes.removesuffix("}")
    joint = "," if own != "{" else ""
    return orjson.Fragment(
        f'{{"type":"{kind.type}","id":{identifier},'
        f'"attributes":{own}{joint}"{kind.date}":"{row.available_at}"}},'
        f'"relationships":{{"client":{{"data":{{"type":"client","id":"{number}"}}}}}}}}'
    )


def _kind(body: dict[str, Any], faults: Faults) -> KindOfDocument | None:
    given = member(body, "data", "attributes", "documentType")
    kind = BY_TYPE.get(given) if isinstance(given, str) else None
    if kind is None:
        faults.add(f"{ATTRIBUTES}/documentType", f"It must be one of {', '.join(BY_TYPE)}.")
    return kind


def _moment(body: dict[str, Any], name: str, faults: Faults) -> datetime | None:
    given = member(body, "data", "attributes", name)
    if given is None:
        return None
    try:
        return from_the_wire(given)
    except (ValueError, TypeError, AttributeError):
        faults.add(
            f"{ATTRIBUTES}/{name}",
            "It must be an ISO 8601 date and time with an offset, "
            "such as 2026-01-01T00:00:00+01:00.",
        )
        return None


def _clients(body: dict[str, Any], faults: Faults) -> list[str]:
    """The identifiers, each once, checked in one pass: there may be 5,000."""
    given = member(body, "data", "relationships", "clients", "data")
    if not isinstance(given, list) or not 1 <= len(given) <= MAX_CLIENTS:
        faults.add(CLIENTS, "Name 1 to 5,000 clients.")
        return []
    try:
        numbers = [entry["id"] for entry in given]
        if all(type(number) is str for number in numbers):
            return list(dict.fromkeys(numbers))
    except (TypeError, KeyError):
        pass
    for place, entry in enumerate(given):
        if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
            faults.add(f"{CLIENTS}/{place}", 'Each client is {"type": "client", "id": "…"}.')
    return []


def _paging(
    body: dict[str, Any], kind: KindOfDocument | None, faults: Faults
) -> tuple[int, uuid.UUID | str | None]:
    limit = member(body, "meta", "paging", "limit")
    after = member(body, "meta", "paging", "after")
    if limit is None:
        limit = DEFAULT_LIMIT
    if isinstance(limit, float) and limit.is_integer():
        limit = int(limit)  # a number of a decimal type: JSON knows one type only
    if type(limit) is not int or not 1 <= limit <= MAX_LIMIT:
        faults.add(f"{PAGING}/limit", "It must be a number from 1 to 1000.")
    try:
        return limit, uuid.UUID(after) if after is not None else None
    except (ValueError, AttributeError, TypeError):
        # Software that takes the last identifier it saw for the cursor does so for every kind.
        if isinstance(after, str) and kind and not kind.uuid_on_the_wire:
            return limit, after
        faults.add(f"{PAGING}/after", "It must be the cursor of an earlier page.")
        return limit, None


def _instant(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def _cut_to_milliseconds(moment: datetime) -> datetime:
    """So that the echoed end, which has milliseconds, is exactly the end that was used."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
