"""The floor: as little Python as can be between the socket and the product's own SQL.

Bare WSGI, psycopg and orjson; no framework, no checks of what comes in. It sends the same
statements as the product (bench.statements) and gives the same answers, so what the product costs
more is what its framework and its features cost. `BENCH_AUDIT=0` leaves the audit row out.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson
import psycopg
from psycopg.types.string import TextLoader

SQL: dict[str, Any] = orjson.loads(
    (Path(__file__).resolve().parent.parent / "var" / "bench" / "statements.json").read_bytes()
)
ACCESS = len(SQL["access"])
AUDIT = os.environ.get("BENCH_AUDIT", "1") == "1"
ACCEL = os.environ.get("BENCH_ACCEL", "")
STORAGE = Path(os.environ["PORTAL_STORAGE"])
JSON = "application/vnd.api+json"
KIND, TYPE = 1, "bankAccountStatement"
PIECE = 64 * 1024

Environ = dict[str, Any]
Start = Callable[[str, list[tuple[str, str]]], Any]
Sets = list[list[tuple[Any, ...]]]
_own = threading.local()


class Caller:
    """The rows of the authentication statement, and whether they allow anything."""

    def __init__(self, row: tuple[Any, ...]) -> None:
        self.application, self.partner = row[:2]
        self.consent, self.office, status, *flags, kinds, excluded, _restricted = row[-ACCESS:]
        self.allowed = status == "allowed" and flags == [True, True, False, False]
        self.allowed = self.allowed and TYPE in kinds and TYPE not in excluded


def application(environ: Environ, start: Start) -> Iterable[bytes]:
    parts = environ["PATH_INFO"].split("/")
    if parts[-1] == "token":
        return _token(environ, start)
    if len(parts) < 5:
        return _send(start, "200 OK", b"{}")
    caller = _authenticate(environ, parts[3])
    if caller is None or not caller.allowed:
        return _send(start, "403 Forbidden", b"{}")
    if parts[-1] == "document-searches":
        return _search(environ, start, caller)
    return _document(environ, start, caller, number=parts[5], identifier=parts[7])


def _authenticate(environ: Environ, office: str) -> Caller | None:
    token = environ["HTTP_AUTHORIZATION"][7:]
    checksum = hashlib.sha256(token.encode()).hexdigest()
    named = {"fingerprint": None, "office": UUID(office), "token": checksum}
    row = _connection().execute(SQL["caller"], named).fetchone()
    return Caller(row) if row else None


def _search(environ: Environ, start: Start, caller: Caller) -> Iterable[bytes]:
    body = orjson.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    asked, paging = body["data"]["attributes"], body["meta"]["paging"]
    wanted = [client["id"] for client in body["data"]["relationships"]["clients"]["data"]]
    limit = paging["limit"]
    numbers, rows = _page(caller, asked, wanted, limit, paging.get("after"))
    _record(caller, None, "search", 0)
    answer = _search_answer(asked, wanted, numbers, rows, limit)
    return _send(start, "201 Created", orjson.dumps(answer))


def _page(
    caller: Caller, asked: dict[str, str], wanted: list[str], limit: int, after: str | None
) -> tuple[dict[int, str], list[tuple[Any, ...]]]:
    enough = len(wanted) * SQL["small_part"] + 1
    start = datetime.fromisoformat(asked["from"])
    named = {"office": caller.office, "numbers": wanted, "after": after, "enough": enough}
    named |= {"partner": caller.partner, "since": start}
    *_, places, [[size]], clients = _sets(SQL["resolve"], named)
    numbers = {identifier: number for number, identifier, _ in clients}
    which = "few" if size == enough else "whole" if len(numbers) == size else "part"
    window = {
        "scope": str(caller.office),
        "office": caller.office,
        "kind": KIND,
        "start": start,
        "end": datetime.fromisoformat(asked["to"]),
        "limit": limit + 1,
        # Clients of the seed have as many documents as each other: no second look is needed.
        "each": 2 * (limit + 1) // max(len(numbers), 1) + 16 if which == "few" else limit + 1,
        "clients": f"{{{','.join(map(str, numbers))}}}",
    }
    if places:
        window["after_at"], window["after_id"] = places[0][:2]
    statement = SQL[f"page_{which}_after" if places else f"page_{which}"]
    return numbers, _sets(statement, window)[-1]


def _search_answer(
    asked: dict[str, str],
    wanted: list[str],
    numbers: dict[int, str],
    rows: list[tuple[Any, ...]],
    limit: int,
) -> dict[str, Any]:
    meta: dict[str, Any] = {"paging": {"limit": limit}}
    if len(rows) > limit:
        rows = rows[:limit]
        meta["paging"]["after"] = rows[-1][1]
    known = set(numbers.values())
    if unknown := [number for number in wanted if number not in known]:
        meta["unknownClients"] = unknown
    documents = [_resource(numbers[row[0]], *row[1:]) for row in rows]
    shown = [{"type": TYPE, "id": document["id"]} for document in documents]
    asking = [{"type": "client", "id": number} for number in wanted]
    return {
        "data": {
            "type": "documentSearch",
            "id": str(uuid4()),
            "attributes": asked,
            "relationships": {"clients": {"data": asking}, "documents": {"data": shown}},
        },
        "included": {"documents": documents},
        "meta": meta,
    }


def _resource(
    number: str, uuid: str, public_id: str | None, at: str, attributes: str
) -> dict[str, Any]:
    return {
        "type": TYPE,
        "id": public_id or uuid,
        "attributes": orjson.Fragment(
            f'{attributes[:-1]},"version":1,"replaces":null,"createdAt":"{at}"}}'
        ),
        "relationships": {"client": {"data": {"type": "client", "id": number}}},
    }


def _document(
    environ: Environ, start: Start, caller: Caller, number: str, identifier: str
) -> Iterable[bytes]:
    named = {"scope": str(caller.office), "office": caller.office, "kind": KIND}
    named |= {"number": number, "id": UUID(identifier)}
    with _connection().pipeline():
        _connection().execute(SQL["scope"], named)
        found = _connection().execute(SQL["one"], named)
    rows = found.fetchall()
    if not rows:
        return _send(start, "404 Not Found", b"{}")
    document, _client, *shown = rows[0][:6]
    accept = environ.get("HTTP_ACCEPT", JSON)
    for media_type, size, sha256 in (row[6:] for row in rows):
        if media_type == accept:
            _record(caller, document, media_type, size)
            return _content(start, media_type, size, sha256)
    body = orjson.dumps({"data": _resource(number, *shown)})
    _record(caller, document, JSON, len(body))
    return _send(start, "200 OK", body)


def _content(start: Start, media_type: str, size: int, sha256: str) -> Iterable[bytes]:
    name = f"{sha256[:2]}/{sha256[2:4]}/{sha256}"
    if ACCEL:
        return _send(start, "200 OK", b"", ("X-Accel-Redirect", f"{ACCEL}/{name}"))
    start("200 OK", [("Content-Type", media_type), ("Content-Length", str(size))])
    return _pieces(STORAGE / name)


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


def _token(environ: Environ, start: Start) -> Iterable[bytes]:
    """A client's secret is looked up and compared, a token is made and its digest kept."""
    given = base64.b64decode(environ["HTTP_AUTHORIZATION"][6:]).decode()
    client_id, _, secret = given.partition(":")
    environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    query = "select id, client_secret from partners_application where client_id = %s"
    row = _connection().execute(query, [client_id]).fetchone()
    digest = "sha256-high-entropy$" + hashlib.sha256(secret.encode()).hexdigest()
    if row is None or not hmac.compare_digest(row[1], digest):
        return _send(start, "401 Unauthorized", b"{}")
    token = secrets.token_urlsafe(32)
    _connection().execute(
        "insert into oauth2_provider_accesstoken"
        " (token, token_checksum, application_id, expires, scope, resource, created, updated)"
        " values ('', %s, %s, now() + interval '30 minutes', '', '[]', now(), now())",
        [hashlib.sha256(token.encode()).hexdigest(), row[0]],
    )
    answer = {"access_token": token, "expires_in": 1800, "token_type": "bearer", "scope": ""}
    return _send(start, "200 OK", orjson.dumps(answer))


def _record(caller: Caller, document: int | None, media_type: str, size: int) -> None:
    if not AUDIT:
        return
    parameters = {
        "office": caller.office,
        "consent": caller.consent,
        "application": caller.application,
        "document": document,
        "media_type": media_type,
        "attachment": "",
        "size": size,
        "outcome": "served",
        "reason": "",
        "served": 1,
        "refused": 0,
    }
    _connection().execute(SQL["record"], parameters)


def _sets(statements: str, parameters: dict[str, Any]) -> Sets:
    """Several statements in one round trip, each with its rows."""
    cursor = psycopg.ClientCursor(_connection())
    cursor.execute(statements, parameters)
    sets = [cursor.fetchall()]
    while cursor.nextset():
        sets.append(cursor.fetchall())
    return sets


def _connection() -> psycopg.Connection:
    """One connection a thread, kept for good."""
    connection: psycopg.Connection | None = getattr(_own, "connection", None)
    if connection is None:
        connection = psycopg.connect(
            os.environ["DATABASE_URL"], autocommit=True, options="-c timezone=UTC"
        )
        # The stored attributes are JSON text already.
        connection.adapters.register_loader("jsonb", TextLoader)
        _own.connection = connection
    return connection


def _send(start: Start, status: str, body: bytes, *headers: tuple[str, str]) -> list[bytes]:
    start(status, [("Content-Type", JSON), ("Content-Length", str(len(body))), *headers])
    return [body]
