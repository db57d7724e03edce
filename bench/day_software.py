"""The programs of a day: software that fetches in three ways, and readers that are slow.

A program keeps what the contract tells it to keep: the end of its last search, or its cursor.
"""

from __future__ import annotations

import json
import socket
import threading
import time
import zipfile
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Any, NamedTuple

from accounts.models import Office
from bench import calls, participants
from bench.belgium import Software
from bench.calls import API, JSON, Answer, Asker, Call
from core.document_kinds import BY_TYPE, KINDS, DocumentKind

SEARCH, FEED, ZIP = "search", "change feed", "ZIP"
WAYS = [SEARCH, FEED, ZIP]
PAGE, MOST_IN_A_ZIP = 1000, 500
PAUSE, SIP = 10.0, 1000


class Wanted(NamedTuple):
    """A document as software names it: its type, identifier and company."""

    type: str
    id: str
    number: str

    @property
    def kind(self) -> DocumentKind:
        return BY_TYPE[self.type]


@dataclass
class Seen:
    """What one program got, and what it should not have got."""

    fetched: dict[Wanted, datetime] = field(default_factory=dict)
    doubled: list[Wanted] = field(default_factory=list)
    # When each answer with data was asked for, by office: a cancel must be after all of them.
    last_data: dict[int, float] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)


class Program(threading.Thread):
    """The software of one partner. It ends after `ended` is set and a round finds nothing new."""

    def __init__(self, software: Software, way: str, port: int, ended: threading.Event) -> None:
        super().__init__(daemon=True)
        self.software, self.way, self.ended, self.seen = software, way, ended, Seen()
        self.asker = Asker(port)
        self.began = datetime.now(UTC)
        self.places: dict[tuple[int, str], str] = {}
        self.refused: set[int] = set()
        self.numbers = {office.pk: participants.numbers(office) for office in software.offices}

    def run(self) -> None:
        while True:
            last = self.ended.is_set()
            for office in self.software.offices:
                if office.pk not in self.refused:
                    self._visit(office)
            if last:
                return
            time.sleep(PAUSE)

    def _visit(self, office: Office) -> None:
        found = self._changed(office) if self.way == FEED else self._searched(office)
        new = [wanted for wanted in found if wanted not in self.seen.fetched]
        self.seen.doubled += [wanted for wanted in found if wanted in self.seen.fetched]
        if self.way == ZIP:
            for at in range(0, len(new), MOST_IN_A_ZIP):
                self._fetch_together(office, new[at : at + MOST_IN_A_ZIP])
        else:
            for wanted in new:
                self._fetch(office, wanted)

    def _searched(self, office: Office) -> list[Wanted]:
        found: list[Wanted] = []
        for kind in KINDS:
            place, after, end = (office.pk, kind.type), None, ""
            while True:
                since = self.places.get(place) or calls.moment(self.began)
                numbers = self.numbers[office.pk]
                body = self._json(office, search_of(office, kind, numbers, since, after, end))
                if body is None:
                    return found
                # The portal says where the window ended; the next one begins there.
                end = body["data"]["attributes"]["to"]
                found += [_wanted(one) for one in body["included"]["documents"]]
                after = body["meta"]["paging"].get("after")
                if after is None:
                    self.places[place] = end
                    break
        return found

    def _changed(self, office: Office) -> list[Wanted]:
        found: list[Wanted] = []
        place = (office.pk, FEED)
        while True:
            after = f"&after={self.places[place]}" if place in self.places else ""
            path = f"{_office(office)}/document-changes?limit={PAGE}{after}"
            body = self._json(office, Call("GET", path, {"Accept": JSON}))
            if body is None:
                return found
            self.places[place] = body["meta"]["paging"]["after"]
            found += [_wanted(one) for one in body.get("included", {}).get("documents", [])]
            if len(body["data"]) < PAGE:
                return found

    def _fetch(self, office: Office, wanted: Wanted) -> None:
        path = f"{_office(office)}/clients/{wanted.number}/{wanted.kind.path}/{wanted.id}"
        answer = self._ask(office, Call("GET", path, {"Accept": wanted.kind.media_type}))
        if answer.has_data:
            self.seen.fetched[wanted] = datetime.now(UTC)

    def _fetch_together(self, office: Office, wanted: list[Wanted]) -> None:
        documents = [{"type": one.type, "id": one.id} for one in wanted]
        body = {"data": {"type": "documentDownload", "attributes": {"documents": documents}}}
        headers = {"Content-Type": JSON}
        path = f"{_office(office)}/document-downloads"
        answer = self._ask(office, Call("POST", path, headers, json.dumps(body).encode()))
        if not answer.has_data:
            return
        with zipfile.ZipFile(BytesIO(answer.body)) as archive:
            names = {name.rsplit(".", 1)[0] for name in archive.namelist()}
        now = datetime.now(UTC)
        for one in wanted:
            if f"{one.kind.path}/{one.id}" in names:
                self.seen.fetched[one] = now

    def _json(self, office: Office, call: Call) -> Any:
        answer = self._ask(office, call)
        return answer.json() if answer.has_data else None

    def _ask(self, office: Office, call: Call) -> Answer:
        token = {"Authorization": f"Bearer {self.software.who.token}"}
        asked = time.monotonic()
        answer = self.asker.ask(replace(call, headers={**call.headers, **token}))
        self.seen.statuses[answer.status] += 1
        if answer.has_data:
            self.seen.last_data[office.pk] = asked
        if answer.status == 403:
            self.refused.add(office.pk)
        return answer


class SlowReaders(threading.Thread):
    """Connections that ask for a large file and read it a few bytes at a time."""

    def __init__(self, port: int, call: Call, count: int) -> None:
        super().__init__(daemon=True)
        self.port, self.request, self.count = port, call.raw(), count
        self.stop = threading.Event()
        self.answers: Counter[int] = Counter()

    def run(self) -> None:
        sockets: list[socket.socket] = []
        while not self.stop.is_set():
            while len(sockets) < self.count:
                sockets.append(self._opened())
            sockets = [one for one in sockets if self._sip(one)]
            self.stop.wait(1)
        for one in sockets:
            one.close()

    def _opened(self) -> socket.socket:
        one = socket.socket()
        # With the usual room the kernel would take in the whole file.
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.settimeout(0.1)
        one.connect(("127.0.0.1", self.port))
        one.sendall(self.request)
        return one

    def _sip(self, one: socket.socket) -> bool:
        """Read a little; False when the portal has ended the connection."""
        try:
            piece = one.recv(SIP)
        except TimeoutError:
            return True
        except OSError:
            piece = b""
        if piece.startswith(b"HTTP/1.1 "):
            self.answers[int(piece[9:12])] += 1
        if not piece or piece.startswith(b"HTTP/1.1 4"):
            one.close()
            return False
        return True


def search_of(
    office: Office, kind: DocumentKind, numbers: list[str], since: str, after: str | None, end: str
) -> Call:
    """A search without an end: the portal chooses one that misses nothing that is still coming."""
    attributes = {"documentType": kind.type, "from": since, **({"to": end} if end else {})}
    paging = {"limit": PAGE, **({"after": after} if after else {})}
    clients = [{"type": "client", "id": number} for number in numbers]
    data = {
        "type": "documentSearch",
        "attributes": attributes,
        "relationships": {"clients": {"data": clients}},
    }
    body = json.dumps({"data": data, "meta": {"paging": paging}}).encode()
    headers = {"Content-Type": JSON, "Accept": JSON}
    return Call("POST", f"{_office(office)}/document-searches", headers, body)


def _office(office: Office) -> str:
    return f"{API}/accounting-offices/{office.uuid}"


def _wanted(resource: dict[str, Any]) -> Wanted:
    client = resource["relationships"]["client"]["data"]["id"]
    return Wanted(resource["type"], resource["id"], client)
