"""Which files are one document: copies, versions, and documents of their own."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from core.row_security import every_office
from documents.formats import Party
from documents.models import DocumentDetails
from documents.models.document_list import WarningCount
from tests import factories
from tests.conftest import Cast
from tests.documents import examples
from tests.documents.examples import company_of, take_files
from tests.documents.formats.bank import Bank
from tests.documents.formats.test_damaged_coda import STATEMENT


def statement_file(iban: str, **changes: object) -> bytes:
    """A CODA file of this account that names no company."""
    movements = STATEMENT.movements[:1]
    facts = replace(
        STATEMENT,
        iban=iban,
        holder=Party("Café", ""),
        movements=movements,
        messages=(),
        **changes,  # type: ignore[arg-type]
    )
    closing = facts.opening + sum((one.amount for one in movements), Decimal(0))
    return Bank().write(replace(facts, closing=closing))[0]


@pytest.fixture
def account(people: Cast) -> str:
    """An account that is registered for the bakery."""
    company = company_of(people.bakery)
    factories.make_account(people.bakery, company.iban)
    return company.iban


def details(people: Cast) -> list[DocumentDetails]:
    with every_office():
        return list(DocumentDetails.objects.filter(client=people.bakery).order_by("pk"))


def test_one_number_for_a_whole_month_is_a_document_a_day(people: Cast, account: str) -> None:
    """Some banks number by month, some begin again, and some give no number at all."""
    for number in (11, 0):
        days = [STATEMENT.dated_on + timedelta(days=day + 10 * (number == 0)) for day in range(3)]
        files = {
            f"{number}-{day}.cod": statement_file(account, number=number, dated_on=day)
            for day in days
        }
        taken = take_files(files)
        assert (taken.filed.total(), taken.new_versions) == (3, 0)
    assert [one.version for one in details(people)] == [1] * 6


def test_two_statements_of_one_day_differ_by_their_opening_balance(
    people: Cast, account: str
) -> None:
    files = {f"{n}.cod": statement_file(account, opening=Decimal(n)) for n in range(2)}
    assert take_files(files).new_versions == 0
    changed = statement_file(account, opening=Decimal(0)).replace(b"Factuur 12", b"Factuur 13")
    assert take_files({"again.cod": changed}).new_versions == 1


@pytest.mark.parametrize("at_once", [True, False])
def test_a_copy_is_not_filed_again_however_it_is_packed(
    people: Cast, account: str, at_once: bool
) -> None:
    first = statement_file(account)
    copies = {
        "line-ends.cod": first.replace(b"\r\n", b"\n"),
        "utf-8.cod": first.decode("latin-1").encode(),
        "marked.cod": first[:16] + b"D" + first[17:],
        "blank.cod": first + b"\r\n\x1a",
    }
    deliveries = [{"a.cod": first} | copies] if at_once else [{"a.cod": first}, copies]
    results = [take_files(files) for files in deliveries]
    assert sum(result.filed.total() for result in results) == 1
    assert sum(result.already_filed for result in results) == len(copies)
    assert len(details(people)) == 1


def test_a_marked_copy_is_no_new_version_even_where_it_differs(people: Cast, account: str) -> None:
    first = statement_file(account)
    take_files({"a.cod": first})
    marked = (first[:16] + b"D" + first[17:]).replace(b"Factuur 12", b"FACTUUR 12")
    assert take_files({"b.cod": marked}).already_filed == 1
    assert len(details(people)) == 1


def test_a_number_that_begins_again_next_year_is_another_invoice(people: Cast) -> None:
    first = examples.invoice(company_of(people.bakery), "IN-1")
    later = first.replace(str(examples.DAY).encode(), str(date(2027, 3, 2)).encode())
    assert take_files({"a.xml": first, "b.xml": later}).new_versions == 0
    corrected = first.replace(b"</cbc:Name>", b" (2)</cbc:Name>", 1)
    assert take_files({"c.xml": corrected}).new_versions == 1


def test_another_kind_of_run_is_another_payroll(people: Cast) -> None:
    first = examples.payroll(company_of(people.bakery))
    holiday = first.replace(b"</Header>", b"<Run>holiday pay</Run></Header>")
    taken = take_files({"a.xml": first, "b.xml": holiday})
    assert (taken.filed.total(), taken.new_versions) == (2, 0)


def test_an_invoice_finds_its_company_by_any_of_its_numbers(people: Cast) -> None:
    """The legal number is one that is not here; the Peppol address is the company's."""
    company = company_of(people.bakery)
    number = company.number.encode()
    data = examples.invoice(company)
    legal = b'<cbc:CompanyID schemeID="0208">' + number
    assert legal in data
    other = data.replace(legal, legal.replace(number, b"0010999996"))
    assert take_files({"a.xml": other}).filed.total() == 1


def test_warnings_are_stored_with_the_document_and_counted_per_sender(
    people: Cast, account: str
) -> None:
    bic = "TESTBE99"
    take_files({"a.cod": statement_file(account, bic=bic)[:-3] + b"1\r\n\r\n"})
    (found,) = details(people)
    with every_office():
        counts = [one for one in DocumentDetails.objects.warnings_by_sender() if one.sender == bic]
    assert counts == [WarningCount(bic, "blank_line", 1), WarningCount(bic, "trailer_code", 1)]
    assert found.warnings == [
        {"code": "blank_line", "line": found.warnings[0]["line"], "detail": ""},
        {"code": "trailer_code", "line": found.warnings[1]["line"], "detail": ""},
    ]
