"""The PDF of a document that came without one: made at the first request, and the same ever after."""

from __future__ import annotations

import hashlib
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from clients.models import Client
from core.document_kinds import CODA, PDF, Kind
from core.row_security import every_office
from documents.formats import Refused
from documents.formats.reading import read
from documents.models import Content, DeletionRecord, Document
from documents.rendering.pdf import render
from documents.rendering.stored_pdf import stored_pdf
from documents.retention import delete_for_retention
from documents.storage.blobs import load, name_of, storage, store
from documents.storage.garbage_collection import LOCK
from tests import factories
from tests.conftest import Cast, Software
from tests.documents import examples
from tests.documents.examples import company_of, contents, papers_of, take_files
from tests.documents.test_retention import aged
from tests.factories import acting, allow
from tests.test_access_matrix import as_person


@pytest.fixture
def reader(people: Cast, ledgerly: Software) -> Software:
    """Ledgerly, allowed."""
    allow(people.consent, people.anna)
    return ledgerly


def statement_of(client: Client) -> tuple[Document, bytes]:
    data = examples.statement(company_of(client))
    take_files({"a.cod": data})
    with every_office():
        return Document.objects.get(client=client), data


def asked(reader: Software, client: Client, document: Document, **named: Any) -> Any:
    return reader.document(client.office, client.company_number, document.uuid, PDF, **named)


def test_anna_downloads_the_pdf_of_each_kind_and_finds_it_stored(people: Cast) -> None:
    take_files(examples.a_month(company_of(people.bakery)))
    assert papers_of(people.bakery) == []
    with every_office():
        documents = list(Document.objects.filter(client=people.bakery))
    assert {document.kind for document in documents} == set(Kind)
    anna = as_person(people.anna)
    for document in documents:
        path = f"/offices/{people.janssens.slug}/companies/{people.bakery.company_number}"
        path += f"/documents/{document.uuid}"
        assert f"{path}/files/{PDF}" in anna.get(path).content.decode()
        first, again = (anna.get(f"{path}/files/{PDF}") for _ in range(2))
        assert (first.status_code, first["Content-Type"]) == (200, PDF)
        assert first.content == again.content
        assert first.content in papers_of(people.bakery)
        assert f"{path}/files/{PDF}" in anna.get(path).content.decode()
    assert len(papers_of(people.bakery)) == len(documents)


def test_it_is_in_the_language_of_the_company_and_stays_as_it_was(people: Cast) -> None:
    french = factories.make_client(people.janssens, "Boulangerie", language="fr")
    document, data = statement_of(french)
    first = stored_pdf(people.janssens.pk, document.pk)
    assert papers_of(french) == [load(first.sha256)]
    assert papers_of(french) == [render(read(data)[0].facts, "fr")]
    Client.objects.filter(pk=french.pk).update(language="de")
    assert stored_pdf(people.janssens.pk, document.pk) == first


def test_ledgerly_gets_it_like_a_file_that_was_delivered(people: Cast, reader: Software) -> None:
    document, _data = statement_of(people.bakery)
    answer = asked(reader, people.bakery, document)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, PDF)
    assert answer.headers["ETag"] == f'"{hashlib.sha256(answer.content).hexdigest()}"'
    assert answer.headers["Content-Length"] == str(len(answer.content))
    assert papers_of(people.bakery) == [answer.content]
    again = asked(reader, people.bakery, document)
    assert (again.content, again.headers["ETag"]) == (answer.content, answer.headers["ETag"])


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_first_call_may_ask_for_the_head_or_for_a_part(
    people: Cast, reader: Software, method: str
) -> None:
    document, _data = statement_of(people.bakery)
    office, number = people.janssens.uuid, people.bakery.company_number
    path = f"/accounting-offices/{office}/clients/{number}/bank-account-statements/{document.uuid}"
    answer = reader.call(method, path, headers={"Accept": PDF, "Range": "bytes=0-4"})
    (paper,) = papers_of(people.bakery)
    assert answer.status_code == 206
    assert answer.headers["ETag"] == f'"{hashlib.sha256(paper).hexdigest()}"'
    assert answer.headers["Content-Range"] == f"bytes 0-4/{len(paper)}"
    assert answer.content == (b"%PDF-" if method == "GET" else b"")


def test_eight_first_calls_at_the_same_moment_get_the_same_bytes(
    people: Cast, reader: Software
) -> None:
    document, _data = statement_of(people.bakery)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _n: asked(reader, people.bakery, document), range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.content for answer in answers} == set(papers_of(people.bakery))
    assert len(papers_of(people.bakery)) == 1


def test_of_two_that_rendered_at_once_the_first_row_counts(people: Cast) -> None:
    """As when two versions of the portal run side by side: their bytes may differ."""
    document, _data = statement_of(people.bakery)
    others = examples.DELIVERED_PDF
    with every_office():
        Content.objects.create(
            document=document, media_type=PDF, size=len(others), sha256=store(others)
        )
    found = stored_pdf(people.janssens.pk, document.pk)
    assert load(found.sha256) == others


def test_nothing_is_given_when_access_ended_while_it_was_rendered(
    people: Cast, reader: Software
) -> None:
    document, _data = statement_of(people.bakery)
    with ThreadPoolExecutor(1) as threads, connection.cursor() as cursor:
        # Garbage collection holds the call up before it stores the bytes.
        cursor.execute("select pg_advisory_lock(%s, %s)", LOCK)
        try:
            waiting = threads.submit(asked, reader, people.bakery, document)
            while not (waits_for_garbage_collection(cursor) or waiting.done()):
                time.sleep(0.02)
            people.fresh().cancel(acting(people.anna))
        finally:
            cursor.execute("select pg_advisory_unlock(%s, %s)", LOCK)
        answer = waiting.result(timeout=30)
    assert answer.status_code == 403
    assert answer.json()["errors"][0]["code"] == "consentNotConfirmed"


def waits_for_garbage_collection(cursor: Any) -> bool:
    cursor.execute(
        "select exists (select 1 from pg_locks where locktype = 'advisory' and not granted"
        " and classid = %s and objid = %s)",
        LOCK,
    )
    return bool(cursor.fetchone()[0])


def test_another_office_renders_nothing(people: Cast) -> None:
    document, _data = statement_of(people.bakery)
    with pytest.raises(Content.DoesNotExist):
        stored_pdf(people.peeters.pk, document.pk)
    assert papers_of(people.bakery) == []


def test_a_file_that_cannot_be_read_has_no_pdf(people: Cast, reader: Software) -> None:
    document = factories.make_document(people.bakery, contents={CODA: b"0 cut off"})
    with pytest.raises(Refused):
        stored_pdf(people.janssens.pk, document.pk)
    answer = asked(reader, people.bakery, document)
    assert answer.status_code == 406
    assert answer.json()["errors"][0]["code"] == "notAcceptable"
    path = f"/offices/{people.janssens.slug}/companies/{people.bakery.company_number}"
    path += f"/documents/{document.uuid}"
    anna = as_person(people.anna)
    assert f"/files/{PDF}" not in anna.get(path).content.decode()
    assert anna.get(f"{path}/files/{PDF}").status_code == 404


def test_retention_deletes_it_with_its_document(people: Cast) -> None:
    document, data = statement_of(people.bakery)
    pdf = stored_pdf(people.janssens.pk, document.pk)
    assert storage().exists(name_of(pdf.sha256))
    while delete_for_retention():
        pass  # what other tests left
    aged(people.bakery, Kind.BANK_ACCOUNT_STATEMENT, 120)
    assert delete_for_retention() == 1
    assert contents(people.bakery) == {}
    assert not storage().exists(name_of(pdf.sha256))
    with every_office():
        hashes = DeletionRecord.objects.get(uuid=document.uuid).hashes
    assert hashes == {CODA: hashlib.sha256(data).hexdigest(), PDF: pdf.sha256}
