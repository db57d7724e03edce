"""Row security: the last lock, should a view ever forget its filter."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from core.row_security import every_office, office_scope
from documents.access_log import Reader, record
from documents.models import Content, Document, DocumentRead, Outcome
from tests import factories
from tests.conftest import Cast
from tests.factories import CODA
from tests.owner import as_owner

pytestmark = pytest.mark.requirement(50)


@pytest.fixture
def two_documents(cast: Cast) -> tuple[Document, Document]:
    """One of Janssens, one of Peeters."""
    other = factories.make_client(cast.peeters, "Peeters & Zonen")
    contents = {CODA: b"0" * 128}
    return (
        factories.make_document(cast.bakery, contents=contents),
        factories.make_document(other, contents=contents),
    )


def rows(documents: tuple[Document, Document]) -> tuple[int, int]:
    """How many of these documents, and of their contents, are to be seen."""
    pks = [document.pk for document in documents]
    contents = Content.objects.filter(document__in=pks)
    return Document.objects.filter(pk__in=pks).count(), contents.count()


def end_scope() -> None:
    """What the end of the transaction does; the test itself runs in one."""
    with connection.cursor() as cursor:
        cursor.execute("select set_config('portal.office', '', true)")
        cursor.execute("select set_config('portal.every_office', '', true)")


def test_a_view_that_forgot_its_scope_sees_nothing(
    two_documents: tuple[Document, Document],
) -> None:
    end_scope()
    assert rows(two_documents) == (0, 0)


def test_janssens_sees_its_own_documents_only(
    cast: Cast, two_documents: tuple[Document, Document]
) -> None:
    end_scope()
    with office_scope(cast.janssens.pk):
        assert rows(two_documents) == (1, 1)
        assert Document.objects.get() == two_documents[0]
        assert not Document.objects.filter(pk=two_documents[1].pk).exists()


def test_housekeeping_sees_all(two_documents: tuple[Document, Document]) -> None:
    end_scope()
    with every_office():
        assert rows(two_documents) == (2, 2)


def test_nothing_is_written_for_another_office(
    cast: Cast, two_documents: tuple[Document, Document]
) -> None:
    end_scope()
    foreign = factories.make_client(cast.peeters)
    with pytest.raises(DatabaseError) as error, office_scope(cast.janssens.pk):
        Document.objects.create(
            office_id=cast.peeters.pk, client=foreign, kind=1, attributes={"iban": ""}
        )
    assert "row-level security" in str(error.value)


def test_the_office_of_a_document_is_the_office_of_its_client(cast: Cast) -> None:
    with pytest.raises(IntegrityError, match="office_of_client"), every_office():
        Document.objects.create(
            office_id=cast.peeters.pk, client=cast.bakery, kind=1, attributes={"iban": ""}
        )


def test_a_transfer_moves_the_documents_in_the_same_statement(
    cast: Cast, two_documents: tuple[Document, Document]
) -> None:
    cast.bakery.office = cast.peeters
    cast.bakery.save()
    end_scope()
    with office_scope(cast.janssens.pk):
        assert rows(two_documents) == (0, 0)
    with office_scope(cast.peeters.pk):
        assert rows(two_documents) == (2, 2)


def test_reads_are_shown_to_their_office_and_never_changed(cast: Cast) -> None:
    for office in (cast.janssens, cast.peeters):
        reader = Reader(office.pk, cast.consent.pk, application_id=1)
        record(reader, Outcome.SERVED, media_type=CODA, size=1)
    end_scope()
    assert DocumentRead.objects.count() == 0
    with office_scope(cast.janssens.pk):
        assert DocumentRead.objects.count() == 1
    with every_office():
        for change in (
            "update documents_documentread set size = 0",
            "delete from documents_documentread",
        ):
            denied = pytest.raises(DatabaseError, match="permission denied")
            with denied, transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(change)
            # No policy shows the owner a row to change.
            as_owner(change)
        ours = DocumentRead.objects.filter(consent_id=cast.consent.pk)
        assert [read.size for read in ours] == [1, 1]


def test_reads_cannot_be_emptied(cast: Cast) -> None:
    refused = pytest.raises(DatabaseError, match="permission denied")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("truncate documents_documentread")
    with pytest.raises(DatabaseError, match="proof"), transaction.atomic():
        as_owner("truncate documents_documentread")
