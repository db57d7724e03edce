"""The access report of a company reads the newest months of the log first, and no row twice."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from urllib.parse import parse_qsl

from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.lists import one_page
from core.row_security import every_office, office_scope
from documents.access_report import all_fetches, reads_of, use_by_company
from documents.last_seen import last_seen
from documents.models import Document, DocumentRead
from documents.reads_by_month import add_months
from tests import factories
from tests.conftest import Cast
from tests.documents.test_row_security import end_scope
from tests.factories import CODA, allow

MONTHS = 40
SIZE = 7


def fetched(cast: Cast) -> Document:
    """A document of long ago, fetched three times in one moment of each month until today."""
    allow(cast.consent, cast.anna)
    document = factories.make_filed_document(
        cast.bakery, dated_on=date(2020, 1, 1), contents={CODA: b"0"}
    ).document
    moments = [timezone.now() - timedelta(days=30 * n) for n in range(MONTHS)]
    with every_office():
        Document.objects.filter(pk=document.pk).update(
            available_at=F("available_at") - timedelta(days=30 * MONTHS)
        )
        DocumentRead.objects.bulk_create(
            DocumentRead(
                at=moment,
                office_id=cast.janssens.pk,
                consent_id=cast.consent.pk,
                application_id=1,
                document_id=document.pk,
                media_type=CODA,
                size=1,
                outcome="served",
            )
            for moment in moments
            for _ in range(3)
        )
        add_months()
        document.refresh_from_db()
    end_scope()
    return document


def parts_planned(query: str) -> int:
    """How many parts of the access log the database takes into a plan."""
    with connection.cursor() as cursor:
        cursor.execute(f"explain (format json) {query}")
        plan = json.dumps(cursor.fetchone()[0])
    return len(set(re.findall(r"documents_documentread_(?:\d{4}_\d\d|rest)(?=\")", plan)))


def test_anna_walks_through_all_reads_and_back(cast: Cast) -> None:
    document = fetched(cast)
    for reads in (reads_of(cast.bakery), reads_of(cast.bakery, document)):
        with office_scope(cast.janssens.pk):
            rows = DocumentRead.objects.order_by("-at", "-pk")
            expected = list(rows.values_list("pk", flat=True))
            there = [page := one_page({}, SIZE, reads)]
            while page.next:
                there.append(page := one_page(dict(parse_qsl(page.next[1:])), SIZE, reads))
            back = [page]
            while page.previous:
                back.append(page := one_page(dict(parse_qsl(page.previous[1:])), SIZE, reads))
        assert [row.pk for one in there for row in one.rows] == expected
        assert {row.pk for one in back for row in one.rows} == set(expected)


def test_the_csv_has_every_read_once_newest_first(cast: Cast) -> None:
    document = fetched(cast)
    for rows in (all_fetches(cast.bakery), all_fetches(cast.bakery, document)):
        moments = [one.at for one in rows]
        assert len(moments) == 3 * MONTHS
        assert moments == sorted(moments, reverse=True)


def test_a_page_takes_the_newest_months_into_its_plan_alone(cast: Cast) -> None:
    fetched(cast)
    with office_scope(cast.janssens.pk):
        with CaptureQueriesContext(connection) as asked:
            one_page({}, 2, reads_of(cast.bakery))
        of_reads = [one["sql"] for one in asked if "documents_documentread" in one["sql"]]
        # Two or three months, three ahead, and the rest.
        assert len(of_reads) == 1
        assert parts_planned(of_reads[0]) <= 8 < MONTHS
    with CaptureQueriesContext(connection) as asked:
        assert use_by_company(cast.consent, 5)[0].served == 3
    (query,) = [one["sql"] for one in asked if "documents_documentread" in one["sql"]]
    with office_scope(cast.janssens.pk):
        assert parts_planned(query) <= 7


def test_an_old_document_that_was_fetched_just_now_is_seen(cast: Cast) -> None:
    fetched(cast)
    seen = last_seen(cast.janssens.pk, [cast.bakery.pk])
    newest = max(one.at for one in all_fetches(cast.bakery))
    assert [one.download for one in seen.values()] == [newest]
