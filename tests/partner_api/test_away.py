"""Fails closed: with the database away, slow or read-only nothing is served, and it says so."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.db import connection

from tests import factories
from tests.conftest import Cast, Software, running_portal
from tests.databases import address_of_database
from tests.factories import CODA, allow
from tests.owner import as_owner

pytestmark = pytest.mark.requirement(8)


class Line:
    """A line to PostgreSQL that can be cut or made slow: TCP, byte by byte."""

    def __init__(self, host: str, port: int) -> None:
        self.target = (host, port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                caller = self.listener.accept()[0]
            except OSError:
                return
            server = socket.create_connection(self.target)
            self.open += [caller, server]
            for a, b in ((caller, server), (server, caller)):
                threading.Thread(target=self._carry, args=(a, b), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while piece := source.recv(65536):
                sink.sendall(piece)
        except OSError:
            pass
        finally:
            sink.close()

    def cut(self) -> None:
        # Otherwise the kernel would go on to take calls that nobody answers.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for end in self.open:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def line(people: Cast, tmp_path: Path) -> Iterator[tuple[Line, Software]]:
    at = connection.settings_dict
    line = Line(at["HOST"], int(at["PORT"]))
    url = address_of_database().replace(f":{at['PORT']}/", f":{line.port}/")
    assert str(line.port) in url
    with running_portal(tmp_path, DATABASE_URL=url) as portal:
        software = Software(portal, people.ledgerly)
        yield line, software
        software.http.close()


def calls(people: Cast) -> list[tuple[str, str, dict[str, Any]]]:
    allow(people.consent, people.anna)
    document = factories.make_document(people.bakery, contents={CODA: b"0" * 128})
    number = people.bakery.company_number
    office = f"/accounting-offices/{people.janssens.uuid}"
    path = f"{office}/clients/{number}/bank-account-statements/{document.uuid}"
    search = {
        "data": {
            "attributes": {"documentType": "bankAccountStatement"},
            "relationships": {"clients": {"data": [{"id": number}]}},
        }
    }
    return [
        ("POST", f"{office}/document-searches", {"json": search}),
        ("GET", path, {}),
        ("GET", path, {"headers": {"Accept": CODA}}),
        ("GET", f"/accounting-office-consents/{people.consent.uuid}", {}),
    ]


def check_away(answer: httpx.Response) -> None:
    assert answer.status_code == 503, answer.text
    assert answer.json()["errors"][0]["code"] == "temporarilyUnavailable"
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.headers["ibanity-request-id"]


def test_without_a_database_every_call_is_503(people: Cast, line: Any) -> None:
    cable, software = line
    every = calls(people)
    assert {software.call(m, p, **o).status_code for m, p, o in every} == {200, 201}
    cable.cut()
    for method, path, options in every:
        check_away(software.call(method, path, **options))
    assert software.http.get("/health/ready").status_code == 503
    assert software.http.get("/health/live").status_code == 200
    answer = software.http.post(
        "/codabox-connect/oauth2/token",
        data={"grant_type": "client_credentials"},
        auth=(software.client_id, software.secret),
    )
    assert answer.status_code == 503
    assert software.http.get("/codabox-connect").status_code == 200


def test_a_database_that_hangs_is_given_up(people: Cast, ledgerly: Software) -> None:
    every = calls(people)
    holder = connection.copy()
    with holder.cursor() as cursor:
        cursor.execute("begin")
        cursor.execute("lock table consents_consentactivity in access exclusive mode")
        began = time.monotonic()
        method, path, options = every[0]
        check_away(ledgerly.call(method, path, **options))
        assert time.monotonic() - began < 8
        cursor.execute("rollback")
    holder.close()
    assert ledgerly.call(method, path, **options).status_code == 201


def test_a_read_only_database_serves_nothing(
    people: Cast, ledgerly: Software, tmp_path: Path
) -> None:
    """A standby would serve what may be cancelled by now, and could not record the read."""
    url = address_of_database() + "?options=-c%20default_transaction_read_only%3Don"
    token = {"Authorization": f"Bearer {ledgerly.token}"}
    with running_portal(tmp_path, DATABASE_URL=url) as portal:
        for method, path, options in calls(people)[:3]:
            headers = token | options.pop("headers", {})
            check_away(
                httpx.request(method, f"{portal}/codabox-connect{path}", headers=headers, **options)
            )


@pytest.mark.parametrize(
    "table",
    [
        "oauth2_provider_accesstoken",
        "partners_application",
        "partners_partner",
        "partners_clientcertificate",
        "accounts_office",
        "consents_consent",
        "consents_listedclient",
        "consents_consentactivity",
        "clients_client",
        "documents_documentread",
    ],
)
def test_a_gate_that_breaks_lets_nothing_through(
    people: Cast, ledgerly: Software, table: str
) -> None:
    """What cannot be asked, or not be written down, is not allowed; afterwards all is as before."""
    documents = calls(people)[:3]
    as_owner(f"alter table {table} rename to broken")
    try:
        answers = [ledgerly.call(m, path, **options) for m, path, options in documents]
    finally:
        as_owner(f"alter table broken rename to {table}")
    for answer in answers:
        assert answer.status_code in (500, 503), answer.text
        assert list(answer.json()) == ["errors"]
        assert b"bankAccountStatement" not in answer.content
    statuses = [ledgerly.call(m, path, **options).status_code for m, path, options in documents]
    assert statuses == [201, 200, 200]
