"""The file of a document at an address of its own, for clients that cannot choose an `Accept`."""

from __future__ import annotations

from core.document_kinds import PDF
from core.row_security import every_office
from documents.models import DocumentRead
from tests import factories
from tests.conftest import Cast, Software
from tests.factories import CODA, acting, allow

LINE = b"0" * 128
STATEMENT = b"%PDF-1.4\n"


def test_ledgerly_fetches_the_file_of_a_document_in_each_format(
    people: Cast, ledgerly: Software
) -> None:
    allow(people.consent, people.anna)
    document = factories.make_document(people.bakery, contents={CODA: LINE, PDF: STATEMENT})
    path = (
        f"/accounting-offices/{people.janssens.uuid}/clients/{people.bakery.company_number}"
        f"/bank-account-statements/{document.uuid}/file"
    )
    whole = ledgerly.call("GET", path, headers={"Accept": "application/vnd.api+json"})
    assert (whole.status_code, whole.content) == (200, LINE)
    assert whole.headers["Content-Type"] == CODA
    part = ledgerly.call("GET", path, headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, LINE[:4])
    known = ledgerly.call("GET", path, headers={"If-None-Match": whole.headers["ETag"]})
    assert known.status_code == 304
    assert ledgerly.call("GET", path, params={"format": PDF}).content == STATEMENT
    with every_office():
        reads = list(DocumentRead.objects.filter(document_id=document.pk).order_by("pk"))
    assert [read.media_type for read in reads] == [CODA, CODA, CODA, PDF]
    for unknown in ("text/csv", "application/json"):
        answer = ledgerly.call("GET", path, params={"format": unknown})
        assert answer.status_code == 406
        assert answer.json()["errors"][0]["detail"].startswith("format must")
    people.fresh().cancel(acting(people.anna))
    refused = ledgerly.call("GET", path)
    assert refused.status_code == 403
    assert refused.json()["errors"][0]["code"] == "consentNotConfirmed"
