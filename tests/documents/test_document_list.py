"""The office's own list of a company's documents: years, kinds, accounts, pages by key."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.document_kinds import Kind
from core.row_security import every_office
from documents.models import DeletionRecord, DocumentDetails
from tests import factories
from tests.conftest import Cast
from tests.documents.test_row_security import end_scope
from tests.test_access_matrix import as_person

STATEMENT, INVOICE = Kind.BANK_ACCOUNT_STATEMENT, Kind.PURCHASE_INVOICE
MORE = re.compile(r'href="\?([^"]+)" rel="next"')


def page(cast: Cast, below: str = "/documents") -> str:
    company = cast.bakery.company_number
    return f"/offices/{cast.janssens.slug}/companies/{company}{below}"


def shown(cast: Cast, who: str = "anna", below: str = "/documents", **asked: Any) -> Any:
    end_scope()
    answer = as_person(getattr(cast, who)).get(page(cast, below), asked)
    assert answer.status_code == 200
    return answer


def numbers(answer: Any) -> list[str]:
    return [filing.number for filing, _gaps in answer.context["rows"]]


def file(cast: Cast, number: str, day: date = date(2026, 3, 2), **fields: Any) -> DocumentDetails:
    return factories.make_filed_document(cast.bakery, number=number, dated_on=day, **fields)


@pytest.mark.parametrize("who", ["anna", "bram"])
def test_everybody_of_the_office_goes_from_year_to_kind_to_account(cast: Cast, who: str) -> None:
    file(cast, "1", date(2025, 5, 1), series="BE68539007547034")
    file(cast, "2", date(2026, 1, 1), series="BE68539007547034")
    file(cast, "1", date(2026, 1, 1), series="BE00111122223333")
    file(cast, "F1", date(2026, 2, 1), kind=INVOICE)
    years = shown(cast, who, "").context["years"]
    assert [(year.year, year.documents) for year in years] == [(2026, 3), (2025, 1)]
    told = [(part.kind, part.documents, len(part.series)) for part in years[0].parts]
    assert told == [(STATEMENT, 2, 2), (INVOICE, 1, 1)]
    words = shown(cast, who, "").content.decode()
    link = page(cast) + "?kind=bank-account-statements&amp;year=2026&amp;series=BE68539007547034"
    assert link in words
    assert "BE68 5390 0754 7034" in words
    list_ = shown(cast, who, kind="bank-account-statements", year=2026, series="BE68539007547034")
    assert numbers(list_) == ["2"]
    assert numbers(shown(cast, who, kind="purchase-invoices")) == ["F1"]
    assert numbers(shown(cast, who, year=2025)) == ["1"]


def test_a_company_without_documents_says_so(cast: Cast) -> None:
    assert "No documents have been received" in shown(cast, below="").content.decode()
    assert "No documents match" in shown(cast).content.decode()


def test_what_is_wrong_in_a_link_is_as_if_it_were_not_there(cast: Cast) -> None:
    file(cast, "1")
    for asked in (
        {"year": "x"},
        {"year": "1066"},
        {"kind": "payroll"},
        {"series": "nobody's"},
        {"after": "now"},
        {"after": "2026-12-31_99999999999999999999"},
        {"after": "deleted.-1"},
        {"before": "now"},
        {"q": "\0"},
        {"q": "x" * 81},
    ):
        assert numbers(shown(cast, **asked)) == ["1"], asked


def test_the_list_is_paged_by_key_without_loss_or_repeat(cast: Cast) -> None:
    for place in range(120):
        file(cast, f"{place:03}", date(2026, 3, 1) + timedelta(days=place // 7), kind=INVOICE)
    seen: list[str] = []
    asked = "kind=purchase-invoices&q=0"
    while True:
        end_scope()
        answer = as_person(cast.bram).get(f"{page(cast)}?{asked}")
        seen += numbers(answer)
        more = MORE.search(answer.content.decode())
        if more is None:
            break
        asked = more[1].replace("&amp;", "&")
        assert "kind=purchase-invoices" in asked
        # Somebody files a newer one meanwhile: the pages behind stay where they are.
        file(cast, f"9{len(seen)}0", date(2026, 12, 1), kind=INVOICE)
    expected = [f"{place:03}" for place in reversed(range(120)) if "0" in f"{place:03}"]
    assert seen == expected


def test_search_goes_through_all_years_and_kinds(cast: Cast) -> None:
    file(cast, "7", amount=Decimal("-1234.56"), counterparty="")
    file(cast, "F7", date(2020, 1, 1), kind=INVOICE, counterparty="Müller & Söhne")
    assert numbers(shown(cast, q="1.234,56")) == ["7"]
    assert numbers(shown(cast, q="müller")) == ["F7"]
    assert numbers(shown(cast, q="01/01/2020")) == ["F7"]
    assert numbers(shown(cast, q="nothing")) == []


def test_the_newest_version_is_marked_and_the_older_ones_stay(cast: Cast) -> None:
    for version in (1, 2):
        file(cast, "5", natural_key="same", version=version)
    words = shown(cast).content.decode()
    assert "version 2, latest" in words
    assert "version 1, replaced" in words


def test_a_missing_statement_stands_in_the_list_but_not_in_a_search(cast: Cast) -> None:
    zero = Decimal(0)
    for number, day in (("1", date(2026, 1, 1)), ("4", date(2026, 1, 5))):
        file(cast, number, day, opening=zero, amount=zero)
    words = "Statements 2 to 3 of 2026 are missing."
    assert words in shown(cast).content.decode()
    assert words in shown(cast, year=2026, kind="bank-account-statements").content.decode()
    assert words not in shown(cast, q="4").content.decode()


def delete_for_retention(cast: Cast, key: str = "BE68539007547034/2015/12") -> DeletionRecord:
    with every_office():
        return DeletionRecord.objects.create(
            uuid=factories.make_document(cast.bakery).uuid,
            client=cast.bakery,
            kind=STATEMENT,
            natural_key=key,
            available_at="2015-03-02T04:00:00Z",
            hashes={"application/pdf": "ab" * 32},
        )


def test_what_was_deleted_in_time_leaves_its_fingerprint_at_the_end(cast: Cast) -> None:
    file(cast, "1")
    delete_for_retention(cast)
    for asked in ({}, {"kind": "bank-account-statements"}, {"year": 2026, "kind": ""}):
        words = shown(cast, **asked).content.decode()
        told = asked.get("year") != 2026
        assert ("ab" * 32 in words) is told
        assert ("Deleted at the end of their retention period" in words) is told
    assert "ab" * 32 not in shown(cast, q="12").content.decode()
    for n in range(60):
        delete_for_retention(cast, f"key {n}")
    first = shown(cast)
    assert len(first.context["deletion_records"]) == 49
    further = MORE.search(first.content.decode())
    assert further is not None
    end_scope()
    rest = as_person(cast.anna).get(f"{page(cast)}?{further[1]}")
    assert numbers(rest) == []
    assert len(rest.context["deletion_records"]) == 12


@pytest.mark.requirement(47)
def test_chloe_sees_no_list_of_janssens_and_none_of_hers_through_its_number(cast: Cast) -> None:
    filing = file(cast, "1", counterparty="Geheim")
    chloe = as_person(cast.chloe)
    end_scope()
    assert chloe.get(page(cast)).status_code == 404
    assert chloe.get(page(cast, "")).status_code == 404
    below = page(cast).replace(cast.janssens.slug, cast.peeters.slug)
    assert chloe.get(below).status_code == 404
    assert chloe.get(f"{below}/{filing.document.uuid}").status_code == 404


@pytest.mark.requirement(50)
def test_the_database_shows_no_filing_to_another_office_whatever_a_view_forgets(
    cast: Cast,
) -> None:
    from core.row_security import office_scope

    filing = file(cast, "1")
    delete_for_retention(cast)
    end_scope()
    with office_scope(cast.peeters.pk):
        assert not DocumentDetails.objects.filter(pk=filing.pk).exists()
        assert not DeletionRecord.objects.filter(client=cast.bakery).exists()
    assert not DocumentDetails.objects.filter(pk=filing.pk).exists()


@pytest.mark.parametrize("below", ["", "/documents", "/documents?q=a", "/documents?year=2026"])
def test_no_query_is_added_per_row(cast: Cast, below: str) -> None:
    browser = as_person(cast.anna)

    def queries(rows: int) -> int:
        while DocumentDetails.objects.filter(client=cast.bakery).count() < rows:
            n = DocumentDetails.objects.filter(client=cast.bakery).count()
            # Accounts, gaps and versions as well: each of them could bring a query.
            kind = STATEMENT if n % 2 else INVOICE
            file(cast, f"a{n * 3}", series=f"BE0{n % 5}", kind=kind, natural_key=f"a{n}")
        with CaptureQueriesContext(connection) as asked:
            assert browser.get(page(cast, below)).status_code == 200
        return len(asked)

    with every_office():
        queries(3)
        ten = queries(10)
        assert queries(20) == ten
        assert ten <= 16
