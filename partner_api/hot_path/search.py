"""A document search (connect-api section 5): the body in, the answer out."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson

from core.document_kinds import BY_TYPE, DocumentKind
from documents.models.querysets import DocumentRow, SearchedClients
from partner_api.errors import Fault, invalid
from partner_api.times import (
    cut_to_milliseconds,
    from_the_wire,
    on_the_wire,
    two_years_before,
)

ATTRIBUTES = "/data/attributes"
CLIENTS = "/data/relationships/clients/data"
PAGING = "/meta/paging"
MAX_CLIENTS = 5000
MAX_LIMIT = 1000
DEFAULT_LIMIT = 100
# The attributes of a later version say so themselves.
FIRST_VERSION = '"version":1,"replaces":null,'


class Search(NamedTuple):
    """A search: half-open from `start` to `end`; the caller may name `end` as the next start."""

    kind: DocumentKind
    start: datetime | None
    end: datetime | None
    clients: list[str]
    limit: int
    after: uuid.UUID | str | None

    def until(self, horizon: datetime) -> Bounded:
        """The window that can be answered: two years back, and no further than `horizon`.

        The echoed end has milliseconds, so the end that is used has them too.
        """
        earliest, latest = two_years_before(horizon), cut_to_milliseconds(horizon)
        return Bounded(
            max(self.start or earliest, earliest, key=_instant),
            min(self.end or latest, latest, key=_instant),
        )


class Bounded(NamedTuple):
    start: datetime
    end: datetime


class Faults(list[Fault]):
    """Collects the faults of a request, so that the answer has all of them."""

    def add(self, pointer: str, detail: str) -> None:
        self.append(fault(pointer, detail))


def read_search(body: dict[str, Any]) -> Search:
    """Check the body; raise with all faults at once."""
    faults = Faults(wrong_type(body))
    kind = _kind(body, faults)
    given_start = _moment(body, "from", faults)
    given_end = _moment(body, "to", faults)
    clients = _clients(body, faults)
    limit, after = _paging(body, kind, faults)
    if given_start and given_end and given_end < given_start:
        faults.add(f"{ATTRIBUTES}/to", "to must not lie before from.")
    if faults or kind is None:
        raise invalid(*faults)
    return Search(kind, given_start, given_end, clients, limit, after)


def member(body: Any, *path: str) -> Any:
    """Return the member at the path; None where it, or a step to it, is absent or null."""
    for name in path:
        body = body.get(name) if isinstance(body, dict) else None
    return body


def fault(pointer: str, detail: str) -> Fault:
    return Fault("validationError", detail, pointer)


def wrong_type(body: dict[str, Any]) -> list[Fault]:
    """A resource of another type was sent by mistake; an absent type does no harm."""
    if not isinstance(body.get("data"), dict):
        return [fault("/data", "data must be an object.")]
    if body["data"].get("type") not in (None, "documentSearch"):
        return [fault("/data/type", "type must be documentSearch.")]
    return []


def search_answer(
    search: Search,
    identifier: str,
    window: Bounded,
    clients: SearchedClients,
    rows: Sequence[DocumentRow],
) -> dict[str, Any]:
    """The body of the answer; a row more than the limit means that there is another page.

    `included` is an object here, not the array of JSON:API.
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


def document_resource(kind: DocumentKind, row: DocumentRow, number: str) -> orjson.Fragment:
    """One document, of the client with this enterprise number, as search and read show it.

    It is JSON text, because the stored attributes are JSON text already: nested objects would cost
    a page of 100 some 70 µs more. Only an identifier that is text may contain something that JSON
    must escape.
    """
    identifier = orjson.dumps(row.public_id).decode() if row.public_id else f'"{row.uuid}"'
    own = row.attributes.removesuffix("}")
    joint = "," if own != "{" else ""
    if '"version":' not in own:
        joint += FIRST_VERSION
    return orjson.Fragment(
        f'{{"type":"{kind.type}","id":{identifier},'
        f'"attributes":{own}{joint}"{kind.date_attribute}":"{row.available_at}"}},'
        f'"relationships":{{"client":{{"data":{{"type":"client","id":"{number}"}}}}}}}}'
    )


def _kind(body: dict[str, Any], faults: Faults) -> DocumentKind | None:
    given = member(body, "data", "attributes", "documentType")
    kind = BY_TYPE.get(given) if isinstance(given, str) else None
    if kind is None:
        faults.add(
            f"{ATTRIBUTES}/documentType", f"documentType must be one of {', '.join(BY_TYPE)}."
        )
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
            f"{name} must be an ISO 8601 date and time with an offset, "
            "such as 2026-01-01T00:00:00+01:00.",
        )
        return None


def _clients(body: dict[str, Any], faults: Faults) -> list[str]:
    """The enterprise numbers, each once, checked all together: there may be 5,000."""
    given = member(body, "data", "relationships", "clients", "data")
    if not isinstance(given, list) or not 1 <= len(given) <= MAX_CLIENTS:
        faults.add(CLIENTS, "clients must be a list of 1 to 5,000 clients.")
        return []
    try:
        numbers = [entry["id"] for entry in given]
        if set(map(len, numbers)) == {10} and _are_digits("".join(numbers)):
            return list(dict.fromkeys(numbers))
    except (TypeError, KeyError):
        pass
    for place, entry in enumerate(given):
        _check_client(f"{CLIENTS}/{place}", entry, faults)
    return []


def _check_client(pointer: str, entry: Any, faults: Faults) -> None:
    if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
        faults.add(pointer, 'client must be {"type": "client", "id": "…"}.')
    elif len(entry["id"]) != 10 or not _are_digits(entry["id"]):
        faults.add(
            f"{pointer}/id", "id must be an enterprise number: 10 digits, without BE or dots."
        )


def _are_digits(text: str) -> bool:
    """Digits 0 to 9 only: Unicode has others."""
    return text.isascii() and text.isdecimal()


def _paging(
    body: dict[str, Any], kind: DocumentKind | None, faults: Faults
) -> tuple[int, uuid.UUID | str | None]:
    limit = member(body, "meta", "paging", "limit")
    after = member(body, "meta", "paging", "after")
    if limit is None:
        limit = DEFAULT_LIMIT
    if isinstance(limit, float) and limit.is_integer():
        limit = int(limit)  # a number of a decimal type: JSON knows one type only
    if type(limit) is not int or not 1 <= limit <= MAX_LIMIT:
        faults.add(f"{PAGING}/limit", "limit must be a number from 1 to 1000.")
    try:
        return limit, uuid.UUID(after) if after is not None else None
    except (ValueError, AttributeError, TypeError):
        # Software that takes the last identifier it saw for the cursor does so for every kind.
        if isinstance(after, str) and kind and not kind.uuid_on_the_wire:
            return limit, after
        faults.add(f"{PAGING}/after", "after must be the cursor of an earlier page.")
        return limit, None


def _instant(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
