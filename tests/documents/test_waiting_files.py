"""What waits is shown to the office that it concerns: where, why, and what to do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone, translation
from django.utils.html import escape

from clients.models import Account, Client
from core.row_security import every_office
from documents.formats import Reason
from documents.formats.names import Named, named_in
from documents.models import Document, QuarantinedFile, QuarantineState
from documents.waiting_files import OWNERLESS, WORDS
from tests import factories
from tests.conftest import Cast
from tests.documents import examples
from tests.documents.examples import company_of, take_files
from tests.test_access_matrix import as_person


def wrong(data: bytes) -> bytes:
    """The same statement with another closing balance."""
    lines = data.split(b"\r\n")
    at = next(place for place, line in enumerate(lines) if line.startswith(b"8"))
    lines[at] = lines[at][:42] + b"000000000999999" + lines[at][57:]
    return b"\r\n".join(lines)


def home(people: Cast, who: Any) -> str:
    answer = as_person(who).get(f"/offices/{people.janssens.slug}")
    return str(answer.content.decode())


def waiting_page(people: Cast, who: Any) -> Any:
    return as_person(who).get(f"/offices/{people.janssens.slug}/waiting-files")


def company_page(people: Cast) -> str:
    path = f"/offices/{people.janssens.slug}/companies/{people.bakery.company_number}"
    return str(as_person(people.bram).get(path).content.decode())


def waiting(name: str) -> QuarantinedFile:
    return QuarantinedFile.objects.get(name=name, state=QuarantineState.WAITING)


DAMAGED = {
    "amounts that do not add up": ("wrong", Reason.TOTALS),
    "an end that is missing": ("cut", Reason.CUT_OFF),
}


@pytest.mark.requirement(119)
@pytest.mark.parametrize(("how", "reason"), DAMAGED.values(), ids=DAMAGED)
def test_anna_sees_a_statement_that_cannot_be_used(people: Cast, how: str, reason: Reason) -> None:
    data = examples.statement(company_of(people.bakery))
    name = f"{how}-{factories.unique()}.cod"
    take_files({name: wrong(data) if how == "wrong" else data[:-200]})
    assert waiting(name).reason == reason.value
    assert "/waiting-files" in home(people, people.anna)
    for words in (waiting_page(people, people.bram).content.decode(), company_page(people)):
        assert name in words
        assert str(WORDS[reason].reason) in words
        assert str(WORDS[reason].remedy) in words
        assert escape(people.bakery.name) in words


@pytest.mark.requirement(119)
@pytest.mark.parametrize("kind", ["bought.xml", "sold.xml", "wages.xml", "card.xml"])
def test_each_kind_names_its_company_though_its_end_is_missing(people: Cast, kind: str) -> None:
    data = examples.a_month(company_of(people.bakery))[kind]
    name = f"{factories.unique()}-{kind}"
    take_files({name: data[: int(len(data) * 0.8)]})
    assert waiting(name).reason == Reason.CUT_OFF.value
    assert name in company_page(people)


@pytest.mark.requirement(119)
def test_chloe_of_another_office_sees_nothing_of_it(people: Cast) -> None:
    name = f"{factories.unique()}.cod"
    take_files({name: wrong(examples.statement(company_of(people.bakery)))})
    answer = as_person(people.chloe).get(f"/offices/{people.peeters.slug}/waiting-files")
    assert (answer.status_code, name in answer.content.decode()) == (200, False)
    assert waiting_page(people, people.chloe).status_code == 404
    path = f"/offices/{people.peeters.slug}/waiting-files/{waiting(name).sha256}"
    assert as_person(people.chloe).post(path).status_code == 404


def test_what_only_mentions_a_company_is_not_shown_to_it(people: Cast) -> None:
    """A number in a communication says nothing about the owner."""
    company = replace(company_of(people.bakery), number=factories.company_number())
    data = examples.statement(company).replace(b"Huur", people.bakery.company_number.encode()[:4])
    assert named_in(data).numbers == {company.number}
    invoice = examples.invoice(company)
    more = f"<cbc:Note>{people.bakery.company_number}</cbc:Note><cbc:DocumentCurrencyCode"
    noted = invoice.replace(b"<cbc:DocumentCurrencyCode", more.encode(), 1)
    assert people.bakery.company_number not in named_in(noted).numbers
    assert company.number in named_in(noted).numbers


def test_a_file_with_an_account_of_another_office_is_for_operators(people: Cast) -> None:
    company = company_of(people.bakery)
    other = factories.make_client(people.peeters, "Slagerij")
    Account.objects.create(client=other, iban=company.iban, confirmed_at=timezone.now())
    name, contradiction = (f"{factories.unique()}.cod" for _file in range(2))
    whole = examples.statement(company)
    take_files({name: wrong(whole), contradiction: whole})
    assert waiting(contradiction).reason == Reason.CONTRADICTION.value
    for words in (company_page(people), waiting_page(people, people.anna).content.decode()):
        assert name not in words
        assert contradiction not in words


def test_a_number_that_two_offices_claim_shows_its_files_to_none(people: Cast) -> None:
    number = factories.company_number()
    for office in (people.janssens, people.peeters):
        client = factories.make_client(office, "Wie?", company_number=number, confirmed_at=None)
        assert client.confirmed_at is None
    name = f"{factories.unique()}.cod"
    data = examples.statement(replace(company_of(people.bakery), number=number))
    take_files({name: wrong(data)})
    assert name not in waiting_page(people, people.anna).content.decode()


def test_bram_says_that_a_file_is_theirs_and_it_is_filed(people: Cast) -> None:
    """The company came to the office after its file."""
    number = factories.company_number()
    name = f"{factories.unique()}.cod"
    data = examples.statement(replace(company_of(people.bakery), number=number))
    take_files({name: data})
    assert name not in waiting_page(people, people.bram).content.decode()
    newcomer: Client = factories.make_client(people.janssens, "Nieuw", company_number=number)
    file = waiting(name)
    path = f"/offices/{people.janssens.slug}/waiting-files"
    assert f"{path}/{file.sha256}" in waiting_page(people, people.bram).content.decode()
    bram = as_person(people.bram)
    first, again = (bram.post(f"{path}/{file.sha256}") for _press in range(2))
    assert (first.status_code, first["Location"]) == (303, path)
    assert again.status_code in (303, 404)
    with every_office():
        assert Document.objects.filter(client=newcomer).count() == 1
    assert name not in waiting_page(people, people.bram).content.decode()


def test_a_file_that_cannot_be_used_has_no_such_button(people: Cast) -> None:
    name = f"{factories.unique()}.cod"
    take_files({name: wrong(examples.statement(company_of(people.bakery)))})
    words = waiting_page(people, people.bram).content.decode()
    assert f"/waiting-files/{waiting(name).sha256}" not in words


@pytest.mark.parametrize("language", ["nl", "fr", "de"])
def test_every_reason_has_words_in_each_language(language: str) -> None:
    assert set(WORDS) == set(Reason)
    assert set(Reason) >= OWNERLESS
    english = {str(part) for words in WORDS.values() for part in words}
    with translation.override(language):
        spoken = {str(part) for words in WORDS.values() for part in words}
    assert len(spoken) == len(english)
    assert not spoken & english


@pytest.mark.parametrize(
    "data",
    [
        b"", b"0", b"<", b"<a", b"\x00" * 500, b"<!DOCTYPE a [<!ENTITY b 'c'>]><Soda>&b;</Soda>",
        b"<a>" * 100_000, b"<Soda><Header><Employer>" + b"\xff" * 100, b"1" * 300, b"\xfe\xff\x00<",
        b"0" + b" " * 127 + b"\r\n1" + b"\xff" * 400,
    ],
)  # fmt: skip
def test_rubbish_names_nobody(data: bytes) -> None:
    assert named_in(data).numbers == frozenset()
    assert named_in(data).accounts == frozenset()


@pytest.mark.parametrize(
    "pack",
    [
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: b"\r\n\x1a\n" + data,
        lambda data: data.replace(b"\r\n", b""),
        lambda data: data.decode("latin-1").encode(),
        lambda data: data.removesuffix(b"\r\n") * 2,
    ],
    ids=["byte order mark", "blank lines", "no line ends", "UTF-8", "joined"],
)
def test_a_refused_statement_names_its_company_however_it_is_packed(
    people: Cast, pack: Any
) -> None:
    company = company_of(people.bakery)
    data = wrong(examples.statement(replace(company, name="Café Élysée")))
    names = named_in(pack(data))
    assert names == Named(
        frozenset({company.number}), frozenset({company.iban}), sender=company.bic
    )
