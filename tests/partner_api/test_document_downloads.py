"""Many documents in one ZIP (connect-api section 11)."""

from __future__ import annotations

import json
import time
from io import BytesIO
from typing import Any
from zipfile import ZIP_STORED, ZipFile

import httpx
import pytest

from consents.scope import ScopeChange, change_scope
from core.document_kinds import CARO, PDF, XML, Kind
from core.row_security import every_office
from documents.models import DocumentRead
from tests import factories
from tests.conftest import Cast, Software
from tests.factories import CODA, acting, allow

BANK, CARD, SALE = "bankAccountStatement", "creditCardStatement", "salesInvoice"


@pytest.fixture
def reader(people: Cast, ledgerly: Software) -> Software:
    allow(people.consent, people.anna)
    return ledgerly


def entry(kind: str, identifier: Any, accept: str | None = None) -> dict[str, Any]:
    return {"type": kind, "id": str(identifier)} | ({"accept": accept} if accept else {})


def download(software: Software, people: Cast, *documents: Any, **options: Any) -> httpx.Response:
    data = {"type": "documentDownload", "attributes": {"documents": list(documents)}}
    path = f"/accounting-offices/{people.janssens.uuid}/document-downloads"
    return software.call("POST", path, json={"data": data}, **options)


def unpacked(answer: httpx.Response) -> dict[str, bytes]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/zip"
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    with ZipFile(BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert {info.compress_type for info in archive.infolist()} == {ZIP_STORED}
        return {name: archive.read(name) for name in archive.namelist()}


def test_ledgerly_takes_files_of_many_kinds_untouched(people: Cast, reader: Software) -> None:
    other = factories.make_client(people.janssens)
    coda = factories.make_document(people.bakery, contents={CODA: b"\xe9" * 128, PDF: b"%PDF-1"})
    card = factories.make_document(
        other, kind=Kind.CREDIT_CARD_STATEMENT, public_id="AB 1/é", contents={CARO: b"<c/>"}
    )
    sale = factories.make_document(other, kind=Kind.SALES_INVOICE, contents={XML: b"<x/>"})
    answer = download(
        reader,
        people,
        entry(BANK, coda.uuid, CODA),
        entry(BANK, coda.uuid, PDF),
        entry(CARD, "AB 1/é", CARO),
        # Without a format it is the structured file.
        entry(SALE, sale.uuid),
    )
    assert unpacked(answer) == {
        f"bank-account-statements/{coda.uuid}.cod": b"\xe9" * 128,
        f"bank-account-statements/{coda.uuid}.pdf": b"%PDF-1",
        "credit-card-statements/AB_1_.xml": b"<c/>",
        f"sales-invoices/{sale.uuid}.xml": b"<x/>",
    }
    with every_office():
        reads = DocumentRead.objects.filter(consent_id=people.consent.pk).order_by("pk")
        assert [(r.document_id, r.media_type, r.size) for r in reads] == [
            (coda.pk, CODA, 128),
            (coda.pk, PDF, 6),
            (card.pk, CARO, 4),
            (sale.pk, XML, 4),
        ]


def test_what_may_not_be_read_is_listed_with_its_reason(people: Cast, reader: Software) -> None:
    foreign = factories.make_document(factories.make_client(people.peeters), contents={XML: b"x"})
    left_out = factories.make_client(people.janssens)
    hidden = factories.make_document(left_out, contents={CODA: b"x"})
    ours = factories.make_document(people.bakery, contents={CODA: b"ours"})
    scope = ScopeChange(clients_out=(left_out.pk,), kinds_out=(SALE,))
    change_scope(people.fresh(), acting(people.anna), scope)
    answer = download(
        reader,
        people,
        entry(BANK, foreign.uuid),
        entry(BANK, hidden.uuid),
        entry(BANK, "no identifier"),
        entry(BANK, ours.uuid, "application/vnd.soda.v1+xml"),
        entry(SALE, ours.uuid),
        entry(BANK, ours.uuid),
    )
    files = unpacked(answer)
    assert files.pop(f"bank-account-statements/{ours.uuid}.cod") == b"ours"
    errors = json.loads(files.pop("errors.json"))["errors"]
    assert files == {}
    told = {error["source"]["pointer"].rpartition("/")[2]: error["code"] for error in errors}
    assert told == {
        "0": "notFound",
        "1": "notFound",
        "2": "notFound",
        "3": "notAcceptable",
        "4": "documentTypeNotShared",
    }
    assert errors[0]["meta"]["id"] in str(errors)


def test_a_wrong_request_is_told_with_pointers(people: Cast, reader: Software) -> None:
    answer = download(reader, people, entry("statement", "1"), {"type": BANK})
    told = {(error["source"]["pointer"], error["detail"]) for error in answer.json()["errors"]}
    documents = "/data/attributes/documents"
    assert answer.status_code == 400
    assert (f"{documents}/1/id", "id is required.") in told
    assert {pointer for pointer, _detail in told} == {f"{documents}/0/type", f"{documents}/1/id"}
    for wrong in ([], [entry(BANK, "x")] * 501):
        answer = download(reader, people, *wrong)
        (error,) = answer.json()["errors"]
        assert error["detail"] == "documents must be a list of 1 to 500 documents."
        assert error["source"]["pointer"] == documents


def test_whoever_may_not_read_gets_no_archive(people: Cast, ledgerly: Software) -> None:
    answer = download(ledgerly, people, entry(BANK, people.consent.uuid))
    assert answer.status_code == 403
    assert answer.json()["errors"][0]["code"] == "consentNotConfirmed"


def test_the_same_key_with_another_body_is_a_conflict(people: Cast, reader: Software) -> None:
    ours = factories.make_document(people.bakery, contents={CODA: b"ours"})
    key = {"headers": {"Ibanity-Idempotency-Key": "one"}}
    first = download(reader, people, entry(BANK, ours.uuid), **key)
    assert download(reader, people, entry(BANK, ours.uuid), **key).content == first.content
    assert download(reader, people, entry(BANK, ours.uuid, PDF), **key).status_code == 409


def test_a_running_archive_is_cut_when_access_ends(people: Cast, reader: Software) -> None:
    megabyte = b"x" * 1_000_000
    documents = [
        factories.make_document(people.bakery, contents={CODA: megabyte + bytes([n])})
        for n in range(30)
    ]
    path = f"/codabox-connect/accounting-offices/{people.janssens.uuid}/document-downloads"
    entries = [entry(BANK, document.uuid) for document in documents]
    body = {"data": {"attributes": {"documents": entries}}}
    headers = {"Authorization": f"Bearer {reader.token}"}

    taken: list[int] = []

    def take() -> None:
        with reader.http.stream("POST", path, json=body, headers=headers) as answer:
            for piece in answer.iter_bytes(64 * 1024):
                if not taken:
                    people.fresh().cancel(acting(people.anna))
                taken.append(len(piece))
                time.sleep(0.05)

    with pytest.raises(httpx.RemoteProtocolError):
        take()
    assert sum(taken) < 30_000_000
    with every_office():
        cut = DocumentRead.objects.filter(consent_id=people.consent.pk, outcome="cut")
        assert cut.count() == 1
