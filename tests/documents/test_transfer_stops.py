"""From the agreed moment on the old office's software reads not one byte of a company (51)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from clients.models import Client, Transfer
from consents.access import AccessContext
from core.document_kinds import Kind
from core.row_security import office_scope
from documents.models import Document, DocumentRead, Outcome
from documents.models.querysets import SearchWindow
from partners.models import Partner
from tests import factories
from tests.conftest import Cast, Software, make_cast
from tests.documents.test_stop import BIG, SlowDownload, a_statement, every_way_to_read
from tests.factories import CODA, allow, make_documents
from tests.patience import within

pytestmark = pytest.mark.requirement(51)


Call = Callable[[httpx.Client], httpx.Response]
READERS = 24


def agreed(people: Cast, after: float = 0) -> Transfer:
    """The bakery goes to Peeters, so many seconds from now."""
    moment = timezone.now() + timedelta(seconds=after) if after else None
    transfer = Transfer.objects.ask(people.bakery, people.anna, people.peeters, moment)
    transfer.agree(people.chloe, "P1")
    return transfer


def sees_something(answer: httpx.Response) -> bool:
    """Whether one byte of the company was in it."""
    if answer.status_code == 201:
        found = answer.json()
        assert found["meta"].get("unknownClients") or found["included"]["documents"]
        return bool(found["included"]["documents"])
    return answer.status_code != 404


class Readers:
    """24 readers: when each call began, and whether it saw something."""

    def __init__(self, software: Software, calls: list[Call]) -> None:
        self.software, self.calls = software, calls
        self.seen: list[tuple[datetime, bool]] = []
        self.broken: list[BaseException] = []
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self.read, args=(n,)) for n in range(READERS)]
        for thread in self.threads:
            thread.start()

    def read(self, number: int) -> None:
        try:
            with httpx.Client(base_url=self.software.http.base_url, timeout=60) as client:
                client.headers["Authorization"] = f"Bearer {self.software.token}"
                while not self.stop.is_set():
                    began = datetime.now(UTC)
                    saw = sees_something(self.calls[number % len(self.calls)](client))
                    self.seen.append((began, saw))
                    number += 1
        except BaseException as error:
            self.broken.append(error)
            raise

    def go_on_until(self, enough: Callable[[], bool]) -> None:
        """Read on; a slow machine takes longer, and nothing is judged by that."""
        deadline = time.monotonic() + 60
        while not enough() and not self.broken and time.monotonic() < deadline:
            time.sleep(0.02)

    def end(self) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join()
        assert self.broken == []


def test_24_readers_see_it_until_the_moment_and_not_one_byte_after_it(
    people: Cast, ledgerly: Software, rounds: float
) -> None:
    """No job runs: the row stays where it is, and the clock of the database alone decides."""
    allow(people.consent, people.anna)
    document, _next = (a_statement(people) for _ in "12")
    calls, many = every_way_to_read(people, document), int(100 * rounds)
    readers = Readers(ledgerly, calls)
    readers.go_on_until(lambda: len(readers.seen) >= many)
    effective_at = agreed(people, after=3).effective_at
    # Where this machine was too busy to agree in time, the agreement holds from its commit.
    assert effective_at is not None
    moment = max(effective_at, datetime.now(UTC))
    in_time = moment == effective_at

    def after() -> list[bool]:
        return [saw for began, saw in readers.seen if began >= moment]

    readers.go_on_until(lambda: len(after()) >= many)
    readers.end()
    # These had their answer before the agreement.
    assert all(saw for _began, saw in readers.seen[:many])
    assert len(after()) >= many
    assert not any(after())
    # What is agreed too late is moved by the agreement itself.
    assert (Client.objects.get(pk=people.bakery.pk).office == people.janssens) == in_time


def test_an_agreement_for_now_stops_every_way_to_read_at_its_commit(
    people: Cast, ledgerly: Software
) -> None:
    allow(people.consent, people.anna)
    document, _next = (a_statement(people) for _ in "12")
    calls = every_way_to_read(people, document)
    with httpx.Client(base_url=ledgerly.http.base_url) as client:
        client.headers["Authorization"] = f"Bearer {ledgerly.token}"
        assert all(sees_something(call(client)) for call in calls)
        agreed(people)
        assert not any(sees_something(call(client)) for call in calls)
        for call in calls:
            body = call(client).content
            assert (
                str(document.uuid).encode() not in body.replace(b"documents/", b"")
                or b"after" in body
            )
    # What the new office allows reads the same old bytes.
    peeters = factories.make_allowed(people.peeters, people.ledgerly, people.chloe)
    number = people.bakery.company_number
    answer = ledgerly.document(people.peeters, number, document.uuid, accept=CODA)
    assert (answer.status_code, answer.content) == (200, b"0" * 1280)
    found = ledgerly.search(people.peeters, [number]).json()["included"]["documents"]
    assert found[0]["id"] == str(document.uuid)
    with office_scope(people.peeters.pk):
        assert DocumentRead.objects.filter(consent_id=peeters.pk, outcome=Outcome.SERVED).exists()


def test_a_running_download_is_cut_at_the_moment(portal: str, committed: None) -> None:
    def cut_after() -> float:
        people = make_cast()
        allow(people.consent, people.anna)
        with httpx.Client(timeout=20) as http:
            software = Software(portal, people.ledgerly, http)
            download = SlowDownload(software, people, a_statement(people, BIG))
        time.sleep(0.3)
        agreed(people, after=1)
        # Read on only then: a fast reader would have all of it before the moment.
        time.sleep(1)
        came = time.monotonic()
        ended = download.read_until_it_ends()
        assert download.received < BIG
        with office_scope(people.janssens.pk):
            cut = DocumentRead.objects.get(consent_id=people.consent.pk, outcome=Outcome.CUT)
        assert cut.size < BIG
        return ended - came

    within(2, cut_after)


def test_the_clock_of_the_web_server_counts_for_nothing(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    document = factories.make_document(cast.bakery)
    number, kind = cast.bakery.company_number, Kind.BANK_ACCOUNT_STATEMENT
    # statement_timestamp() of the test's own transaction goes on, so a second ago is past.
    Client.objects.filter(pk=cast.bakery.pk).update(leaves_at=timezone.now() + timedelta(days=1))
    for wrong in (timezone.now() - timedelta(days=9), timezone.now() + timedelta(days=9)):
        with time_machine.travel(wrong):
            access = AccessContext.of(cast.consent.pk)
            assert Document.objects.one(access, kind, number, document.uuid)
            assert access.covers(cast.bakery.pk)
            assert Document.objects.resolve(access, [number], None).clients.numbers
    Client.objects.filter(pk=cast.bakery.pk).update(leaves_at=timezone.now() - timedelta(seconds=1))
    for wrong in (timezone.now() - timedelta(days=9), timezone.now() + timedelta(days=9)):
        with time_machine.travel(wrong):
            assert Document.objects.one(access, kind, number, document.uuid) is None
            assert not access.covers(cast.bakery.pk)
            assert not Document.objects.resolve(access, [number], None).clients.numbers


def test_a_company_that_arrives_between_two_statements_is_not_read(cast: Cast) -> None:
    """The search has resolved all companies of Peeters; then one more comes, with old documents."""
    theirs = factories.make_allowed(cast.peeters, cast.ledgerly, cast.chloe)
    own = factories.make_client(cast.peeters)
    expected = factories.make_document(own)
    for _ in "123":
        factories.make_document(cast.bakery)
    clients = Document.objects.resolve(
        AccessContext.of(theirs.pk), [own.company_number], None
    ).clients
    assert clients.whole_office
    agreed(cast)
    begin = timezone.now() - timedelta(days=1)
    window = SearchWindow(
        cast.peeters.pk, Kind.BANK_ACCOUNT_STATEMENT, begin, begin + 2 * timedelta(days=1), 2
    )
    assert [row.uuid for row in Document.objects.page(window, clients)] == [str(expected.uuid)]


def test_a_company_with_3000_documents_moves_in_one_short_transaction(people: Cast) -> None:
    now = timezone.now()
    with connection.cursor() as cursor, office_scope(people.janssens.pk):
        cursor.execute(
            """insert into documents_document (uuid, office_id, client_id, kind, available_at, attributes)
            select gen_random_uuid(), %s, %s, 1 + n %% 5, %s - n * interval '1 hour', '{"iban": "BE00"}'
            from generate_series(1, 3000) n""",
            [people.janssens.pk, people.bakery.pk, now],
        )
    transfer = Transfer.objects.ask(people.bakery, people.anna, people.peeters)
    began = time.process_time(), time.monotonic()
    transfer.agree(people.chloe, "P1")
    print(f"3,000 documents moved in {time.monotonic() - began[1]:.2f} s")
    with office_scope(people.peeters.pk):
        assert Document.objects.filter(client=people.bakery).count() == 3000
    with office_scope(people.janssens.pk):
        assert Document.objects.filter(client=people.bakery).count() == 0
    transfer.refresh_from_db()
    assert transfer.moved_at is not None
    assert transfer.effective_at is not None
    assert transfer.moved_at >= transfer.effective_at


def test_a_partner_that_pages_goes_on_with_what_is_left(people: Cast, ledgerly: Software) -> None:
    allow(people.consent, people.anna)
    other = factories.make_client(people.janssens, "Other")
    hour = timedelta(hours=1)
    now = timezone.now() - 30 * hour
    gone = make_documents(people.bakery, [now + n * hour for n in range(0, 20, 2)])
    stays = make_documents(other, [now + n * hour for n in range(1, 20, 2)])
    numbers = [people.bakery.company_number, other.company_number]
    first = ledgerly.search(people.janssens, numbers, meta={"paging": {"limit": 3}}).json()
    assert str(gone[0].uuid) == first["included"]["documents"][0]["id"]
    after = str(gone[1].uuid)
    assert first["meta"]["paging"]["after"] == after
    agreed(people)
    rest = ledgerly.search(
        people.janssens, numbers, meta={"paging": {"limit": 50, "after": after}}
    ).json()
    assert [row["id"] for row in rest["included"]["documents"]] == [str(d.uuid) for d in stays[1:]]
    assert rest["meta"]["unknownClients"] == [people.bakery.company_number]


def test_software_without_a_consent_of_the_new_office_gets_nothing(
    people: Cast, ledgerly: Software
) -> None:
    assert Partner.objects.filter(pk=people.ledgerly.pk).exists()
    allow(people.consent, people.anna)
    document = a_statement(people)
    agreed(people)
    number = people.bakery.company_number
    assert ledgerly.document(people.peeters, number, document.uuid).status_code in (403, 404)
