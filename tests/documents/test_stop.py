"""Stop means stop: what begins after a cancel is refused, and what runs is cut."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httpx
import pytest
from django.db.models.functions import Now

from accounts.models import Office
from consents.models import Consent
from core.row_security import office_scope
from documents.models import Document, DocumentRead, Outcome
from partners.models import Partner
from tests import factories
from tests.conftest import Cast, Software, make_cast
from tests.factories import CODA, acting, allow
from tests.patience import within

Stop = Callable[[Cast], object]
STOPS: dict[str, Stop] = {
    "cancel": lambda cast: cast.fresh().cancel(acting(cast.anna)),
    "pause": lambda cast: Consent.objects.filter(pk=cast.consent.pk).update(paused_at=Now()),
    "terms overdue": lambda cast: Consent.objects.filter(pk=cast.consent.pk).update(
        accept_terms_by=Now()
    ),
    "partner suspended": lambda cast: Partner.objects.filter(pk=cast.ledgerly.pk).update(
        status="suspended"
    ),
    "office suspended": lambda cast: Office.objects.filter(pk=cast.janssens.pk).update(
        is_active=False
    ),
    "kind removed": lambda cast: Partner.objects.filter(pk=cast.ledgerly.pk).update(
        document_kinds=["salesInvoice"]
    ),
}


def a_statement(people: Cast, size: int = 1280) -> Document:
    return factories.make_document(people.bakery, contents={CODA: b"0" * size})


@dataclass
class Readers:
    """Readers that hammer the API; they note when each call began and whether it was served."""

    software: Software
    calls: list[Callable[[httpx.Client], httpx.Response]]
    seen: list[tuple[float, int]] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self, threads: int) -> list[threading.Thread]:
        running = [threading.Thread(target=self._read, args=(n,)) for n in range(threads)]
        for thread in running:
            thread.start()
        return running

    def wait_for_more(self, answers: int) -> None:
        """Until so many more calls were answered, however busy the machine is."""
        enough, end = len(self.seen) + answers, time.monotonic() + 60
        while len(self.seen) < enough:
            assert time.monotonic() < end, f"{len(self.seen)} answers of {enough}"
            time.sleep(0.05)

    def _read(self, number: int) -> None:
        with httpx.Client(base_url=self.software.http.base_url, timeout=20) as client:
            client.headers["Authorization"] = f"Bearer {self.software.token}"
            while not self.stop.is_set():
                call = self.calls[number % len(self.calls)]
                began = time.monotonic()
                status = call(client).status_code
                self.seen.append((began, status))
                number += 1


def every_way_to_read(
    people: Cast, document: Document
) -> list[Callable[[httpx.Client], httpx.Response]]:
    office = f"/codabox-connect/accounting-offices/{people.janssens.uuid}"
    number = people.bakery.company_number
    path = f"{office}/clients/{number}/bank-account-statements/{document.uuid}"
    search = {
        "data": {
            "type": "documentSearch",
            "attributes": {"documentType": "bankAccountStatement"},
            "relationships": {"clients": {"data": [{"type": "client", "id": number}]}},
        },
        "meta": {"paging": {"after": str(document.uuid)}},
    }
    with office_scope(people.janssens.pk):
        etag = f'"{document.contents.get().sha256}"'
    coda = {"Accept": CODA}
    return [
        lambda c: c.post(f"{office}/document-searches", json={"data": search["data"]}),
        lambda c: c.post(f"{office}/document-searches", json=search),
        lambda c: c.get(path),
        lambda c: c.get(path, headers=coda),
        lambda c: c.get(path, headers={**coda, "Range": "bytes=0-9"}),
        lambda c: c.get(path, headers={**coda, "If-None-Match": etag}),
        lambda c: c.head(path, headers=coda),
    ]


@pytest.mark.requirement(1, 4, 9)
def test_nothing_that_begins_after_the_cancel_is_served(
    people: Cast, ledgerly: Software, rounds: float
) -> None:
    allow(people.consent, people.anna)
    # In a long round eight readers make more calls a minute than a partner may.
    Partner.objects.filter(pk=people.ledgerly.pk).update(calls_per_minute=10**6)
    readers = Readers(ledgerly, every_way_to_read(people, a_statement(people)))
    running = readers.run(8)
    try:
        time.sleep(1.5 * rounds)
        readers.wait_for_more(60)
        people.fresh().cancel(acting(people.anna))
        cancelled = time.monotonic()
        time.sleep(1.5 * rounds)
        # The calls that were under way count as begun before.
        readers.wait_for_more(60)
    finally:
        readers.stop.set()
    for thread in running:
        thread.join()
    before = [status for began, status in readers.seen if began < cancelled]
    after = [status for began, status in readers.seen if began > cancelled]
    assert sum(status in (200, 201, 206, 304) for status in before) > 50
    assert len(after) > 50
    assert set(after) == {403}


@pytest.mark.requirement(4, 5)
@pytest.mark.parametrize("name", list(STOPS))
def test_every_gate_stops_every_way_to_read(people: Cast, ledgerly: Software, name: str) -> None:
    allow(people.consent, people.anna)
    calls = every_way_to_read(people, a_statement(people))
    with httpx.Client(base_url=ledgerly.http.base_url) as client:
        client.headers["Authorization"] = f"Bearer {ledgerly.token}"
        assert {call(client).status_code for call in calls} <= {200, 201, 206, 304}
        STOPS[name](people)
        for call in calls:
            answer = call(client)
            assert answer.status_code == 403
            if answer.request.method != "HEAD":
                assert answer.content.startswith(b'{"errors"')


class SlowDownload:
    """A download read with a tiny window, by hand, so that the bytes wait at the server."""

    def __init__(self, software: Software, people: Cast, document: Document) -> None:
        base = urlsplit(str(software.http.base_url))
        assert base.port
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
        self.socket.connect(("127.0.0.1", base.port))
        self.socket.settimeout(20)
        path = (
            f"/codabox-connect/accounting-offices/{people.janssens.uuid}"
            f"/clients/{people.bakery.company_number}/bank-account-statements/{document.uuid}"
        )
        request = (
            f"GET {path} HTTP/1.1\r\nHost: localhost:{base.port}\r\nAccept: {CODA}\r\n"
            f"Authorization: Bearer {software.token}\r\nConnection: close\r\n\r\n"
        )
        self.socket.sendall(request.encode())
        head = self.socket.recv(4096)
        self.status, self.received = int(head.split()[1]), len(head)

    def read_until_it_ends(self) -> float:
        """Read to the end, however it comes; return the moment."""
        try:
            while piece := self.socket.recv(65536):
                self.received += len(piece)
        except ConnectionError:
            pass
        self.socket.close()
        return time.monotonic()


BIG = 60 * 1024 * 1024


@pytest.mark.requirement(2)
@pytest.mark.parametrize("name", list(STOPS))
def test_a_running_download_is_cut_within_two_seconds_and_unfinished(
    portal: str, committed: None, name: str
) -> None:
    def cut_after() -> float:
        people = make_cast()
        allow(people.consent, people.anna)
        with httpx.Client(timeout=20) as http:
            software = Software(portal, people.ledgerly, http)
            download = SlowDownload(software, people, a_statement(people, BIG))
        time.sleep(0.3)
        STOPS[name](people)
        stopped = time.monotonic()
        ended = download.read_until_it_ends()
        # What lay in the network's buffers still arrives (4.7 MB on loopback), nothing behind it.
        assert download.received < 8 * 1024 * 1024
        with office_scope(people.janssens.pk):
            cut = DocumentRead.objects.get(consent_id=people.consent.pk, outcome=Outcome.CUT)
        assert 0 < cut.size < BIG
        return ended - stopped

    within(2, cut_after)


def test_a_download_that_may_go_on_is_whole(people: Cast, ledgerly: Software) -> None:
    allow(people.consent, people.anna)
    document = a_statement(people, 5_000_000)
    answer = ledgerly.document(
        people.janssens, people.bakery.company_number, document.uuid, accept=CODA
    )
    assert answer.content == b"0" * 5_000_000


@pytest.mark.requirement(3)
def test_a_cancel_does_not_wait_for_running_downloads(portal: str, committed: None) -> None:
    def cancelled_after() -> float:
        people = make_cast()
        allow(people.consent, people.anna)
        document = a_statement(people, BIG)
        with httpx.Client(timeout=20) as http:
            software = Software(portal, people.ledgerly, http)
            downloads = [SlowDownload(software, people, document) for _ in range(20)]
        # Those beyond what one partner may have at the same time are 429.
        assert sum(download.status == 200 for download in downloads) >= 8
        began = time.monotonic()
        people.fresh().cancel(acting(people.anna))
        done = time.monotonic()
        for download in downloads:
            download.read_until_it_ends()
            assert download.received < BIG
        return done - began

    within(2, cancelled_after)


@pytest.mark.requirement(51)
def test_a_client_that_moved_away_takes_its_old_documents_along(
    people: Cast, ledgerly: Software
) -> None:
    allow(people.consent, people.anna)
    document = a_statement(people)
    number = people.bakery.company_number
    assert ledgerly.document(people.janssens, number, document.uuid).status_code == 200
    people.bakery.office = people.peeters
    people.bakery.save()
    assert ledgerly.document(people.janssens, number, document.uuid).status_code == 404
    answer = ledgerly.search(people.janssens, [number]).json()
    assert answer["included"]["documents"] == []
    assert answer["meta"]["unknownClients"] == [number]
