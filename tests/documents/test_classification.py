"""From what a file says to its place: whose, which kind, under which name."""

from __future__ import annotations

import hashlib
import random
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from django.utils import timezone

from clients.models import Account, Client
from core.document_kinds import Kind
from core.row_security import every_office
from documents.formats import (
    BankStatement,
    CardStatement,
    Invoice,
    Movement,
    ParsedDocument,
    Party,
    Reason,
    Refused,
)
from documents.formats.reading import read
from documents.ingest.classify import MOST_WORDS, classify
from documents.ingest.pipeline import replay
from documents.models import Document, DocumentDetails, QuarantinedFile
from tests import factories
from tests.conftest import Cast
from tests.documents import examples
from tests.documents.examples import company_of, take_files

BANK, PAYROLL, CARD, BOUGHT, SOLD = Kind


def filed(client: Client) -> list[DocumentDetails]:
    with every_office():
        return list(DocumentDetails.objects.filter(client=client).order_by("kind", "pk"))


def invoice_of(data: bytes) -> Invoice:
    facts = read(data)[0].facts
    assert isinstance(facts, Invoice)
    return facts


def one(data: bytes) -> list[object]:
    (sheet,) = read(data)
    return list(classify(sheet, hashlib.sha256(data).hexdigest()))


# --- what is told of each kind -------------------------------------------------------------------


def test_each_kind_gets_the_attributes_of_the_wire(people: Cast) -> None:
    company = company_of(people.bakery)
    take_files(examples.a_month(company))
    with every_office():
        told = dict(Document.objects.filter(client=people.bakery).values_list("kind", "attributes"))
        card = Document.objects.get(client=people.bakery, kind=CARD)
    with every_office():
        statement = DocumentDetails.objects.get(client=people.bakery, kind=BANK)
    assert told[BANK] == {
        "iban": company.iban,
        "number": statement.number,
        "day": str(statement.dated_on),
        "currency": "EUR",
        "openingBalance": f"{statement.opening:.2f}",
        "closingBalance": f"{statement.amount:.2f}",
    }
    assert told[PAYROLL] == {"socialOfficeId": "0355"}
    assert told[CARD]["bankName"] == "Demo Cards"
    assert told[CARD]["billingPeriod"] == "2026-03"
    assert told[BOUGHT] == {"availableContentTypes": ["application/pdf", "application/xml"]}
    assert told[SOLD] == {"invoicingSoftware": "Peppol"}
    assert card.public_id is not None
    assert card.public_id == f"CARO-202603-{told[CARD]['clientReference']}-" + card.public_id[-8:]


def test_a_filing_says_what_the_lists_show(people: Cast) -> None:
    company = company_of(people.bakery)
    take_files(examples.a_month(company))
    bank, payroll, card, bought, sold = filed(people.bakery)
    assert (bank.series, bank.number, bank.dated_on) == (company.iban, "001", examples.DAY)
    assert (bank.opening, bank.amount, bank.currency) == (Decimal(0), Decimal(10), "EUR")
    assert bank.natural_key == f"{company.iban}/EUR/2026-03-02/001/0.000"
    assert (payroll.series, payroll.number, payroll.dated_on) == (
        "0355",
        "2026-03",
        date(2026, 3, 1),
    )
    assert card.counterparty == "Demo Cards"
    assert (bought.number, sold.number) == ("IN-1", "OUT-1")
    assert (
        bought.natural_key
        == f"{invoice_of(examples.invoice(company, 'IN-1')).supplier.company_number}/IN-1/2026-03-02"
    )
    assert sold.natural_key == f"{company.number}/OUT-1/2026-03-02"
    assert {f.office_id for f in filed(people.bakery)} == {people.janssens.pk}
    assert {f.version for f in filed(people.bakery)} == {1}


def test_words_are_found_plain_each_once_and_bounded(people: Cast) -> None:
    company = company_of(people.bakery)
    (sheet,) = read(examples.statement(company))
    paper = sheet.facts
    assert isinstance(paper, BankStatement)
    movement = replace(
        paper.movements[0], name="Électricité & Zonen", structured="+++090/9337/55493+++"
    )
    many = tuple(replace(movement, number=n, communication=f"Nota {n}") for n in range(5_000))
    (classification,) = classify(
        ParsedDocument(sheet.media_type, b"", replace(paper, movements=many)), "0" * 64
    )
    assert "electricite & zonen" in classification.words
    assert "+++090/9337/55493+++\n090933755493\n" in classification.words
    assert classification.words.count("electricite") == 1
    assert "nota 17\n" in classification.words
    assert len(classification.words) <= MOST_WORDS


def test_the_lines_of_a_sum_are_found_as_well(people: Cast) -> None:
    (sheet,) = read(examples.statement(company_of(people.bakery)))
    assert isinstance(sheet.facts, BankStatement)
    movement = sheet.facts.movements[0]
    detail = Movement(2, Decimal(1), examples.DAY, None, communication="Deel Van De Som")
    paper = replace(sheet.facts, movements=(replace(movement, details=(detail,)),))
    (classification,) = classify(ParsedDocument(sheet.media_type, b"", paper), "0" * 64)
    assert "deel van de som" in classification.words


def test_a_credit_note_is_money_back_and_no_version_of_an_invoice(people: Cast) -> None:
    (sheet,) = read(examples.invoice(company_of(people.bakery)))
    assert isinstance(sheet.facts, Invoice)
    note = replace(sheet.facts, is_credit_note=True)
    (invoice, _), (credit, _) = (
        classify(ParsedDocument(sheet.media_type, b"", paper), "0" * 64)
        for paper in (sheet.facts, note)
    )
    assert credit.amount == -invoice.amount < 0
    assert credit.natural_key != invoice.natural_key


def test_a_long_name_keeps_its_beginning_and_stays_apart_from_others(people: Cast) -> None:
    (sheet,) = read(examples.invoice(company_of(people.bakery)))
    assert isinstance(sheet.facts, Invoice)
    keys = set()
    for last in "ab":
        paper = replace(sheet.facts, number="9" * 300 + last)
        classification = classify(ParsedDocument(sheet.media_type, b"", paper), "0" * 64)[0]
        assert len(classification.natural_key) == 200
        assert classification.number == "9" * 100
        keys.add(classification.natural_key)
    assert len(keys) == 2


def test_two_cards_of_one_reference_have_two_names_on_the_wire() -> None:
    paper = CardStatement(
        "Bank A", Party("X", "0010000034"), "AB 12/34", "2026-03", "EUR", (), Decimal(0)
    )
    names = {classify(ParsedDocument("x", b"", paper), digit * 64)[0].public_id for digit in "ab"}
    assert names == {"CARO-202603-AB1234-aaaaaaaa", "CARO-202603-AB1234-bbbbbbbb"}


def test_an_amount_beyond_the_table_is_refused(people: Cast) -> None:
    (sheet,) = read(examples.invoice(company_of(people.bakery)))
    assert isinstance(sheet.facts, Invoice)
    paper = replace(sheet.facts, payable=Decimal(10) ** 15)
    with pytest.raises(Refused) as refused:
        classify(ParsedDocument(sheet.media_type, b"", paper), "0" * 64)
    assert refused.value.reason == Reason.FIELD


# --- whose ---------------------------------------------------------------------------------------


def test_an_account_is_learnt_from_the_first_file_that_names_the_company(people: Cast) -> None:
    company = company_of(people.bakery)
    take_files({"first.cod": examples.statement(company)})
    account = Account.objects.get(iban=company.iban)
    assert (account.client, account.learnt) == (people.bakery, True)
    # The second file names nobody any more.
    nameless = examples.statement(replace(company, number=" " * 10), 2)
    unnamed = read(nameless)[0].facts
    assert isinstance(unnamed, BankStatement)
    assert unnamed.holder.company_number == ""
    taken = take_files({"second.cod": nameless})
    assert taken.filed[BANK] == 1
    assert len(filed(people.bakery)) == 2


def test_a_registered_account_comes_before_the_number_in_the_header(people: Cast) -> None:
    company = company_of(people.bakery)
    butcher = factories.make_client(people.janssens, "Slagerij")
    factories.make_account(butcher, company.iban)
    take_files({"a.cod": examples.statement(company)})
    assert len(filed(butcher)) == 1
    assert not filed(people.bakery)


def test_a_statement_of_nobody_waits_with_the_reason(people: Cast) -> None:
    company = replace(company_of(people.bakery), number=" " * 10)
    taken = take_files({"a.cod": examples.statement(company)})
    assert [refused.reason for _name, refused in taken.refused] == [Reason.UNKNOWN_ACCOUNT]
    stranger = replace(company, number=factories.company_number())
    taken = take_files({"b.cod": examples.statement(stranger)})
    assert [refused.reason for _name, refused in taken.refused] == [Reason.UNKNOWN_COMPANY]
    assert not Account.objects.filter(iban=company.iban).exists()


def test_an_archived_company_gets_nothing_and_its_account_can_be_learnt_anew(people: Cast) -> None:
    company = company_of(people.bakery)
    take_files({"a.cod": examples.statement(company)})
    people.bakery.archive(people.anna, "stopped")
    taken = take_files({"b.cod": examples.statement(company, 2)})
    assert [refused.reason for _name, refused in taken.refused] == [Reason.UNKNOWN_COMPANY]
    again = factories.make_client(people.peeters, company_number=company.number)
    assert take_files({"b.cod": examples.statement(company, 2)}).filed[BANK] == 1
    confirmed = Account.objects.get(iban=company.iban, confirmed_at__isnull=False)
    assert confirmed.client == again
    assert (len(filed(people.bakery)), len(filed(again))) == (1, 1)


def test_an_invoice_between_two_clients_is_a_sale_of_one_and_a_purchase_of_the_other(
    people: Cast,
) -> None:
    company = company_of(people.bakery)
    other = invoice_of(examples.invoice(company)).supplier.company_number
    supplier = factories.make_client(people.peeters, "Leverancier", company_number=other)
    data = examples.invoice(company)
    taken = take_files({"a.xml": data})
    assert taken.filed == {BOUGHT: 1, SOLD: 1}
    assert [f.kind for f in filed(people.bakery)] == [BOUGHT]
    assert [f.kind for f in filed(supplier)] == [SOLD]
    # Each shows its own side: the other one.
    assert filed(people.bakery)[0].counterparty == invoice_of(data).supplier.name
    assert filed(supplier)[0].counterparty == people.bakery.name
    supplier.archived_at = timezone.now()
    supplier.save()


def test_an_invoice_of_strangers_is_refused_and_tells_no_office_of_it(people: Cast) -> None:
    stranger = replace(company_of(people.bakery), number=factories.company_number())
    taken = take_files({"a.xml": examples.invoice(stranger)})
    assert [refused.reason for _name, refused in taken.refused] == [Reason.UNKNOWN_COMPANY]
    assert not filed(people.bakery)


def test_one_file_of_two_companies_is_two_documents(people: Cast) -> None:
    butcher = factories.make_client(people.peeters, "Slagerij")
    both = examples.together(
        examples.statement(company_of(people.bakery)), examples.statement(company_of(butcher))
    )
    taken = take_files({"both.cod": both})
    assert taken.filed[BANK] == 2
    assert len(filed(people.bakery)) == len(filed(butcher)) == 1


def test_a_part_without_a_place_waits_with_its_file_and_is_filed_by_a_replay(people: Cast) -> None:
    number = factories.company_number()
    stranger = replace(company_of(people.bakery), number=number)
    both = examples.together(
        examples.statement(stranger), examples.statement(company_of(people.bakery))
    )
    taken = take_files({"both.cod": both})
    assert taken.filed[BANK] == 1
    assert [name for name, _refused in taken.refused] == ["both.cod#1"]
    waiting = QuarantinedFile.objects.get(sha256=hashlib.sha256(both).hexdigest())
    assert (waiting.name, waiting.size, waiting.tries) == ("both.cod#1", len(both), 1)
    newcomer = factories.make_client(people.peeters, company_number=number)
    assert replay(waiting)
    assert (len(filed(newcomer)), len(filed(people.bakery))) == (1, 1)
    waiting.refresh_from_db()
    assert waiting.state == "filed"


def test_random_papers_are_filed_under_the_company_they_name(people: Cast) -> None:
    rng = random.Random(6)
    clients = [people.bakery, *(factories.make_client(people.peeters) for _ in range(4))]
    companies = {client: company_of(client) for client in clients}
    files: dict[str, bytes] = {}
    owed: dict[Client, set[str]] = {client: set() for client in clients}
    for place in range(40):
        client = rng.choice(clients)
        company, number = companies[client], f"N{place}"
        data = [
            examples.statement(company, place + 1),
            examples.payroll(company, place),
            examples.card(company, place),
            examples.invoice(company, number, seed=place),
            examples.invoice(company, number, bought=False, seed=place),
        ][rng.randrange(5)]
        files[f"{place}.dat"] = data
        owed[client].add(hashlib.sha256(data).hexdigest())
    take_files(files)
    for client in clients:
        assert {f.sha256 for f in filed(client)} == owed[client]


def test_an_invoice_without_numbers_says_so() -> None:
    from documents.ingest.owners import Owners

    paper = Invoice(
        "1", False, examples.DAY, None, "EUR", Party("A"), Party("B"), (), (), *(Decimal(1),) * 3
    )
    with pytest.raises(Refused, match="names no company"):
        Owners().owned(classify(ParsedDocument("application/xml", b"", paper), "0" * 64))
