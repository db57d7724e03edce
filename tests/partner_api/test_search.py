"""connect-api section 5: document search, over real HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from documents.models import Kind
from tests import factories
from tests.conftest import Cast, Software
from tests.partner_api.answers import T0, ids, iso


def test_the_answer_has_the_shape_clients_expect(people: Cast, reader: Software) -> None:
    document = factories.make_document(
        people.bakery, attributes={"iban": "BE00 é"}, available_at=T0
    )
    number = people.bakery.company_number
    answer = reader.search(people.janssens, [number], meta={"paging": {"limit": 50}})
    assert answer.headers["Content-Type"] == "application/vnd.api+json"
    body = answer.json()
    attributes = body["data"].pop("attributes")
    assert attributes["documentType"] == "bankAccountStatement"
    assert attributes["from"].endswith("Z")
    assert attributes["to"].endswith("Z")
    assert len(body["data"].pop("id")) == 36
    resource = {
        "type": "bankAccountStatement",
        "id": str(document.uuid),
        "attributes": {"iban": "BE00 é", "createdAt": T0.strftime("%Y-%m-%dT%H:%M:%S.000Z")},
        "relationships": {"client": {"data": {"type": "client", "id": number}}},
    }
    assert body == {
        "data": {
            "type": "documentSearch",
            "relationships": {
                "clients": {"data": [{"type": "client", "id": number}]},
                "documents": {"data": [{"type": "bankAccountStatement", "id": resource["id"]}]},
            },
        },
        "included": {"documents": [resource]},
        "meta": {"paging": {"limit": 50}},
    }
    read = reader.document(people.janssens, number, document.uuid)
    assert read.json() == {"data": resource}


def test_nothing_found_is_an_empty_list_in_an_object(people: Cast, reader: Software) -> None:
    answer = reader.search(people.janssens, [people.bakery.company_number]).json()
    assert answer["included"] == {"documents": []}
    assert "after" not in answer["meta"]["paging"]
    assert answer["meta"]["paging"]["limit"] == 100


def test_the_window_is_half_open(people: Cast, reader: Software) -> None:
    made = factories.make_documents(people.bakery, [T0 + timedelta(hours=n) for n in range(4)])
    number = people.bakery.company_number
    window = {"from": iso(T0 + timedelta(hours=1)), "to": iso(T0 + timedelta(hours=3))}
    found = reader.search(people.janssens, [number], **window)
    assert ids(found) == [str(document.uuid) for document in made[1:3]]
    empty = {"from": iso(T0), "to": iso(T0)}
    assert ids(reader.search(people.janssens, [number], **empty)) == []


def test_seven_decimals_and_offsets_are_read(people: Cast, reader: Software) -> None:
    moment = T0 + timedelta(microseconds=123456)
    document = factories.make_document(people.bakery, available_at=moment)
    number = people.bakery.company_number
    stamp = moment.strftime("%Y-%m-%dT%H:%M:%S.%f")
    assert ids(reader.search(people.janssens, [number], **{"from": f"{stamp}7Z"})) == [
        str(document.uuid)
    ]
    assert ids(reader.search(people.janssens, [number], to=f"{stamp}0+00:00")) == []


def test_the_last_end_is_the_next_beginning(people: Cast, reader: Software) -> None:
    number = people.bakery.company_number
    first = factories.make_document(people.bakery)
    one = reader.search(people.janssens, [number])
    seen = ids(one)
    end = one.json()["data"]["attributes"]["to"]
    second = factories.make_document(people.bakery)
    seen += ids(reader.search(people.janssens, [number], **{"from": end}))
    assert seen == [str(first.uuid), str(second.uuid)]


def test_an_end_in_the_future_is_cut_to_now(people: Cast, reader: Software) -> None:
    number = people.bakery.company_number
    future = iso(datetime.now(UTC) + timedelta(days=9))
    answer = reader.search(people.janssens, [number], to=future)
    ends = datetime.fromisoformat(answer.json()["data"]["attributes"]["to"])
    assert ends <= datetime.now(UTC)


def test_older_than_two_years_is_not_searched(people: Cast, reader: Software) -> None:
    old = datetime.now(UTC) - timedelta(days=800)
    factories.make_document(people.bakery, available_at=old)
    number = people.bakery.company_number
    answer = reader.search(people.janssens, [number], **{"from": iso(old)})
    assert ids(answer) == []
    begins = datetime.fromisoformat(answer.json()["data"]["attributes"]["from"])
    assert timedelta(days=729) < datetime.now(UTC) - begins < timedelta(days=732)


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
@pytest.mark.parametrize("by_last_id", [True, False])
def test_paging_gives_each_document_once_in_order(
    people: Cast, reader: Software, limit: int, by_last_id: bool
) -> None:
    same = [T0, T0, T0, T0 + timedelta(microseconds=1), T0 + timedelta(microseconds=2)]
    made = factories.make_documents(
        people.bakery, [*same, *(T0 + timedelta(hours=n) for n in (1, 2))]
    )
    number = people.bakery.company_number
    seen: list[str] = []
    after = None
    for _ in range(20):
        meta = {"paging": {"limit": limit, "after": after}}
        answer = reader.search(people.janssens, [number], meta=meta)
        assert ids(answer) == ids(reader.search(people.janssens, [number], meta=meta))
        seen += ids(answer)
        after = answer.json()["meta"]["paging"].get("after")
        if after is None:
            break
        if by_last_id:
            after = seen[-1]
    assert seen == [str(document.uuid) for document in made]


def test_a_cursor_still_works_when_its_client_left(people: Cast, reader: Software) -> None:
    leaving = factories.make_client(people.janssens, "Leaves")
    first = factories.make_document(leaving, available_at=T0)
    second = factories.make_document(people.bakery, available_at=T0 + timedelta(hours=1))
    numbers = [leaving.company_number, people.bakery.company_number]
    page = reader.search(people.janssens, numbers, meta={"paging": {"limit": 1}})
    assert ids(page) == [str(first.uuid)]
    leaving.office = people.peeters
    leaving.save()
    meta = {"paging": {"limit": 1, "after": page.json()["meta"]["paging"]["after"]}}
    assert ids(reader.search(people.janssens, numbers, meta=meta)) == [str(second.uuid)]


def test_foreign_and_unknown_clients_yield_nothing_and_are_listed(
    people: Cast, reader: Software
) -> None:
    foreign = factories.make_client(people.peeters)
    factories.make_document(foreign)
    asked = [foreign.company_number, "0762460580", "x", people.bakery.company_number]
    answer = reader.search(people.janssens, asked)
    assert ids(answer) == []
    assert answer.json()["meta"]["unknownClients"] == asked[:3]


def test_a_large_office_and_few_or_many_clients(people: Cast, reader: Software) -> None:
    others = [factories.make_client(people.janssens, f"C{n}") for n in range(140)]
    document = factories.make_document(people.bakery, available_at=T0)
    other = factories.make_document(others[5], available_at=T0 + timedelta(hours=1))
    few = reader.search(people.janssens, [people.bakery.company_number])
    assert ids(few) == [str(document.uuid)]
    everybody = [people.bakery.company_number, *(client.company_number for client in others)]
    both = [str(document.uuid), str(other.uuid)]
    assert ids(reader.search(people.janssens, everybody)) == both
    assert ids(reader.search(people.janssens, everybody[:30])) == both


def test_credit_card_statements_page_by_a_uuid_of_their_own(people: Cast, reader: Software) -> None:
    for n in range(3):
        factories.make_document(
            people.bakery,
            kind=Kind.CREDIT_CARD_STATEMENT,
            attributes={},
            public_id=f"CARD{people.bakery.pk}-{n}",
            available_at=T0 + timedelta(hours=n),
        )
    number = people.bakery.company_number
    page = reader.search(
        people.janssens, [number], meta={"paging": {"limit": 2}}, documentType="creditCardStatement"
    )
    after = page.json()["meta"]["paging"]["after"]
    assert len(after) == 36
    rest = reader.search(
        people.janssens,
        [number],
        meta={"paging": {"limit": 2, "after": after}},
        documentType="creditCardStatement",
    )
    assert [*ids(page), *ids(rest)] == [f"CARD{people.bakery.pk}-{n}" for n in range(3)]
