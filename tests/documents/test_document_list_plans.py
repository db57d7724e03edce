"""What the database touches for a company's pages: its own rows by an index, never the table."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.db.models import Count
from django.db.models.functions import ExtractYear
from django.utils import timezone

from accounts.models import Office
from bench import seeded_documents
from clients.models import Client
from core.document_kinds import BY_KIND, Kind
from core.row_security import office_scope
from documents.access_report import BY_COMPANY, DOWNLOADS_COUNTED, OF_DAYS
from documents.completeness.series import ARRIVED
from documents.forms import DocumentListFilter
from documents.models import Content, DeletionRecord, DocumentDetails, DocumentRead
from documents.models.access_log import BEFORE_ARRIVAL
from tests import factories
from tests.conftest import Cast
from tests.documents.test_row_security import end_scope
from tests.owner import as_owner

COMPANIES, EACH = 80, 100
# Every document once.
FETCHED = """
    insert into documents_documentread
        (office_id, consent_id, application_id, document_id, media_type, size, outcome)
    select office_id, 1, 1, id, 'application/pdf', 1, 'served'
    from documents_document where office_id = %s
"""


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
    seeded_documents.fill(cast.janssens, companies, COMPANIES * EACH)
    as_owner("analyze documents_document, documents_documentdetails")
    end_scope()
    return cast.janssens


def nodes(found: Any) -> list[dict[str, Any]]:
    return plan_of(*found.query.sql_with_params())


def plan_of(sql: str, parameters: Any) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(f"explain (analyze, buffers, format json) {sql}", parameters)
        top = cursor.fetchone()[0][0]["Plan"]

    def below(node: dict[str, Any]) -> list[dict[str, Any]]:
        return [node, *(inner for plan in node.get("Plans", []) for inner in below(plan))]

    return below(top)


def looked_up(plan: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The parts of the access log that were read; a part that was passed over has no loops."""
    parts = [n for n in plan if str(n.get("Relation Name")).startswith("documents_documentread")]
    return [one for one in parts if one["Actual Loops"]]


def indexes_of_reads(columns: str) -> set[str]:
    """The indexes of all parts of the access log on these columns."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select indexname from pg_indexes where indexname like %s",
            [f"documents_documentread%{columns}_idx"],
        )
        return {name for (name,) in cursor.fetchall()}


def questions(company: Client) -> dict[str, Any]:
    mine = DocumentDetails.objects.filter(client=company)
    account = mine.filter(kind=Kind.BANK_ACCOUNT_STATEMENT, series=f"BE{company.pk}")
    years = mine.values_list(ExtractYear("dated_on"), "kind", "series")
    return {
        "years": years.annotate(documents=Count("*")),
        "list": mine.newest_first().values_list("pk")[:51],
        "account": account.newest_first().values_list("pk")[:51],
        "year": mine.filter(dated_on__year=2024).newest_first().values_list("pk")[:51],
        "search": mine.matching("niemand").newest_first().values_list("pk")[:51],
        "amount": mine.matching("1.234,56").newest_first().values_list("pk")[:51],
    }


def test_every_list_reads_the_rows_of_its_company_alone(office: Office) -> None:
    company = office.clients.get(name="Company 40")
    with office_scope(office.pk):
        assert DocumentDetails.objects.filter(client=company).count() == EACH
        page = list(
            DocumentDetails.objects.filter(client=company).values_list("pk", flat=True)[:50]
        )
        rows = {"rows": DocumentDetails.objects.for_list(page)}
        for what, found in (questions(company) | rows).items():
            plan = nodes(found)
            scans = {node["Node Type"] for node in plan if node.get("Relation Name")}
            assert "Seq Scan" not in scans, what
            # Rows that were read and thrown away belong to other companies.
            details = [n for n in plan if n.get("Alias") == "documents_documentdetails"]
            thrown = sum(node.get("Rows Removed by Filter", 0) for node in details)
            assert thrown <= EACH, what
            touched = plan[0]["Shared Hit Blocks"] + plan[0]["Shared Read Blocks"]
            assert touched <= 12 * len(page), (what, touched)
            if what == "account":
                # Read in its order, so that a page costs a page.
                assert "documents_details_of_series" in [node.get("Index Name") for node in plan]
                assert "Sort" not in {node["Node Type"] for node in plan}


A_PAGE, OF_INDEXES = 51, 30  # rows that a page reads, blocks in which it finds them


@pytest.mark.parametrize("one_account", [True, False])
def test_a_page_costs_the_same_wherever_it_lies_in_both_directions(
    cast: Cast, one_account: bool
) -> None:
    """A company of 4,000 documents: a page that begins after one of them, or ends before it."""
    seeded_documents.fill(cast.janssens, [cast.bakery], 4_000)
    as_owner("analyze documents_document, documents_documentdetails")
    end_scope()
    kind, series = Kind.BANK_ACCOUNT_STATEMENT, f"BE{cast.bakery.pk}"
    with office_scope(cast.janssens.pk):
        counts = DocumentDetails.objects.filter(client=cast.bakery).counts()
        link = {"kind": BY_KIND[kind].path, "series": series} if one_account else {}
        asked = DocumentListFilter(link, counts=counts)
        assert asked.is_valid()
        part = asked.documents(cast.bakery)
        every = list(part.rows.order_by(*part.order))
        assert len(every) >= 1_000
        touched = {}
        for place in (0.1, 0.5, 0.9):
            values = part.read(part.key(every[int(len(every) * place)]))
            for backward in (False, True):
                rest = part.beyond(values or [], backward=backward)
                rows = rest.first(A_PAGE, backward=backward)
                plan = nodes(rows)
                blocks = plan[0]["Shared Hit Blocks"] + plan[0]["Shared Read Blocks"]
                touched[place, backward] = blocks
    # At most one block for each row, and some of the indexes; the rows of the company, sorted and
    # cut, would be its thousands.
    assert max(touched.values()) <= A_PAGE + OF_INDEXES, touched


def test_the_board_looks_up_the_fetches_of_its_documents_alone(office: Office) -> None:
    with office_scope(office.pk), connection.cursor() as cursor:
        cursor.execute(FETCHED, [office.pk])
    as_owner("analyze documents_documentread")
    named = office.clients.filter(name__startswith="Company").order_by("pk")
    companies = list(named.values_list("pk", flat=True)[:25])
    asked = {
        "clients": companies,
        "kinds": [kind.value for kind in Kind],
        "earlier": BEFORE_ARRIVAL,
    }
    since = {"shown": date(2024, 1, 1), "since": date(2023, 1, 1)}
    with office_scope(office.pk):
        plan = plan_of(ARRIVED, asked | since)
    fetches = looked_up(plan)
    # Each document by its key, in the months since it came: this month, and where it was not
    # fetched, those after it.
    assert {one["Index Name"] for one in fetches} <= indexes_of_reads("document_id_at")
    assert max(one["Actual Loops"] for one in fetches) == len(companies) * EACH


def test_the_downloads_per_company_are_counted_over_the_newest_alone(office: Office) -> None:
    with office_scope(office.pk), connection.cursor() as cursor:
        cursor.execute(FETCHED, [office.pk])
    as_owner("analyze documents_documentread")
    with office_scope(office.pk), connection.cursor() as cursor:
        asked: list[Any] = [1, office.pk, timezone.now() - OF_DAYS, DOWNLOADS_COUNTED, COMPANIES]
        plan = plan_of(BY_COMPANY, asked)
        cursor.execute(BY_COMPANY, asked)
        counted = sum(row[1] for row in cursor.fetchall())
    assert counted == DOWNLOADS_COUNTED < COMPANIES * EACH
    fetches = looked_up(plan)
    assert {one["Index Name"] for one in fetches} <= indexes_of_reads("consent_id_at")
    assert sum(one["Actual Rows"] for one in fetches) == DOWNLOADS_COUNTED
    touched = plan[0]["Shared Hit Blocks"] + plan[0]["Shared Read Blocks"]
    assert touched <= 5 * DOWNLOADS_COUNTED


def test_reads_tombstones_and_formats_are_found_by_an_index(cast: Cast) -> None:
    with connection.cursor() as cursor:
        # The tables are nearly empty here: what matters is that an index fits the question.
        cursor.execute("set local enable_seqscan = off")
    asked = [
        (
            DocumentRead.objects.filter(office_id=cast.janssens.pk, document_id__in=[7]).order_by(
                "-at", "-pk"
            ),
            "documents_documentread_",
        ),
        (
            DeletionRecord.objects.filter(client=cast.bakery, kind=1).order_by("-pk"),
            "documents_deletion_list",
        ),
        (Content.objects.filter(document=7), "documents_content_"),
    ]
    end_scope()
    with office_scope(cast.janssens.pk):
        for found, index in asked:
            used = [str(node.get("Index Name")) for node in nodes(found[:51])]
            assert any(name.startswith(index) for name in used), used
