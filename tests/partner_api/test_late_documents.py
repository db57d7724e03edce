"""What became readable in a window comes with what arrived in it (connect-api section 10)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from clients.models import Client
from consents.models import Consent, SharingGap
from consents.scope import ScopeChange, change_scope
from core.clock import database_time
from core.document_kinds import Kind
from documents.models import IngestBatch
from partners.models import Partner
from tests import factories
from tests.conftest import Cast, Software
from tests.factories import acting, allow, terms_in_force

pytestmark = pytest.mark.requirement(117)

BANK, SALES = "bankAccountStatement", "salesInvoice"


@pytest.fixture
def reader(people: Cast, ledgerly: Software) -> Software:
    allow(people.consent, people.anna)
    return ledgerly


def scope(people: Cast, consent: Consent | None = None, **change: Any) -> None:
    consent = consent or people.fresh()
    change_scope(consent, acting(people.anna), ScopeChange(**change), terms_in_force())


class Poller:
    """The recipe: the last `to` is the next `from`."""

    def __init__(self, software: Software, people: Cast, *clients: Client) -> None:
        self.software, self.people = software, people
        self.numbers = [client.company_number for client in clients]
        self.start: str | None = None

    def poll(self, **attributes: Any) -> list[str]:
        ids, end = self.window(self.start, **attributes)
        self.start = end
        return ids

    def window(
        self, start: str | None, limit: int = 1000, **attributes: Any
    ) -> tuple[list[str], str]:
        found: list[str] = []
        after: str | None = None
        while True:
            body = self.software.search(
                self.people.janssens,
                self.numbers,
                meta={"paging": {"limit": limit, "after": after}},
                **{"from": start, **attributes},
            ).json()
            found += [document["id"] for document in body["included"]["documents"]]
            attributes["to"] = body["data"]["attributes"]["to"]
            after = body["meta"]["paging"].get("after")
            if after is None:
                return found, attributes["to"]


def arrives(client: Client, **fields: Any) -> str:
    return str(factories.make_document(client, **fields).uuid)


def test_a_company_that_is_shared_again_brings_what_arrived_meanwhile(
    people: Cast, reader: Software
) -> None:
    poller = Poller(reader, people, people.bakery)
    before = arrives(people.bakery)
    assert poller.poll() == [before]
    scope(people, clients_out=(people.bakery.pk,))
    meanwhile = [arrives(people.bakery) for _ in "12"]
    assert poller.poll() == []
    in_the_gap = poller.start
    scope(people, clients_in=(people.bakery.pk,))
    after = arrives(people.bakery)
    assert poller.poll() == [*meanwhile, after]
    assert poller.poll() == []
    # A window in the past gives what arrived in it and is readable now.
    assert poller.window(None, to=in_the_gap)[0] == [before, *meanwhile]


def test_a_company_that_moves_in_brings_its_documents_of_two_years(
    people: Cast, reader: Software
) -> None:
    guest = factories.make_client(people.peeters)
    old = arrives(guest, available_at=datetime.now(UTC) - timedelta(days=300))
    arrives(guest, available_at=datetime.now(UTC) - timedelta(days=3000))
    poller = Poller(reader, people, guest, people.bakery)
    assert poller.poll() == []
    factories.transfer(guest, people.chloe, people.janssens, people.anna)
    assert poller.poll() == [old]
    factories.transfer(guest, people.anna, people.peeters, people.chloe)
    away = arrives(guest)
    assert poller.poll() == []
    factories.transfer(guest, people.chloe, people.janssens, people.anna)
    assert poller.poll() == [away]


def test_the_place_of_a_late_document_is_the_end_of_its_gap(people: Cast, reader: Software) -> None:
    other = factories.make_client(people.janssens)
    poller = Poller(reader, people, people.bakery, other)
    scope(people, clients_out=(people.bakery.pk,))
    late = [arrives(people.bakery) for _ in "123"]
    poller.poll()
    first = arrives(other)
    scope(people, clients_in=(people.bakery.pk,))
    last = arrives(people.bakery)
    for limit in (1, 2, 3, 4, 5, 1000):
        assert poller.window(poller.start, limit)[0] == [first, *late, last]


def test_a_kind_that_is_shared_again_in_a_large_office(people: Cast, reader: Software) -> None:
    """Many companies are one list in the order of arrival, whatever each one's own gap is."""
    companies = [factories.make_client(people.janssens) for _ in range(70)]
    poller = Poller(reader, people, *companies)
    # The software keeps one `from` for all kinds.
    poller.poll(documentType=BANK)
    scope(people, kinds_out=(SALES,))
    scope(people, clients_out=(companies[3].pk, companies[4].pk))
    late = [arrives(company, kind=Kind.SALES_INVOICE) for company in companies]
    poller.poll(documentType=BANK)
    scope(people, clients_in=(companies[3].pk,))
    scope(people, kinds_in=(SALES,))
    found, _end = poller.window(poller.start, documentType=SALES, limit=9)
    assert found == [uuid for uuid in late if uuid != late[4]]
    poller.poll(documentType=SALES)
    scope(people, clients_in=(companies[4].pk,))
    assert poller.poll(documentType=SALES) == [late[4]]


def test_a_gap_of_the_company_and_one_of_the_kind_are_one_gap(
    people: Cast, reader: Software
) -> None:
    poller = Poller(reader, people, people.bakery)
    poller.poll()
    scope(people, clients_out=(people.bakery.pk,))
    late = arrives(people.bakery)
    scope(people, kinds_out=(BANK,))
    scope(people, clients_in=(people.bakery.pk,))
    poller.poll(documentType=SALES)
    scope(people, kinds_in=(BANK,))
    assert poller.poll() == [late]


def test_what_was_left_out_before_the_consent_was_given(people: Cast, ledgerly: Software) -> None:
    early = arrives(people.bakery)
    scope(people, people.consent, clients_out=(people.bakery.pk,))
    allow(people.consent, people.anna)
    poller = Poller(ledgerly, people, people.bakery)
    assert poller.poll() == []
    scope(people, clients_in=(people.bakery.pk,))
    assert poller.poll() == [early]


def test_a_new_consent_that_shares_more_than_the_one_before(people: Cast, reader: Software) -> None:
    poller = Poller(reader, people, people.bakery)
    scope(people, clients_out=(people.bakery.pk,))
    late = arrives(people.bakery)
    assert poller.poll() == []
    people.fresh().cancel(acting(people.anna))
    factories.make_allowed(people.janssens, people.ledgerly, people.anna)
    assert poller.poll() == [late]


def test_a_new_consent_after_a_cancel_needs_no_gap(people: Cast, reader: Software) -> None:
    poller = Poller(reader, people, people.bakery)
    first = arrives(people.bakery)
    assert poller.poll() == [first]
    people.fresh().cancel(acting(people.anna))
    meanwhile = arrives(people.bakery)
    factories.make_allowed(people.janssens, people.ledgerly, people.anna)
    assert poller.poll() == [meanwhile]
    assert not SharingGap.objects.filter(office=people.janssens).exists()


def test_where_new_companies_stay_out(people: Cast, reader: Software) -> None:
    scope(people, new_clients=False)
    fresh = factories.make_client(people.janssens)
    poller = Poller(reader, people, people.bakery, fresh)
    late, shared = arrives(fresh), arrives(people.bakery)
    assert poller.poll() == [shared]
    scope(people, clients_in=(fresh.pk,), new_clients=True)
    assert poller.poll() == [late]


def test_an_archived_company_that_comes_back_brings_nothing_twice(
    people: Cast, reader: Software
) -> None:
    poller = Poller(reader, people, people.bakery)
    first = arrives(people.bakery)
    assert poller.poll() == [first]
    people.bakery.archive(people.anna, "stops")
    assert poller.poll() == []
    people.bakery.restore(people.anna)
    assert poller.poll() == []


def test_a_batch_on_its_way_belongs_to_the_gap_of_a_kind(people: Cast, reader: Software) -> None:
    """Found by 1,000 histories: it came before the software lost the kind, and was seen after."""
    poller = Poller(reader, people, people.bakery)
    assert poller.poll() == []
    batch = IngestBatch.objects.create()
    before = database_time()
    register(people, [SALES])
    late = arrives(people.bakery, available_at=before)
    batch.delete()
    assert poller.poll(documentType=SALES) == []
    register(people, [BANK, SALES])
    assert poller.poll() == [late]
    assert poller.poll() == []


def register(people: Cast, kinds: list[str]) -> None:
    Partner.objects.filter(pk=people.ledgerly.pk).update(document_kinds=kinds)
