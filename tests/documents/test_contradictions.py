"""A file whose account and company do not belong together waits, with both sides, for operators."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from clients.models import Account, Client
from core.row_security import every_office
from demo.data.books import Company
from documents.formats import Reason
from documents.models import DocumentDetails, QuarantinedFile
from tests import factories
from tests.backoffice.test_operators import proven
from tests.conftest import Cast
from tests.documents import examples
from tests.documents.examples import company_of, take_files

pytestmark = pytest.mark.requirement(103)


@pytest.fixture
def company(people: Cast) -> Company:
    """The bakery of Janssens, with an account that the portal has not seen yet."""
    return company_of(people.bakery)


@pytest.fixture
def butcher(people: Cast) -> Client:
    return factories.make_client(people.peeters, "Slagerij")


def filed(client: Client) -> int:
    with every_office():
        return DocumentDetails.objects.filter(client=client).count()


def claim(client: Client, iban: str, *, contested: bool = False) -> Account:
    return Account.objects.create(client=client, iban=iban, contested=contested)


def refused(files: dict[str, bytes]) -> list[Reason]:
    return [refused.reason for _name, refused in take_files(files).refused]


def nameless(company: Company, number: int = 1) -> bytes:
    return examples.statement(replace(company, number=" " * 10), number)


@pytest.mark.parametrize("have", [factories.make_account, claim])
def test_an_account_of_another_office_never_beats_the_company_that_the_file_names(
    people: Cast, company: Company, butcher: Client, have: Callable[[Client, str], Account]
) -> None:
    have(butcher, company.iban)
    assert refused({"a.cod": examples.statement(company)}) == [Reason.CONTRADICTION]
    assert (filed(people.bakery), filed(butcher)) == (0, 0)


def test_dirk_sees_both_sides_of_a_contradiction(
    people: Cast, company: Company, butcher: Client
) -> None:
    claim(butcher, company.iban)
    data = examples.statement(company, 7)
    take_files({"a.cod": data})
    waiting = QuarantinedFile.objects.latest("pk")
    dirk = proven(people.dirk)
    for page in ("", f"{waiting.pk}/change/"):
        text = dirk.get(f"/admin/documents/quarantinedfile/{page}").content.decode()
        for client in (people.bakery, butcher):
            assert f"{client.company_number} ({client.office.name})" in text
        assert company.iban in text


def test_an_account_that_is_confirmed_stays_with_its_company_whoever_claims_it(
    people: Cast, company: Company, butcher: Client
) -> None:
    take_files({"first.cod": examples.statement(company)})
    claim(butcher, company.iban, contested=True)
    taken = take_files({"a.cod": examples.statement(company, 2), "b.cod": nameless(company, 3)})
    assert taken.filed.total() == 2
    assert (filed(people.bakery), filed(butcher)) == (3, 0)


def test_an_account_that_one_office_claims_counts_where_the_file_names_nobody(
    people: Cast, company: Company, butcher: Client
) -> None:
    account = claim(people.bakery, company.iban)
    assert take_files({"a.cod": nameless(company)}).filed.total() == 1
    account.refresh_from_db()
    assert account.confirmed_at is None, "a file that names nobody proves nothing"
    stranger = replace(company, number=factories.company_number())
    assert refused({"b.cod": examples.statement(stranger, 2)}) == [Reason.CONTRADICTION]
    claim(butcher, company.iban)
    assert refused({"c.cod": nameless(company, 3)}) == [Reason.CONTRADICTION]
    Account.objects.filter(client=butcher).delete()
    Account.objects.filter(pk=account.pk).update(contested=True)
    assert refused({"c.cod": nameless(company, 3)}) == [Reason.CONTRADICTION]
    assert filed(people.bakery) == 1


def test_the_first_file_that_names_both_confirms_the_company_and_its_account(
    people: Cast, company: Company
) -> None:
    newcomer = factories.make_client(people.peeters, confirmed_at=None)
    ours = replace(company, number=newcomer.company_number)
    account = claim(newcomer, ours.iban)
    assert take_files({"a.cod": examples.statement(ours)}).filed.total() == 1
    newcomer.refresh_from_db()
    account.refresh_from_db()
    assert newcomer.confirmed_at
    assert account.confirmed_at
    assert [event.kind for event in newcomer.events.all()] == ["confirmed"]


def test_a_number_that_two_offices_claim_waits(people: Cast) -> None:
    number = factories.company_number()
    rivals = [
        factories.make_client(office, company_number=number, confirmed_at=None)
        for office in (people.janssens, people.peeters)
    ]
    data = examples.payroll(replace(company_of(people.bakery), number=number), factories.unique())
    assert refused({"a.xml": data}) == [Reason.CONTRADICTION]
    Client.objects.filter(pk=rivals[0].pk).update(confirmed_at=rivals[0].created_at)
    assert refused({"a.xml": data}) == []
    assert [filed(rival) for rival in rivals] == [1, 0]


def test_a_claim_that_was_made_while_another_office_had_the_number_waits(people: Cast) -> None:
    late = factories.make_client(people.peeters, confirmed_at=None, contested=True)
    data = examples.payroll(company_of(late), factories.unique())
    assert refused({"a.xml": data}) == [Reason.CONTRADICTION]
    assert filed(late) == 0


def test_an_invoice_that_names_one_side_twice_is_filed_for_the_other_and_waits(
    people: Cast, company: Company, butcher: Client
) -> None:
    """Its supplier has the number of one company and the VAT number of another one."""
    baker = factories.make_client(people.peeters, "Bakker")
    data = examples.invoice(company, f"N{factories.unique()}", bought=True)
    supplier = data[data.index(b"AccountingSupplierParty") : data.index(b"AccountingCustomerParty")]
    number = supplier[supplier.index(b'"0208">') + 7 :][:10]
    both = supplier.replace(number, butcher.company_number.encode()).replace(
        b"BE" + butcher.company_number.encode(), b"BE " + baker.company_number.encode()
    )
    assert refused({"a.xml": data.replace(supplier, both)}) == [Reason.CONTRADICTION]
    assert [filed(client) for client in (people.bakery, butcher, baker)] == [1, 0, 0]


def test_one_account_of_two_companies_in_one_batch_is_the_first_ones(
    people: Cast, company: Company, butcher: Client
) -> None:
    """The second file contradicts the first, which nobody had filed yet."""
    theirs = replace(company, number=butcher.company_number)
    files = {"a.cod": examples.statement(company), "b.cod": examples.statement(theirs, 2)}
    assert refused(files) == [Reason.CONTRADICTION]
    assert (filed(people.bakery), filed(butcher)) == (1, 0)


def test_a_later_file_of_a_batch_is_filed_by_what_an_earlier_one_proves(
    people: Cast, company: Company
) -> None:
    files = {"a.cod": examples.statement(company), "b.cod": nameless(company, 2)}
    assert take_files(files).filed.total() == 2
    assert filed(people.bakery) == 2
