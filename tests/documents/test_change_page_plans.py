"""A page of changes reads as much as it shows, whatever part of its companies an office shares."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from bench import seeded_documents
from bench.explain import explain
from clients.models import Client
from consents.access import AccessContext
from consents.models import Consent, ListedClient, SharingGap
from core.document_kinds import KINDS, Kind
from core.row_security import office_scope
from documents.models import Document
from documents.models.change_page import ChangeRow
from partner_api.change_cursor import ChangeCursor
from partner_api.document_changes import read_changes
from partner_api.hot_path.authentication import Caller
from tests import factories
from tests.conftest import Cast
from tests.documents.test_row_security import end_scope
from tests.factories import allow
from tests.owner import as_owner

pytestmark = [pytest.mark.requirement(117), pytest.mark.requirement(92)]
COMPANIES, DOCUMENTS, PAGE = 400, 8_000, 100
# A page of 100 documents lies in fewer than 50 blocks of the office's index, those of clients in more.
BLOCKS = 250
FIRST = datetime(2024, 1, 1, tzinfo=UTC)


class Office:
    """An office of many companies; what it shares with its software differs from test to test."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.clients = [factories.make_client(cast.janssens, f"C {n}") for n in range(COMPANIES)]
        seeded_documents.fill(cast.janssens, self.clients, DOCUMENTS)
        as_owner("analyze")
        end_scope()
        allow(cast.consent, cast.anna)

    def share_only(self, count: int) -> list[Client]:
        shared = self.clients[:: COMPANIES // count][:count]
        consent = self.cast.consent
        ListedClient.objects.bulk_create(
            ListedClient(consent=consent, client=client) for client in shared
        )
        Consent.objects.filter(pk=consent.pk).update(allowlist_mode=True)
        return shared

    def share_again(self, count: int) -> None:
        now = timezone.now()
        SharingGap.objects.bulk_create(
            SharingGap(
                office=self.cast.janssens,
                partner=self.cast.ledgerly,
                client=client,
                since=FIRST + timedelta(days=60),
                hidden_at=FIRST + timedelta(days=60),
                until=now,
            )
            for client in self.clients[:count]
        )

    def page(self, after: ChangeCursor) -> tuple[list[ChangeRow], int]:
        """The page behind the cursor, and how many blocks its largest statement read."""
        access = AccessContext.of(self.cast.consent.pk)
        caller = Caller(0, self.cast.ledgerly.pk, True, None, access)
        sent: list[tuple[str, Any]] = []

        def note(execute: Callable[..., Any], sql: str, params: Any, *rest: Any) -> Any:
            sent.append((sql, params))
            return execute(sql, params, *rest)

        with connection.execute_wrapper(note):
            rows = read_changes(caller, access, after, KINDS, PAGE).rows
        return rows, max(
            explain(one, params, times=1).buffers
            for sql, params in sent
            if "documents_document d" in sql
            for one in sql.split(";")
            if one.strip()
        )


@pytest.fixture
def office(cast: Cast) -> Office:
    return Office(cast)


def beginning() -> ChangeCursor:
    return ChangeCursor(FIRST, 0, FIRST)


@pytest.mark.parametrize("shared", [COMPANIES // 2, COMPANIES // 10, 6, 1])
def test_an_office_that_shares_a_part_costs_about_as_much_as_one_that_shares_all(
    office: Office, shared: int
) -> None:
    """It walked each kind for each company, and asked for each document whether it is shared."""
    rows, whole = office.page(beginning())
    assert len(rows) == PAGE
    companies = {client.pk for client in office.share_only(shared)}
    rows, part = office.page(beginning())
    assert rows
    assert {row.document.client_id for row in rows} <= companies
    assert max(part, whole) <= BLOCKS, (part, whole)


@pytest.mark.parametrize("again", [COMPANIES // 2, 10])
def test_companies_that_are_shared_again_cost_some_sorted_lists_more(
    office: Office, again: int
) -> None:
    office.share_again(again)
    rows, blocks = office.page(beginning())
    assert len(rows) == PAGE
    # Ten companies are looked up one by one: five kinds at two moments, six blocks each.
    assert blocks <= BLOCKS + (600 if again == 10 else 0), blocks


def test_pages_of_a_few_companies_have_every_change_once(office: Office) -> None:
    """One of them has nearly all documents, so the parts that are read first do not suffice."""
    full = office.share_only(3)[0]
    with office_scope(office.cast.janssens.pk):
        Document.objects.bulk_create(
            Document(
                office_id=office.cast.janssens.pk,
                client=full,
                kind=Kind.SALES_INVOICE,
                attributes={},
                available_at=FIRST + timedelta(hours=n),
            )
            for n in range(2_000)
        )
    found: list[tuple[str, tuple[datetime, int]]] = []
    cursor = beginning()
    while True:
        rows, _blocks = office.page(cursor)
        found += [(row.document.uuid, (row.place, row.document_id)) for row in rows]
        if len(rows) < PAGE:
            break
        cursor = cursor.behind(rows[-1].place, rows[-1].document_id)
    expected = 2_000 + 3 * DOCUMENTS // COMPANIES
    assert len({uuid for uuid, _place in found}) == len(found) == expected
    assert [place for _uuid, place in found] == sorted(place for _uuid, place in found)
