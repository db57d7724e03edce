"""Dirk decides who has an enterprise number or a bank account that several offices claim."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry

from backoffice.models.support_access import AccessedRecord, SupportAccess
from clients.admins import Outdated
from clients.models import Account, Client, Transfer
from core.row_security import every_office
from documents.ingest.pipeline import replay
from documents.models import DocumentDetails, QuarantinedFile
from tests import factories
from tests.backoffice.test_operators import proven
from tests.conftest import Cast
from tests.documents import examples
from tests.documents.examples import company_of, take_files

pytestmark = pytest.mark.requirement(103)

LISTS = {Account: "/admin/backoffice/accountclaim/", Client: "/admin/backoffice/companyclaim/"}


def settle(
    dirk: Any, claim: Account | Client, verdict: str, reason: str = "They sent proof"
) -> Any:
    path = f"{LISTS[type(claim)]}{claim.pk}/settle/"
    return dirk.post(path, {"verdict": verdict, "reason": reason}, follow=True)


def filed(client: Client) -> int:
    with every_office():
        return DocumentDetails.objects.filter(client=client).count()


def kinds(client: Client) -> list[str]:
    return [event.kind for event in client.events.order_by("pk")]


@pytest.fixture
def rival(people: Cast) -> Client:
    """What Peeters claims: the number of the bakery."""
    return Client.objects.add(
        people.peeters,
        people.chloe,
        company_number=people.bakery.company_number,
        name="Rival",
        code=f"R{factories.unique()}",
    )


def test_dirk_confirms_a_claim_and_the_file_that_waited_is_filed(people: Cast) -> None:
    company = company_of(people.bakery)
    butcher = factories.make_client(people.peeters, "Slagerij")
    claim = butcher.register_account(people.chloe, company.iban)
    take_files({"a.cod": examples.statement(company)})
    waiting = QuarantinedFile.objects.latest("pk")
    dirk = proven(people.dirk)
    page = dirk.get(f"{LISTS[Account]}{claim.pk}/settle/").content.decode()
    assert f"/admin/documents/quarantinedfile/{waiting.pk}/change/" in page
    assert people.bakery.company_number in page
    settle(dirk, claim, "confirm", "")
    claim.refresh_from_db()
    assert claim.confirmed_at is None, "never without a reason"
    settle(dirk, claim, "refuse")
    assert not Account.objects.filter(pk=claim.pk).exists()
    assert kinds(butcher) == ["account_registered", "account_refused"]
    assert replay(waiting)
    assert (filed(people.bakery), filed(butcher)) == (1, 0)


def test_dirk_gives_an_account_to_the_company_that_claims_it(people: Cast) -> None:
    company = company_of(people.bakery)
    take_files({"a.cod": examples.statement(company)})
    butcher = factories.make_client(people.peeters, "Slagerij")
    claim = butcher.register_account(people.chloe, company.iban)
    assert claim.contested
    settle(proven(people.dirk), claim, "confirm")
    before = people.bakery.accounts.get()
    claim.refresh_from_db()
    assert claim.confirmed_at
    assert (before.confirmed_at, before.contested) == (None, True)
    assert kinds(people.bakery) == ["account_contested"]
    assert kinds(butcher)[-1] == "account_confirmed"
    entry = LogEntry.objects.get(object_id=str(claim.pk), user=people.dirk)
    assert entry.change_message == "Confirmed: They sent proof"


def test_dirk_gives_a_number_to_the_office_that_claims_it(people: Cast, rival: Client) -> None:
    company = company_of(people.bakery)
    take_files({"a.cod": examples.statement(company)})
    dirk = proven(people.dirk)
    page = dirk.get(f"{LISTS[Client]}{rival.pk}/settle/").content.decode()
    for office in (people.janssens, people.peeters):
        assert office.name in page
        seen = SupportAccess.objects.filter(office=office, accessed=AccessedRecord.COMPANY)
        assert seen.get().operator == people.dirk
    settle(dirk, rival, "confirm")
    people.bakery.refresh_from_db()
    rival.refresh_from_db()
    assert (people.bakery.confirmed_at, people.bakery.contested) == (None, True)
    assert (bool(rival.confirmed_at), rival.contested) == (True, False)
    assert not Account.objects.exclude(confirmed_at=None).filter(iban=company.iban).exists()
    assert kinds(people.bakery) == ["contested"]
    assert kinds(rival) == ["added", "confirmed"]
    take_files({"b.cod": examples.statement(company, 2)})
    assert (filed(people.bakery), filed(rival)) == (1, 1)


def test_dirk_refuses_a_claim_and_it_does_not_come_back_by_itself(
    people: Cast, rival: Client
) -> None:
    dirk = proven(people.dirk)
    settle(dirk, rival, "refuse")
    rival.refresh_from_db()
    assert rival.archived_at
    rival.restore(people.chloe)
    people.bakery.archive(people.anna, "stopped")
    take_files({"a.xml": examples.payroll(company_of(people.bakery), factories.unique())})
    assert (filed(people.bakery), filed(rival)) == (0, 0)
    assert kinds(rival) == ["added", "refused", "restored"]


def test_nothing_that_is_no_claim_any_more_is_settled(people: Cast, rival: Client) -> None:
    dirk = proven(people.dirk)
    assert settle(dirk, people.bakery, "refuse").status_code == 404, "no claim, so no page"
    account = rival.register_account(people.chloe, company_of(rival).iban)
    assert "Nothing was changed" in settle(dirk, account, "confirm").content.decode()
    Transfer.objects.ask(rival, people.chloe, people.janssens)
    with pytest.raises(Outdated):
        rival.refuse(people.dirk)
    people.bakery.refresh_from_db()
    assert people.bakery.confirmed_at
    assert people.bakery.archived_at is None


def test_dirk_finds_a_claim_by_a_number_as_people_write_it(people: Cast, rival: Client) -> None:
    account = people.bakery.register_account(people.anna, company_of(people.bakery).iban)
    dirk, number = proven(people.dirk), rival.company_number
    spelled = f"BE {number[:4]}.{number[4:7]}.{number[7:]}"
    for path, words, found in (
        (LISTS[Client], spelled, 1),
        (LISTS[Account], spelled, 1),
        (LISTS[Account], f"{account.iban[:4]} {account.iban[4:]}".lower(), 1),
    ):
        result = dirk.get(path, {"q": words}).context["cl"]
        assert result.result_count == found, (path, words)
    contested = dirk.get(LISTS[Client], {"q": number, "contested__exact": "1"}).context["cl"]
    assert [one.pk for one in contested.result_list] == [rival.pk]
