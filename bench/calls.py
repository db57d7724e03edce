"""The calls that are measured, as bytes for the load and as requests for the checks."""

from __future__ import annotations

import base64
import http.client
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from bench.participants import Credentials
from core.document_kinds import CODA

API = "/codabox-connect"
JSON = "application/vnd.api+json"


@dataclass(frozen=True)
class Call:
    """One HTTP request, without the address of the server."""

    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def raw(self) -> bytes:
        headers = {"Host": "127.0.0.1", **self.headers}
        if self.body:
            headers["Content-Length"] = str(len(self.body))
        lines = [f"{self.method} {self.path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode() + self.body


class Answer(NamedTuple):
    status: int
    body: bytes

    @property
    def has_data(self) -> bool:
        return self.status in (200, 201, 206)

    def json(self) -> Any:
        return json.loads(self.body)


class Asker:
    """A connection that stays open. If the server closes it, the next call opens another one."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def ask(self, call: Call) -> Answer:
        try:
            self.connection.request(call.method, call.path, call.body or None, call.headers)
            answer = self.connection.getresponse()
            return Answer(answer.status, answer.read())
        except (http.client.HTTPException, ConnectionError):
            self.connection.close()
            return Answer(0, b"")


class SearchWindow(NamedTuple):
    start: datetime
    end: datetime


def last(days: int) -> SearchWindow:
    """A window that ended an hour ago, so that it is the same for all servers in one run."""
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    return SearchWindow(end - timedelta(days=days), end)


def search(
    with_: Credentials,
    office: object,
    numbers: list[str],
    window: SearchWindow,
    limit: int,
    after: str | None = None,
) -> Call:
    paging = {"limit": limit, **({"after": after} if after else {})}
    clients = [{"type": "client", "id": number} for number in numbers]
    body = {
        "data": {
            "type": "documentSearch",
            "attributes": {
                "documentType": "bankAccountStatement",
                "from": moment(window.start),
                "to": moment(window.end),
            },
            "relationships": {"clients": {"data": clients}},
        },
        "meta": {"paging": paging},
    }
    path = f"{API}/accounting-offices/{office}/document-searches"
    headers = {**_bearer(with_), "Content-Type": JSON, "Accept": JSON}
    return Call("POST", path, headers, json.dumps(body).encode())


def document(
    with_: Credentials, office: object, number: str, identifier: str, accept: str = JSON
) -> Call:
    path = (
        f"{API}/accounting-offices/{office}/clients/{number}/bank-account-statements/{identifier}"
    )
    return Call("GET", path, {**_bearer(with_), "Accept": accept})


def content(with_: Credentials, office: object, number: str, identifier: str) -> Call:
    return document(with_, office, number, identifier, CODA)


def token(with_: Credentials) -> Call:
    basic = base64.b64encode(f"{with_.client_id}:{with_.secret}".encode()).decode()
    headers = {
        "Authorization": f"Basic {basic}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    return Call("POST", f"{API}/oauth2/token", headers, b"grant_type=client_credentials")


def _bearer(with_: Credentials) -> dict[str, str]:
    return {"Authorization": f"Bearer {with_.token}"}


def moment(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
