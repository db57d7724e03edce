"""The documents of delivered files on their way: parsed, classified, and as those of a company."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from clients.lookup import ActiveCompany
from core.document_kinds import PDF
from documents.formats import Invoice, ParsedDocument, Refused
from documents.formats.names import Named
from documents.ingest.bulk_insert import DocumentKey, NewAttachment
from documents.ingest.classify import Classification
from documents.ingest.owners import numbers_of
from documents.ingest.quarantine import RefusedFile
from documents.models.querysets import StoredFormat


@dataclass(frozen=True)
class PdfFile:
    """A PDF and the SHA-256 of its bytes."""

    data: bytes
    sha256: str

    @classmethod
    def of(cls, data: bytes) -> PdfFile:
        return cls(data, hashlib.sha256(data).hexdigest())


@dataclass(frozen=True, eq=False)
class IncomingDocument:
    """One document of a delivered file, parsed and classified; `file` is the delivered file.

    `pdf` is the PDF that lay beside the file, `inside` the one in the file that shows it. Where
    both are None the portal renders one when somebody asks. An invoice between two companies has a
    classification for each of them.
    """

    name: str
    parsed: ParsedDocument
    sha256: str
    file: bytes
    file_sha256: str
    classifications: list[Classification]
    pdf: PdfFile | None
    inside: PdfFile | None = None
    available_at: datetime | None = None

    def refused_as(self, refused: Refused) -> RefusedFile:
        """The whole delivered file: one statement of many cannot always be read alone."""
        numbers = {number for one in self.classifications for number in numbers_of(one)}
        accounts = {one.account for one in self.classifications if one.account}
        sender = self.classifications[0].sender
        named = Named(frozenset(numbers), frozenset(accounts), sender)
        size = len(self.file)
        return RefusedFile(self.name, self.file_sha256, size, refused, self.file, named=named)

    @property
    def delivered_pdf(self) -> PdfFile | None:
        return self.pdf or self.inside

    def formats(self) -> Iterator[StoredFormat]:
        """The formats in which the document came, the structured one first."""
        yield StoredFormat(self.parsed.media_type, len(self.parsed.data), self.sha256)
        if pdf := self.delivered_pdf:
            yield StoredFormat(PDF, len(pdf.data), pdf.sha256)

    @cached_property
    def attachments(self) -> dict[NewAttachment, bytes]:
        """The files inside the document, with their bytes."""
        facts = self.parsed.facts
        return {
            NewAttachment(
                place, one.name, one.media_type, one.size, hashlib.sha256(one.data).hexdigest()
            ): one.data
            for place, one in enumerate(facts.attachments if isinstance(facts, Invoice) else ())
        }

    def digests(self) -> Iterator[str]:
        """The digests of all bytes that came with this document."""
        yield self.sha256
        yield self.file_sha256
        if self.pdf is not None:
            yield self.pdf.sha256


@dataclass(frozen=True, eq=False)
class OwnedDocument:
    """An incoming document as the document of one company."""

    incoming: IncomingDocument
    classification: Classification
    owner: ActiveCompany

    @property
    def key(self) -> DocumentKey:
        kind = self.classification.kind.value
        return DocumentKey(self.owner.client_id, kind, self.incoming.sha256)

    @property
    def place(self) -> tuple[DocumentKey, int]:
        """Under which company it is filed, and at which office."""
        return self.key, self.owner.office_id
