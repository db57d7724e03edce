"""Refused files are stored in the quarantine with their reason, so that they can be replayed."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

from django.db import connection
from django.db.models.functions import Now

from documents.formats import Reason, Refused
from documents.formats.names import NOBODY, Named
from documents.models import QuarantinedFile, QuarantineState

# A waiting file that comes again is refused again; one that was filed or discarded stays so.
PUT = """
    insert into documents_quarantinedfile
        (sha256, name, sender, size, reason, detail, line, state, tries)
    values (%(sha256)s, %(name)s, %(sender)s, %(size)s, %(reason)s, %(detail)s, %(line)s,
        'waiting', 1)
    on conflict (sha256) do update set
        sender = coalesce(nullif(excluded.sender, ''), documents_quarantinedfile.sender),
        reason = excluded.reason, detail = excluded.detail, line = excluded.line,
        tries = documents_quarantinedfile.tries + 1, tried_at = statement_timestamp()
    where documents_quarantinedfile.state = 'waiting'
"""
LINK = """
    update documents_quarantinedfile pdf set pdf_of_id = file.id
    from documents_quarantinedfile file
    where pdf.sha256 = %(sha256)s and file.sha256 = %(pdf_of)s and pdf.state = 'waiting'
"""
INSERT_NAMES = """
    insert into documents_quarantinedname (file_id, number, account)
    select file.id, named.number, named.account
    from documents_quarantinedfile file,
        (select unnest(%(numbers)s::text[]) as number, '' as account
         union all select '', unnest(%(accounts)s::text[])) named
    where file.sha256 = %(sha256)s and file.state = 'waiting'
    on conflict do nothing
"""
NAME, SENDER, DETAIL = 255, 200, 500


@dataclass(frozen=True)
class RefusedFile:
    """A file for the quarantine; `data` is None when its bytes are stored already.

    `pdf_of` is the SHA-256 of the file that this PDF was delivered with, when that waits as well.
    """

    name: str
    sha256: str
    size: int
    refused: Refused
    data: bytes | None
    pdf_of: str = ""
    # The companies that it names: their offices see that it waits.
    named: Named = NOBODY

    @classmethod
    def of(cls, name: str, data: bytes, refused: Refused) -> RefusedFile:
        return cls(name, hashlib.sha256(data).hexdigest(), len(data), refused, data)

    @classmethod
    def pdf_beside(cls, file: RefusedFile, pdf: bytes) -> RefusedFile:
        """The PDF that was delivered with a refused file: it waits until that file is filed."""
        refused = Refused(Reason.PDF_WITHOUT_FILE, "its file waits as well")
        sha256 = hashlib.sha256(pdf).hexdigest()
        return cls(f"{file.name} (PDF)", sha256, len(pdf), refused, pdf, pdf_of=file.sha256)


def waiting_pdf_of(file: QuarantinedFile) -> QuarantinedFile | None:
    """The PDF that was delivered with this file and waits as well."""
    return file.pdfs.filter(state=QuarantineState.WAITING).order_by("pk").first()


def put_into_quarantine(files: Collection[RefusedFile]) -> None:
    """Write the rows, in the order of the digests, so that two batches never deadlock."""
    by_digest = sorted({file.sha256: file for file in files}.items())
    with connection.cursor() as cursor:
        for sha256, file in by_digest:
            row: dict[str, str | int | None] = {
                "sha256": sha256,
                "name": _printable(file.name)[-NAME:],
                "sender": _printable(file.named.sender)[:SENDER],
                "size": file.size,
                "reason": file.refused.reason.value,
                "detail": _printable(file.refused.detail)[:DETAIL],
                "line": file.refused.line,
            }
            cursor.execute(PUT, row)
            if file.named != NOBODY:
                names: dict[str, str | list[str]] = {"sha256": sha256}
                names["numbers"] = sorted(file.named.numbers)
                names["accounts"] = sorted(file.named.accounts)
                cursor.execute(INSERT_NAMES, names)
        for sha256, file in by_digest:
            if file.pdf_of:
                cursor.execute(LINK, {"sha256": sha256, "pdf_of": file.pdf_of})


def leave_quarantine(digests: Collection[str]) -> None:
    """Mark the waiting files with these digests as filed."""
    QuarantinedFile.objects.filter(sha256__in=digests, state=QuarantineState.WAITING).update(
        state=QuarantineState.FILED, tried_at=Now()
    )


def _printable(text: str) -> str:
    """Names come from outside: nothing in them may end a line, or break the table."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
