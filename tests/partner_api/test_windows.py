"""connect-api section 5: the window of a search, and pages while documents arrive."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db.models.functions import Now

from clients.models import Client
from documents.models import Document
from tests import factories
from tests.conftest import Cast, Software
from tests.partner_api.answers import T0, ids, iso


def test_the_window_is_echoed_in_the_offset_it_was_given_in(people: Cast, reader: Software) -> None:
    window = {"from": f"{T0:%Y-%m-%dT%H:%M:%S}+01:00", "to": f"{T0:%Y-%m-%dT%H:%M:%S}.5Z"}
    answer = reader.search(people.janssens, ["0762460580"], **window)
    echoed = answer.json()["data"]["attributes"]
    assert echoed["from"] == f"{T0:%Y-%m-%dT%H:%M:%S}.000+01:00"
    assert echoed["to"] == f"{T0:%Y-%m-%dT%H:%M:%S}.500Z"


def test_without_a_window_it_is_the_last_two_years(people: Cast, reader: Software) -> None:
    before = datetime.now(UTC)
    echoed = reader.search(people.janssens, ["0762460580"]).json()["data"]["attributes"]
    start, end = (datetime.fromisoformat(echoed[name]) for name in ("from", "to"))
    assert before - timedelta(seconds=1) <= end <= datetime.now(UTC)
    assert timedelta(days=730) <= end - start <= timedelta(days=731, seconds=1)


def test_two_windows_that_touch_give_each_document_once(people: Cast, reader: Software) -> None:
    step = timedelta(microseconds=1)
    made = factories.make_documents(people.bakery, [T0 - step, T0, T0 + step])
    number = people.bakery.company_number
    first = reader.search(people.janssens, [number], to=iso(T0))
    second = reader.search(people.janssens, [number], **{"from": iso(T0)})
    assert ids(first) == [str(made[0].uuid)]
    assert ids(second) == [str(document.uuid) for document in made[1:]]


def test_a_window_that_is_to_come_or_long_past_is_empty(people: Cast, reader: Software) -> None:
    factories.make_document(people.bakery, available_at=T0)
    number = people.bakery.company_number
    now = datetime.now(UTC)
    for start, end in ((9, 19), (-1000, -900)):
        window = {"from": iso(now + timedelta(days=start)), "to": iso(now + timedelta(days=end))}
        answer = reader.search(people.janssens, [number], **window)
        assert ids(answer) == []
        assert "after" not in answer.json()["meta"]["paging"]


def test_documents_of_one_moment_come_in_a_fixed_order(people: Cast, reader: Software) -> None:
    made = factories.make_documents(people.bakery, [T0] * 12)
    number = people.bakery.company_number
    whole = ids(reader.search(people.janssens, [number]))
    assert whole == [str(document.uuid) for document in made]
    assert ids(reader.search(people.janssens, [number])) == whole


def test_documents_of_several_clients_come_oldest_first(people: Cast, reader: Software) -> None:
    other = factories.make_client(people.janssens)
    clients = [people.bakery, other, people.bakery, other, other]
    made = [
        factories.make_document(client, available_at=T0 - timedelta(hours=n))
        for n, client in enumerate(clients)
    ]
    numbers = [people.bakery.company_number, other.company_number]
    found = reader.search(people.janssens, numbers)
    assert ids(found) == [str(document.uuid) for document in reversed(made)]
    owners = [
        document["relationships"]["client"]["data"]["id"]
        for document in found.json()["included"]["documents"]
    ]
    assert owners == [client.company_number for client in reversed(clients)]


def test_a_document_that_arrives_while_a_client_pages_is_neither_lost_nor_doubled(
    people: Cast, reader: Software
) -> None:
    made = factories.make_documents(people.bakery, [T0 + timedelta(hours=n) for n in range(5)])
    number = people.bakery.company_number
    seen: list[str] = []
    after, end = None, None
    while True:
        meta = {"paging": {"limit": 2, "after": after}}
        answer = reader.search(people.janssens, [number], meta=meta, to=end)
        seen += ids(answer)
        end = answer.json()["data"]["attributes"]["to"]
        after = answer.json()["meta"]["paging"].get("after")
        if len(made) < 8:
            made.append(factories.make_document(people.bakery))
        if after is None:
            break
    seen += ids(reader.search(people.janssens, [number], **{"from": end}))
    assert seen == [str(document.uuid) for document in made]


def test_a_full_last_page_ends_the_list(people: Cast, reader: Software) -> None:
    factories.make_documents(people.bakery, [T0, T0])
    number = people.bakery.company_number
    answer = reader.search(people.janssens, [number], meta={"paging": {"limit": 2}})
    assert len(ids(answer)) == 2
    assert "after" not in answer.json()["meta"]["paging"]
    last = {"paging": {"limit": 2, "after": ids(answer)[-1]}}
    assert ids(reader.search(people.janssens, [number], meta=last)) == []


def test_another_kind_is_not_found_by_a_search(people: Cast, reader: Software) -> None:
    factories.make_document(people.bakery, available_at=T0)
    number = people.bakery.company_number
    answer = reader.search(people.janssens, [number], documentType="salesInvoice")
    assert ids(answer) == []


def test_a_client_that_left_or_was_archived_yields_nothing(people: Cast, reader: Software) -> None:
    archived, left = factories.make_client(people.janssens), factories.make_client(people.janssens)
    documents = [factories.make_document(client, available_at=T0) for client in (archived, left)]
    numbers = [archived.company_number, left.company_number]
    assert len(ids(reader.search(people.janssens, numbers))) == 2
    Client.objects.filter(pk=archived.pk).update(archived_at=Now())
    left.office = people.peeters
    left.save()
    answer = reader.search(people.janssens, numbers)
    assert ids(answer) == []
    assert answer.json()["meta"]["unknownClients"] == numbers
    for number, document in zip(numbers, documents, strict=True):
        assert reader.document(people.janssens, number, document.uuid).status_code == 404


def test_a_cursor_of_another_office_tells_nothing(people: Cast, reader: Software) -> None:
    theirs = factories.make_document(factories.make_client(people.peeters), available_at=T0)
    ours = factories.make_document(people.bakery, available_at=T0 + timedelta(hours=1))
    meta = {"paging": {"after": str(theirs.uuid)}}
    answer = reader.search(people.janssens, [people.bakery.company_number], meta=meta)
    assert set(ids(answer)) <= {str(ours.uuid)}
    assert str(theirs.uuid) not in answer.text


def test_searching_harms_nothing_however_often(people: Cast, reader: Software) -> None:
    factories.make_document(people.bakery, available_at=T0)
    number = people.bakery.company_number
    answers = [reader.search(people.janssens, [number], to=iso(T0)).json() for _ in range(5)]
    assert len({answer["data"].pop("id") for answer in answers}) == 5
    for answer in answers:
        answer["data"]["attributes"].pop("from")  # two years before now: it moves on
    assert all(answer == answers[0] for answer in answers)
    with factories.every_office():
        assert Document.objects.filter(client=people.bakery).count() == 1
