"""What the database touches for a company's pages: its own rows by an index, never the table."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.db.models import Count
from django.db.models.functions import ExtractYear

from accounts.models import Office
from accounts.tenancy import office_scope
from bench import shelves
from clients.models import Client
from documents.models import Content, DocumentRead, Filing, Kind, Tombstone
from tests import factories
from tests.conftest import Cast
from tests.documents.test_row_security import end_scope

COMPANIES, EACH = 80, 100


@pytest.fixture
def office(cast: Cast) -> Office:
    """Many companies with documents, so that reading all of them would be the longer way."""
    companies = Client.objects.bulk_create(
        Client(
            office=cast.janssens,
            company_number=factories.company_number(),
            name=f"Company {n}",
            code=f"N{n}",
        )
        for n in range(COMPANIES)
    )
    shelves.fill(cast.janssens, companies, COMPANIES * EACH)
    shelves.analyze()
    end_scope()
    return cast.janssens


def nodes(found: Any) -> list[dict[str, Any]]:
    sql, parameters = found.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"explain (analyze, buffers, format json) {sql}", parameters)
        top = cursor.fetchone()[0][0]["Plan"]

    def below(node: dict[str, Any]) -> list[dict[str, Any]]:
        return [node, *(inner for plan in node.get("Plans", []) for inner in below(plan))]

    return below(top)


def questions(company: Client) -> dict[str, Any]:
    mine = Filing.objects.filter(client=company)
    account = mine.filter(kind=Kind.BANK_ACCOUNT_STATEMENT, series=f"BE{company.pk}")
    years = mine.values_list(ExtractYear("dated_on"), "kind", "series")
    return {
        "years": years.annotate(documents=Count("*")),
        "list": mine.newest_first().values_list("pk")[:51],
        "account": account.newest_first().values_list("pk")[:51],
        "year": mine.filter(dated_on__year=2024).newest_first().values_list("pk")[:51],
        "search": mine.saying("niemand").newest_first().values_list("pk")[:51],
        "amount": mine.saying("1.234,56").newest_first().values_list("pk")[:51],
    }


def test_every_list_reads_the_rows_of_its_company_alone(office: Office) -> None:
    company = office.clients.get(name="Company 40")
    with office_scope(office.pk):
        assert Filing.objects.filter(client=company).count() == EACH
        page = list(Filing.objects.filter(client=company).values_list("pk", flat=True)[:50])
        rows = {"rows": Filing.objects.for_list(page)}
        for what, found in (questions(company) | rows).items():
            plan = nodes(found)
            scans = {node["Node Type"] for node in plan if node.get("Relation Name")}
            assert "Seq Scan" not in scans, what
            # Rows that were read and thrown away belong to other companies.
            filings = [n for n in plan if n.get("Alias") == "documents_filing"]
            thrown = sum(node.get("Rows Removed by Filter", 0) for node in filings)
            assert thrown <= EACH, what
            touched = plan[0]["Shared Hit Blocks"] + plan[0]["Shared Read Blocks"]
            assert touched <= 12 * len(page), (what, touched)
            if what == "account":
                # Read in its order, so that a page costs a page.
                assert "documents_filing_of_series" in [node.get("Index Name") for node in plan]
                assert "Sort" not in {node["Node Type"] for node in plan}


def test_reads_tombstones_and_formats_are_found_by_an_index(cast: Cast) -> None:
    with connection.cursor() as cursor:
        # The tables are nearly empty here: what matters is that an index fits the question.
        cursor.execute("set local enable_seqscan = off")
    asked = [
        (
            DocumentRead.objects.filter(office_id=cast.janssens.pk, document_id__in=[7]).order_by(
                "-pk"
            ),
            "documents_read_of_document",
        ),
        (
            Tombstone.objects.filter(client=cast.bakery, kind=1).order_by("-pk"),
            "documents_tombstone_list",
        ),
        (Content.objects.filter(document=7), "documents_content_"),
    ]
    end_scope()
    with office_scope(cast.janssens.pk):
        for found, index in asked:
            used = [str(node.get("Index Name")) for node in nodes(found[:51])]
            assert any(name.startswith(index) for name in used), used
