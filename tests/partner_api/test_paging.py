"""Paging by key: exactly the right documents, once, whatever arrives and leaves in between."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from accounts.models import Office
from clients.models import Client
from documents.models import Document
from tests import factories
from tests.conftest import Cast, Software
from tests.factories import allow

pytestmark = pytest.mark.requirement(58)


START = datetime.now(tz=UTC) - timedelta(days=30)
# Few moments, so that many documents share one: the identifier then decides the order.
MOMENTS = st.integers(0, 6)
DOCUMENTS = st.lists(st.tuples(st.integers(0, 3), MOMENTS), max_size=25)
# What happens between two pages: a document arrives now, or a client leaves for another office.
BETWEEN = st.lists(st.sampled_from(["arrives", "leaves", "nothing"]), max_size=6)


def read_page(
    software: Software, office: Office, numbers: list[str], limit: int, **more: Any
) -> tuple[list[str], str | None, str]:
    paging = {"limit": limit} | ({"after": more["after"]} if more.get("after") else {})
    attributes = {"to": more["to"]} if more.get("to") else {}
    answer = software.search(office, numbers, meta={"paging": paging}, **attributes)
    assert answer.status_code == 201, answer.text
    body = answer.json()
    ids = [document["id"] for document in body["included"]["documents"]]
    assert len(ids) <= limit
    return ids, body["meta"]["paging"].get("after"), body["data"]["attributes"]["to"]


def test_every_document_comes_once(people: Cast, ledgerly: Software, rounds: float) -> None:
    allow(people.consent, people.anna)

    @settings(
        max_examples=int(25 * rounds),
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(documents=DOCUMENTS, between=BETWEEN, limit=st.integers(1, 9), whole=st.booleans())
    def one(documents: Any, between: list[str], limit: int, whole: bool) -> None:
        clients = [factories.make_client(people.janssens) for _ in range(4)]
        numbers = [client.company_number for client in clients]
        if whole:
            # A list so long that the office is walked in time order, not client by client.
            numbers += [f"{n:010d}" for n in range(300)]
        made = {
            str(_document(clients[who], moment).uuid): clients[who] for who, moment in documents
        }
        gone: set[Client] = set()
        arrived: set[str] = set()
        steps = iter(between)
        found: list[str] = []
        ids, after, end = read_page(ledgerly, people.janssens, numbers, limit)
        found += ids
        while after is not None:
            match next(steps, "nothing"):
                case "arrives":
                    arrived.add(str(factories.make_document(clients[0]).uuid))
                case "leaves" if clients[3] not in gone:
                    factories.transfer(clients[3], people.anna, people.peeters, people.chloe)
                    gone.add(clients[3])
            ids, after, _end = read_page(
                ledgerly, people.janssens, numbers, limit, after=after, to=end
            )
            found += ids
        assert len(found) == len(set(found)), "a document came twice"
        assert not set(found) & arrived, "it came after the end of the window"
        must = {uuid for uuid, client in made.items() if client not in gone}
        assert must <= set(found) <= set(made)
        if not gone:
            assert found == _in_order(made)

    one()


def _document(client: Client, moment: int) -> Document:
    return factories.make_document(client, available_at=START + timedelta(milliseconds=moment))


def _in_order(made: dict[str, Client]) -> list[str]:
    from core.row_security import every_office

    with every_office():
        rows = Document.objects.filter(uuid__in=made).order_by("available_at", "id")
        return [str(row.uuid) for row in rows]


@pytest.mark.requirement(117)
def test_software_that_polls_from_the_last_end_misses_nothing(
    people: Cast, ledgerly: Software
) -> None:
    """The default end is half-open and echoed, so it can be the next `from`."""
    allow(people.consent, people.anna)
    number = people.bakery.company_number
    made, seen, start = [], [], None
    for _ in range(12):
        made.append(str(factories.make_document(people.bakery).uuid))
        body = ledgerly.search(people.janssens, [number], **{"from": start}).json()
        seen += [document["id"] for document in body["included"]["documents"]]
        start = body["data"]["attributes"]["to"]
    body = ledgerly.search(people.janssens, [number], **{"from": start}).json()
    seen += [document["id"] for document in body["included"]["documents"]]
    assert seen == made
