"""The list of changes of documents that are hidden for two reasons, or deleted while hidden."""

from __future__ import annotations

import pytest

from core.document_kinds import Kind
from core.row_security import every_office
from documents.ingest.visibility_horizon import horizon_held_back
from documents.models import Document
from documents.retention import delete_rows
from tests import factories
from tests.conftest import Cast, Software
from tests.factories import acting, allow
from tests.partner_api.test_document_changes import (
    Follower,
    arrives,
    ask,
    available,
    reader,
    scope,
    told,
    withdrawn,
)

__all__ = ["reader"]
pytestmark = pytest.mark.requirement(117)


def delete(*ids: str) -> None:
    """As the end of their retention does."""
    with horizon_held_back(), every_office():
        delete_rows(list(Document.objects.filter(uuid__in=ids).values_list("pk", flat=True)))


@pytest.mark.parametrize("companies", [1, 70])
def test_what_is_deleted_after_it_was_left_out_is_withdrawn_all_the_same(
    people: Cast, reader: Software, companies: int
) -> None:
    """Software that comes by later finds neither the document nor the moment it was left out."""
    others = [factories.make_client(people.janssens) for _ in range(companies - 1)]
    follower = Follower(reader, people)
    made = [arrives(client) for client in [people.bakery, *others] for _ in "123"]
    assert follower.follow(limit=50) == available(*made)
    scope(people, kinds_out=("bankAccountStatement",))
    delete(made[1])
    assert follower.follow(limit=2) == withdrawn(*made)
    scope(people, kinds_in=("bankAccountStatement",))
    assert follower.follow(limit=2) == available(*(one for one in made if one != made[1]))


def test_a_cursor_goes_on_where_its_document_left_and_was_deleted(
    people: Cast, reader: Software
) -> None:
    follower = Follower(reader, people)
    made = [arrives(people.bakery) for _ in "123"]
    assert follower.follow() == available(*made)
    factories.transfer(people.bakery, people.anna, people.peeters, people.chloe)
    page = ask(reader, people, after=follower.after, limit=2).json()
    assert [told(change) for change in page["data"]] == withdrawn(*made[:2])
    follower.after = page["meta"]["paging"]["after"]
    delete(made[1])
    assert follower.follow() == withdrawn(made[2])


def register(people: Cast, *kinds: str) -> None:
    people.ledgerly.document_kinds = list(kinds)
    people.ledgerly.save()


def test_a_kind_that_is_hidden_twice_comes_back_once(people: Cast, reader: Software) -> None:
    """Left out by the office and taken away by an operator: both must give it back."""
    follower = Follower(reader, people)
    ours = arrives(people.bakery, kind=Kind.SALES_INVOICE)
    assert follower.follow() == available(ours)
    every_kind = people.ledgerly.document_kinds
    scope(people, kinds_out=("salesInvoice",))
    register(people, "bankAccountStatement")
    scope(people, kinds_in=("salesInvoice",))
    assert follower.follow() == withdrawn(ours)
    register(people, *every_kind)
    assert follower.follow() == available(ours)


def test_a_kind_that_was_taken_away_stays_so_under_a_new_consent(
    people: Cast, reader: Software
) -> None:
    follower = Follower(reader, people)
    ours = arrives(people.bakery, kind=Kind.SALES_INVOICE)
    assert follower.follow() == available(ours)
    every_kind = people.ledgerly.document_kinds
    people.fresh().cancel(acting(people.anna))
    register(people, "bankAccountStatement")
    allow(factories.make_request(people.janssens, people.ledgerly), people.anna)
    register(people, *every_kind)
    assert follower.follow() == [*withdrawn(ours), *available(ours)]
