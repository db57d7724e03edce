"""Software says what it did with documents, and the office sees it (connect-api section 12)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from django.urls import reverse

from core.document_kinds import Kind
from documents.models import Document
from tests import factories
from tests.conftest import Cast, Software
from tests.factories import CODA, allow

BANK = "bankAccountStatement"


@pytest.fixture
def reader(people: Cast, ledgerly: Software) -> Software:
    allow(people.consent, people.anna)
    return ledgerly


def entry(document: Document, **attributes: Any) -> dict[str, Any]:
    identifier = {"type": BANK, "id": str(document.uuid)}
    return {
        "type": "acknowledgement",
        "attributes": attributes,
        "relationships": {"document": {"data": identifier}},
    }


def acknowledge(
    software: Software, people: Cast, *entries: dict[str, Any], **options: Any
) -> httpx.Response:
    path = f"/accounting-offices/{people.janssens.uuid}/acknowledgements"
    return software.call("POST", path, json={"data": list(entries)}, **options)


def known(answer: httpx.Response) -> list[tuple[str, str | None, str | None]]:
    assert answer.status_code == 200, answer.text
    attributes = [one["attributes"] for one in answer.json()["data"]]
    return [(one["status"], one["reference"], one["reason"]) for one in attributes]


def test_the_answer_says_what_is_known_now(people: Cast, reader: Software) -> None:
    one, two, three = (factories.make_document(people.bakery) for _ in "123")
    answer = acknowledge(
        reader,
        people,
        entry(one, status="received"),
        entry(two, status="booked", reference="2026/118"),
        entry(three, status="rejected", reason="no account"),
    )
    assert known(answer) == [
        ("received", None, None),
        ("booked", "2026/118", None),
        ("rejected", None, "no account"),
    ]
    (first, *_others) = answer.json()["data"]
    assert first["relationships"]["document"]["data"] == {"type": BANK, "id": str(one.uuid)}
    assert "errors" not in answer.json()


def test_the_last_word_counts_and_a_late_received_takes_nothing_back(
    people: Cast, reader: Software
) -> None:
    document = factories.make_document(people.bakery)
    first = acknowledge(reader, people, entry(document, status="booked", reference="1"))
    again = acknowledge(reader, people, entry(document, status="booked", reference="1"))
    assert again.json() == first.json()
    late = acknowledge(reader, people, entry(document, status="received"))
    assert known(late) == [("booked", "1", None)]
    corrected = acknowledge(reader, people, entry(document, status="booked", reference="2"))
    assert known(corrected) == [("booked", "2", None)]
    refused = acknowledge(reader, people, entry(document, status="rejected", reason="twice"))
    assert known(refused) == [("rejected", None, "twice")]


def test_what_may_not_be_read_is_a_fault_and_the_others_count(
    people: Cast, reader: Software
) -> None:
    ours = factories.make_document(people.bakery)
    foreign = factories.make_document(factories.make_client(people.peeters))
    said = {"status": "booked"}
    answer = acknowledge(reader, people, entry(foreign, **said), entry(ours, **said))
    assert known(answer) == [("booked", None, None)]
    (fault,) = answer.json()["errors"]
    assert fault["code"] == "notFound"
    assert fault["source"]["pointer"] == "/data/0/relationships/document/data/id"
    answer = acknowledge(reader, people, entry(foreign, **said))
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (404, "notFound")
    assert answer.content.startswith(b'{"errors"')


def test_wrong_words_are_refused_with_their_pointers(people: Cast, reader: Software) -> None:
    document = factories.make_document(people.bakery)
    answer = acknowledge(
        reader,
        people,
        entry(document, status="seen"),
        entry(document, status="rejected"),
        entry(document, status="booked", reference="x" * 65),
        entry(document, status="booked", reason="why"),
    )
    faults = {one["source"]["pointer"]: one["detail"] for one in answer.json()["errors"]}
    assert answer.status_code == 400
    assert faults == {
        "/data/0/attributes/status": "status must be received, booked or rejected.",
        "/data/1/attributes/reason": "reason is required for rejected.",
        "/data/2/attributes/reference": "reference must be text of at most 64 characters.",
        "/data/3/attributes/reason": "reason is for rejected only.",
    }


def test_the_same_key_acts_once(people: Cast, reader: Software) -> None:
    document = factories.make_document(people.bakery)
    key = {"headers": {"Ibanity-Idempotency-Key": "one"}}
    first = acknowledge(reader, people, entry(document, status="booked"), **key)
    assert acknowledge(reader, people, entry(document, status="booked"), **key).json() == (
        first.json()
    )
    other = acknowledge(reader, people, entry(document, status="received"), **key)
    assert other.status_code == 409


def test_anna_sees_what_software_did(people: Cast, reader: Software, client: Any) -> None:
    details = factories.make_filed_document(people.bakery, contents={CODA: b"x"})
    factories.make_document(people.bakery)
    client.force_login(people.anna)
    address = [people.janssens.slug, people.bakery.company_number, details.document.uuid]
    path = reverse("documents:document", args=address)
    page = client.get(path).content.decode()
    assert "No software has said what it did with this document." in page
    fetched = reader.document(
        people.janssens, people.bakery.company_number, details.document.uuid, accept=CODA
    )
    assert fetched.content == b"x", fetched.text
    acknowledge(reader, people, entry(details.document, status="booked", reference="2026/118"))
    page = " ".join(client.get(path).content.decode().split())
    assert f"{people.ledgerly.name}</strong>: Booked, 2026/118" in page
    assert "2 arrived, 1 downloaded, 1 booked" in page


def test_another_kind_of_the_same_identifier_is_unknown(people: Cast, reader: Software) -> None:
    sale = factories.make_document(people.bakery, kind=Kind.SALES_INVOICE)
    assert acknowledge(reader, people, entry(sale, status="booked")).status_code == 404
