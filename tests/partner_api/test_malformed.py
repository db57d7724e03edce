"""Whatever is sent: a refusal in JSON, no trace of the inside, and a web process as large as before."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest

from bench.servers import megabytes_of
from partners.models import Partner
from tests import factories
from tests.conftest import Cast, Software, running_portal
from tests.factories import CODA, allow

pytestmark = pytest.mark.requirement(54)


SENDERS = 4
STRANGE: list[Any] = [
    "\x00", "\ud800", "\u202e", "é" * 300, "'; drop table x --", "../../etc/passwd", "%s%n", "{{7*7}}",
    "", " ", "null", "-1", "1e999", "9" * 400, "2026-02-30", "2026-13-01T25:61:61Z", "0000-00-00",
    "\U0001f600", "a\r\nX-Header: 1", "<script>", "javascript:1", None, True, -1, 0, 10**40, 1e308,
    [], {}, [[]], {"a": {"b": {}}}, ["\x00"] * 50,
]  # fmt: skip
RAW = [
    b"", b"{", b"[]", b"7", b'"x"', b"\xff\xfe{}", b'{"data": NaN}', b'{"a": "\xc3\x28"}', b"\x00" * 99,
    b"[" * 3000, b'{"data":' * 3000, b'{"data": 1, "data": {}}', b"9" * 5000, b"<a/>", b"data=1&data=2",
]  # fmt: skip
LARGE = b'{"data": "' + b"x" * 10_000_000 + b'"}'
TYPES = ["application/json", "application/vnd.api+json", "application/json; charset=utf-16", "text/xml",
         "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "x", "a/b; c=\xe9"]  # fmt: skip
METHODS = ["GET", "POST", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS", "TRACE", "XYZZY"]
TRACES = (b"Traceback", b'File "/', b"psycopg", b"django.")


@dataclass
class Sender:
    """Sends one strange request after the other, the same ones for the same seed."""

    url: str
    token: str
    known: dict[str, str]
    seed: int
    seen: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)

    def send(self, number: int) -> None:
        with httpx.Client(base_url=self.url, timeout=60) as http:
            for _one in range(number):
                self._one(http)

    def _one(self, http: httpx.Client) -> None:
        template, fitting = self.dice.choice(list(PATHS.items()))
        method = fitting if self.dice.random() < 0.85 else self.dice.choice(METHODS)
        path = self._filled(template)
        body = self._body() if method not in ("GET", "HEAD", "TRACE") else None
        request = http.build_request(method, path, content=body, headers=self._headers())
        answer = self._answer(http, request) or self._answer(http, request)
        if answer is None:
            # Refused while it was still sending: only ever a body that is too large.
            self.seen[413] += 1
            if body is not LARGE:
                self.wrong.append(f"no answer: {method} {path}")
            return
        self.seen[answer.status_code] += 1
        told = any(trace in answer.content for trace in TRACES) and answer.status_code >= 400
        if answer.status_code >= 500 or told:
            self.wrong.append(
                f"{answer.status_code} {method} {path} {body!r:.200} {answer.text:.200}"
            )

    def _answer(self, http: httpx.Client, request: httpx.Request) -> httpx.Response | None:
        """None where the line broke; after a refused body the next call may find it closed."""
        try:
            return http.send(request)
        except (httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
            return None

    def _filled(self, template: str) -> str:
        """An address of the contract with what exists in it, or with what cannot be."""
        filled = {
            name: value if self.dice.random() < 0.6 else f"x{self._strange_word()}"
            for name, value in self.known.items()
        }
        query = (
            f"?{self._strange_word()}={self._strange_word()}" if self.dice.random() < 0.3 else ""
        )
        return "/codabox-connect" + template.format(**filled) + query

    def _strange_word(self) -> str:
        word = str(self.dice.choice(STRANGE)).encode("utf-8", "surrogatepass")
        return quote(word[:200], safe="")

    def _headers(self) -> list[tuple[bytes, bytes]]:
        token = self.token if self.dice.random() < 0.85 else f"x{self._strange_word()}"
        headers = [("Authorization", f"Bearer {token}"), ("Content-Type", self.dice.choice(TYPES))]
        if self.dice.random() < 0.7:
            headers[1] = ("Content-Type", "application/json")
        for name in ("Accept", "Range", "Idempotency-Key", "If-None-Match", "X-Forwarded-For"):
            if self.dice.random() < 0.1:
                headers.append(
                    (name, self.dice.choice(["", "*", "x" * 3000, "bytes=9-1", "é", "1,2"]))
                )
        return [(name.encode(), value.encode("latin-1")) for name, value in headers]

    def _body(self) -> bytes:
        sort = self.dice.random()
        if sort < 0.02:
            return LARGE
        if sort < 0.3:
            return self.dice.choice(RAW)
        return json.dumps(self._spoilt(self.dice.choice(self._good_bodies()))).encode()

    def _good_bodies(self) -> list[dict[str, Any]]:
        clients = {"data": [{"type": "client", "id": self.known["client"]}]}
        asked = {
            "accountingOfficeCompanyNumber": self.known["number"],
            "redirectUri": factories.CALLBACK,
        }
        search = {"documentType": "bankAccountStatement", "from": "2026-01-01T00:00:00Z"}
        return [
            {"data": {"type": "accountingOfficeConsent", "attributes": {**asked, "state": "x"}}},
            {
                "data": {
                    "type": "documentSearch",
                    "attributes": search,
                    "relationships": {"clients": clients},
                },
                "meta": {"paging": {"limit": 10, "after": "x"}},
            },
            {"data": {"type": "webhook", "attributes": {"url": "https://software.example/hook"}}},
        ]

    def _spoilt(self, value: Any) -> Any:
        """The value with one or more of its parts replaced by something strange."""
        if self.dice.random() < 0.15:
            return self.dice.choice(STRANGE)
        if isinstance(value, dict):
            spoilt = {name: self._spoilt(part) for name, part in value.items()}
            if self.dice.random() < 0.1:
                spoilt[str(self.dice.choice(STRANGE))] = self.dice.choice(STRANGE)
            return spoilt
        return [self._spoilt(part) for part in value] if isinstance(value, list) else value


PATHS = {
    "": "GET",
    "/oauth2/token": "POST",
    "/oauth2/revoke": "POST",
    "/accounting-office-consents": "POST",
    "/accounting-office-consents/{consent}": "GET",
    "/accounting-offices/{office}/document-searches": "POST",
    "/accounting-offices/{office}/clients/{client}/{kind}/{document}": "GET",
    "/events": "GET",
    "/webhooks": "GET",
    "/webhooks/keys": "GET",
    "/webhooks/deliveries": "GET",
    "/webhooks/deliveries/{event}/redelivery": "POST",
    "/{number}": "GET",
}


def web_process(url: str) -> int:
    """The process that serves this address."""
    port = str(urlsplit(url).port).encode()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"--port" in words and port in words:
            return int(folder.name)
    raise LookupError(url)


def test_nothing_strange_is_a_5xx_and_the_web_process_stays_as_large(
    people: Cast, tmp_path: Path, rounds: float, record_property: Callable[[str, object], None]
) -> None:
    """400 requests; `--rounds 250` for the 100,000 of a release, memory within 10 % all along."""
    allow(people.consent, people.anna)
    document = factories.make_document(people.bakery, contents={CODA: b"0" * 256})
    Partner.objects.filter(pk=people.ledgerly.pk).update(calls_per_minute=10**6)
    known = {
        "consent": str(people.consent.uuid),
        "office": str(people.janssens.uuid),
        "client": people.bakery.company_number,
        "number": people.janssens.company_number,
        "kind": "bank-account-statements",
        "document": str(document.uuid),
        "event": str(people.consent.events.earliest("pk").uuid),
    }
    each = int(100 * rounds)
    with running_portal(tmp_path, workers=1) as url:
        software = Software(url, people.ledgerly)
        senders = [Sender(url, software.token, known, seed) for seed in range(SENDERS)]
        pid = web_process(url)
        _send(senders, min(each, 300))  # what every web process reads in first
        sizes = [megabytes_of(pid)]
        for _part in range(10):
            _send(senders, each // 10)
            sizes.append(megabytes_of(pid))
    seen = sum((sender.seen for sender in senders), Counter[int]())
    assert [wrong for sender in senders for wrong in sender.wrong] == []
    assert {200, 400, 401, 404, 405, 415} <= set(seen), seen
    assert "Traceback" not in (tmp_path / "web.log").read_text()
    told = f"{seen.total()} strange requests, 0 × 5xx; memory {sizes[0]:.0f} to {sizes[-1]:.0f} MB"
    record_property("measured", f"{told}, at most {max(sizes):.0f}")
    assert max(sizes) <= sizes[0] * 1.1, sizes


def _send(senders: list[Sender], each: int) -> None:
    with ThreadPoolExecutor(len(senders)) as pool:
        list(pool.map(lambda sender: sender.send(each), senders))
