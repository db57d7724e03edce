"""The page of a search of few clients is exact, however their documents are spread."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clients.models import Client
from consents.access import AccessContext
from core.document_kinds import Kind
from core.row_security import office_scope
from documents.models import Document
from documents.models.querysets import SearchedClients, SearchWindow, first_part
from tests import factories
from tests.conftest import Cast
from tests.factories import allow

pytestmark = pytest.mark.requirement(92)
KIND = Kind.BANK_ACCOUNT_STATEMENT
FIRST = datetime(2026, 1, 1, tzinfo=UTC)
LIMIT = 60


def make_office(cast: Cast, clients: int) -> list[Client]:
    """Companies to ask for, and so many others that these are few."""
    asked = [factories.make_client(cast.janssens, f"Asked {n}") for n in range(clients)]
    others = [f"{9_000_000_00 + n:010d}" for n in range(64 * (clients + 1))]
    Client.objects.bulk_create(
        Client(office=cast.janssens, company_number=number, name=number, code=number)
        for number in others
    )
    allow(cast.consent, cast.anna)
    return asked


def add_documents(client: Client, minutes: list[int]) -> None:
    with office_scope(client.office_id):
        Document.objects.bulk_create(
            Document(
                office_id=client.office_id,
                client=client,
                kind=KIND,
                attributes={},
                available_at=FIRST + timedelta(minutes=minute),
            )
            for minute in minutes
        )


def searched(cast: Cast, clients: list[Client]) -> SearchedClients:
    access = AccessContext.of(cast.consent.pk)
    numbers = [client.company_number for client in clients]
    found = Document.objects.resolve(access, numbers, None).clients
    assert found.few
    return found


def pages(cast: Cast, clients: SearchedClients) -> tuple[list[str], list[int]]:
    """All documents, page by page, and how many statements each page took."""
    found: list[str] = []
    statements, after = [], None
    while True:
        window = SearchWindow(
            cast.janssens.pk, KIND, FIRST, FIRST + timedelta(days=400), LIMIT, after
        )
        with CaptureQueriesContext(connection) as asked:
            rows = Document.objects.page(window, clients)
        statements.append(len(asked))
        found += [row.uuid for row in rows]
        if len(rows) < LIMIT:
            return found, statements
        with office_scope(cast.janssens.pk):
            last = Document.objects.get(uuid=rows[-1].uuid)
        after = (last.available_at, last.pk)


def in_order(clients: list[Client]) -> list[str]:
    with office_scope(clients[0].office_id):
        documents = Document.objects.filter(client__in=clients).order_by("available_at", "id")
        return [str(document.uuid) for document in documents]


@pytest.mark.parametrize("seed", range(4))
def test_every_document_comes_once_and_in_order(cast: Cast, seed: int) -> None:
    chance = random.Random(seed)
    clients = make_office(cast, 4)
    for client in clients:
        # Some have many documents, and some have them all at the same time.
        number = chance.choice([0, 1, 20, 150])
        span = chance.choice([1, 50, 5_000])
        add_documents(client, [chance.randrange(span) for _ in range(number)])
    assert pages(cast, searched(cast, clients))[0] == in_order(clients)


def test_clients_with_as_many_documents_take_one_statement_a_page(cast: Cast) -> None:
    clients = make_office(cast, 5)
    for place, client in enumerate(clients):
        add_documents(client, list(range(place, 500, 5)))
    found, statements = pages(cast, searched(cast, clients))
    assert found == in_order(clients)
    assert set(statements) == {1}


def test_a_client_with_most_of_the_documents_costs_another_look(cast: Cast) -> None:
    clients = make_office(cast, 5)
    add_documents(clients[0], list(range(100)))
    add_documents(clients[1], [50])
    found, statements = pages(cast, searched(cast, clients))
    assert found == in_order(clients)
    assert max(statements) == 2


def test_no_more_is_read_of_each_client_than_its_part(cast: Cast) -> None:
    clients = make_office(cast, 5)
    for place, client in enumerate(clients):
        add_documents(client, list(range(place, 2_000, 5)))
    few = searched(cast, clients)
    window = SearchWindow(cast.janssens.pk, KIND, FIRST, FIRST + timedelta(days=400), LIMIT)
    before = rows_fetched()
    assert len(Document.objects.page(window, few)) == LIMIT
    assert LIMIT <= rows_fetched() - before <= 5 * first_part(LIMIT, 5)


def rows_fetched() -> int:
    """Rows of documents that this transaction has read until now."""
    query = """
        select coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)
        from pg_stat_xact_user_tables where relname = 'documents_document'
    """
    with connection.cursor() as cursor:
        cursor.execute(query)
        [[number]] = cursor.fetchall()
    return int(number)
