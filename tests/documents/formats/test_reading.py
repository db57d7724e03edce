"""A file is known by its bytes, whatever it is called."""

from __future__ import annotations

from datetime import date

import pytest

from core.document_kinds import EXTENSIONS
from demo.data import books, coda, other_documents
from documents.formats import (
    BankStatement,
    CardStatement,
    Invoice,
    PayrollStatement,
    Reason,
    Refused,
)
from documents.formats.reading import MOST_BYTES, read

TODAY = date(2026, 3, 2)
COMPANY = books.offices()[1].companies[0]
EXPECTED = {
    "bankAccountStatement": BankStatement,
    "payrollStatement": PayrollStatement,
    "creditCardStatement": CardStatement,
    "purchaseInvoice": Invoice,
    "salesInvoice": Invoice,
}


def files() -> list[tuple[str, bytes]]:
    statement = next(books.statements(COMPANY, 32, TODAY))
    found = [("bankAccountStatement", coda.write(statement, COMPANY.number))]
    for paper in other_documents.other_documents(COMPANY, TODAY):
        found += [(paper.kind, data) for data in paper.files.values()]
    return found


@pytest.mark.parametrize("name", ["", "a.xml", "a.cod", "../../etc/passwd"])
def test_every_kind_is_known_by_its_bytes_and_kept_untouched(name: str) -> None:
    seen = set()
    for kind, data in files():
        (parsed,) = read(data, name)
        assert isinstance(parsed.facts, EXPECTED[kind])
        assert parsed.data == data
        assert parsed.media_type in EXTENSIONS
        seen.add(kind)
    assert seen == set(EXPECTED)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", Reason.UNKNOWN_FORMAT),
        (b"%PDF-1.4", Reason.UNKNOWN_FORMAT),
        (b"PK\x03\x04", Reason.UNKNOWN_FORMAT),
        (b"<Invoice/>", Reason.UNKNOWN_FORMAT),
        (b'<Soda xmlns="urn:else" version="1"/>', Reason.UNKNOWN_FORMAT),
        (b"0" * (MOST_BYTES + 1), Reason.TOO_LARGE),
    ],
    ids=["empty", "pdf", "zip", "root", "namespace", "size"],
)
def test_what_is_no_document_of_ours_is_refused(data: bytes, reason: Reason) -> None:
    with pytest.raises(Refused) as refused:
        read(data, "bijlage.bin")
    assert refused.value.reason == reason
