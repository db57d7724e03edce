"""Ingest delivered files batch by batch: first their bytes are stored, then their rows are written.

The rows of a batch are committed together or not at all. The same bytes are filed once for a
company, so a run that was killed can simply be started again. A file that is refused goes to the
quarantine, with its bytes and the reason.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from io import BytesIO
from typing import BinaryIO, cast

import structlog
from django.db import IntegrityError, transaction

from core.document_kinds import Kind
from core.row_security import every_office
from documents.formats import Invoice, ParsedDocument, Reason, Refused
from documents.formats.names import NOBODY, Named, named_in
from documents.formats.reading import MOST_BYTES, read
from documents.ingest.bulk_insert import (
    NewDocument,
    already_filed,
    insert,
)
from documents.ingest.classify import SOFTWARE, classify
from documents.ingest.incoming import IncomingDocument, OwnedDocument, PdfFile
from documents.ingest.owners import Owners
from documents.ingest.quarantine import (
    RefusedFile,
    leave_quarantine,
    put_into_quarantine,
    waiting_pdf_of,
)
from documents.ingest.sources import DeliveredFile, files_in
from documents.ingest.visibility_horizon import horizon_held_back
from documents.models import QuarantinedFile, QuarantineState
from documents.signals import documents_filed
from documents.storage.blobs import load, name_of, storage, store_many
from documents.storage.garbage_collection import garbage_collection_paused

log = structlog.get_logger(__name__)
# A batch holds no more than this, so the memory is the same for ten files and for a million.
MOST_FILES = 250
MOST_BATCH_BYTES = 16 * 1024 * 1024
TRIES = 5
PDF_STARTS = b"%PDF-"
WITHOUT_FILE = "a PDF without a file beside it that says what it is"


class OwnerMoved(Exception):
    """A company or account changed hands between the look-up and the lock."""


@dataclass
class BatchResult:
    """What became of the files of a batch: each is filed, was filed before, or is refused."""

    files: int = 0
    filed: Counter[Kind] = field(default_factory=Counter)
    # How many of the filed documents are a new version of one that was there.
    new_versions: int = 0
    already_filed: int = 0
    refused: list[tuple[str, Refused]] = field(default_factory=list)


def ingest(
    files: Iterable[DeliveredFile], software: str = SOFTWARE, sandbox_office: int | None = None
) -> Iterator[BatchResult]:
    """Ingest the files; yield the result of each batch once it is committed.

    Only outside a transaction. `software` is the invoicing software of sales invoices. What comes
    into a sandbox office is for its companies only, and of a refused file nothing is kept.
    """
    waiting = iter(files)
    while True:
        with garbage_collection_paused():
            batch = list(_next_batch(waiting))
            result = _ingest_batch(batch, software, sandbox_office) if batch else None
        if result is None:
            return
        yield result


def _next_batch(waiting: Iterator[DeliveredFile]) -> Iterator[DeliveredFile]:
    size = 0
    for count, file in enumerate(waiting, start=1):
        yield file
        size += file.size
        if count >= MOST_FILES or size >= MOST_BATCH_BYTES:
            return


def _ingest_batch(
    batch: list[DeliveredFile], software: str, sandbox_office: int | None
) -> BatchResult:
    incoming: list[IncomingDocument] = []
    refused_files: list[RefusedFile] = []
    for file in batch:
        try:
            documents = parse_file(file, software)
        except Refused as refused:
            refused_files += _refused_with_pdf(file, refused)
        except Exception as error:
            # A bug of ours must not keep the files behind this one waiting.
            log.exception("reader_failed", name=file.name)
            refused_files += _refused_with_pdf(file, _our_fault(error))
        else:
            incoming += documents
            refused_files += _unused_pdf(file, documents)
    for _ in range(TRIES):
        try:
            return file_documents(incoming, refused_files, len(batch), sandbox_office)
        except OwnerMoved:
            continue
    raise OwnerMoved


def _our_fault(error: Exception) -> Refused:
    return Refused(Reason.STRUCTURE, f"the portal could not handle it: {type(error).__name__}")


# --- replay --------------------------------------------------------------------------------------


def replay(quarantined: QuarantinedFile) -> bool:
    """Ingest a waiting file again, with the PDF beside it; tell whether all of it was filed.

    Raises documents.storage.blobs.Damaged when the stored bytes are not what they were.
    """
    if quarantined.state != QuarantineState.WAITING:
        return False
    pdf = waiting_pdf_of(quarantined)
    refused: list[tuple[str, Refused]] = []
    with _open_stored(quarantined) as file:
        for result in ingest(_with_pdf(files_in(quarantined.name, file), pdf)):
            refused += result.refused
    if refused:
        return False
    leave_quarantine([quarantined.sha256])  # of a ZIP every file was filed
    return True


def _open_stored(quarantined: QuarantinedFile) -> BinaryIO:
    if quarantined.size > MOST_BYTES:
        return cast(BinaryIO, storage().open(name_of(quarantined.sha256)))
    return BytesIO(load(quarantined.sha256))


def _with_pdf(
    files: Iterable[DeliveredFile], pdf: QuarantinedFile | None
) -> Iterator[DeliveredFile]:
    for file in files:
        yield replace(file, pdf=load(pdf.sha256)) if pdf else file


# --- parsing -------------------------------------------------------------------------------------


def parse_file(
    file: DeliveredFile, software: str = SOFTWARE, available_at: datetime | None = None
) -> list[IncomingDocument]:
    """The documents of a file; raises Refused when the file as a whole is not right."""
    if file.refused:
        raise file.refused
    if file.data.startswith(PDF_STARTS):
        raise Refused(Reason.PDF_WITHOUT_FILE, WITHOUT_FILE)
    documents = read(file.data, file.name)
    file_sha256 = hashlib.sha256(file.data).hexdigest()
    # The PDF of several documents would show each company what belongs to another one.
    pdf = PdfFile.of(file.pdf) if file.pdf and len(documents) == 1 and _is_pdf(file.pdf) else None
    incoming = []
    for number, parsed in enumerate(documents, start=1):
        name = file.name if len(documents) == 1 else f"{file.name}#{number}"
        sha256 = hashlib.sha256(parsed.data).hexdigest()
        found = classify(parsed, sha256, software)
        incoming.append(
            IncomingDocument(
                name,
                parsed,
                sha256,
                file.data,
                file_sha256,
                found,
                pdf,
                _pdf_inside(parsed),
                available_at,
            )
        )
    return incoming


def _pdf_inside(parsed: ParsedDocument) -> PdfFile | None:
    facts = parsed.facts
    return PdfFile.of(facts.pdf.data) if isinstance(facts, Invoice) and facts.pdf else None


def _is_pdf(data: bytes) -> bool:
    return data.startswith(PDF_STARTS)


def _refused_with_pdf(file: DeliveredFile, refused: Refused) -> list[RefusedFile]:
    """The file, and the PDF beside it, which waits for its file."""
    if file.stored is None:
        refused_file = RefusedFile.of(file.name, file.data, refused)
        refused_file = replace(refused_file, named=_named_in(file))
    else:
        refused_file = RefusedFile(file.name, file.stored.sha256, file.stored.size, refused, None)
    if file.pdf is None:
        return [refused_file]
    return [refused_file, RefusedFile.pdf_beside(refused_file, file.pdf)]


def _named_in(file: DeliveredFile) -> Named:
    try:
        return named_in(file.data)
    except Exception:
        # It was refused already, so nobody waits for this.
        log.exception("names_not_read", name=file.name)
        return NOBODY


def _unused_pdf(file: DeliveredFile, documents: list[IncomingDocument]) -> list[RefusedFile]:
    """The PDF beside a file when it is not the PDF of its documents."""
    if file.pdf is None or any(document.pdf for document in documents):
        return []
    if not _is_pdf(file.pdf):
        refused = Refused(Reason.UNKNOWN_FORMAT, "the PDF beside the file is no PDF")
    else:
        refused = Refused(Reason.PDF_WITHOUT_FILE, "the file beside it has several documents")
    return [RefusedFile.of(f"{file.name} (PDF)", file.pdf, refused)]


# --- filing --------------------------------------------------------------------------------------


def file_documents(
    incoming: list[IncomingDocument],
    refused_files: list[RefusedFile],
    files: int = 0,
    sandbox_office: int | None = None,
) -> BatchResult:
    """Store the bytes; then write the rows of all documents and of the quarantine in one commit."""
    everything = [one for document in incoming for one in document.classifications]
    with every_office():
        owners = Owners.of(everything, sandbox_office=sandbox_office)
        owned, ownerless = _by_owner(incoming, owners)
        known = already_filed(document.key for document in owned)
    # A document that comes twice in one batch is filed once.
    fresh = list({one.key: one for one in owned if one.key not in known}.values())
    refused_files = [*refused_files, *ownerless]
    is_real = sandbox_office is None
    _store(fresh, refused_files if is_real else [])
    new_documents = list(map(_new_document, fresh))
    waiting = {file.sha256 for file in refused_files}
    arrived = {digest for document in incoming for digest in document.digests()} - waiting
    with horizon_held_back() if new_documents else transaction.atomic(), every_office():
        if new_documents or owners.proofs:
            _lock_owners(incoming, owned, sandbox_office)
        filed = insert(new_documents) if new_documents else []
        if filed:
            documents_filed.send(BatchResult, filed=filed)
        if is_real:
            put_into_quarantine(refused_files)
            leave_quarantine(arrived)
    return BatchResult(
        files=files,
        filed=Counter(document.kind for document in filed),
        new_versions=sum(document.version > 1 for document in filed),
        already_filed=len(owned) - len(filed),
        refused=[(file.name, file.refused) for file in refused_files],
    )


def _by_owner(
    incoming: list[IncomingDocument], owners: Owners
) -> tuple[list[OwnedDocument], list[RefusedFile]]:
    """The documents that have an owner, and the files that wait because they have none."""
    owned: list[OwnedDocument] = []
    ownerless: list[RefusedFile] = []
    for document in incoming:
        try:
            found, refused = owners.owned(document.classifications)
            owned += [OwnedDocument(document, one, owner) for one, owner in found]
        except Refused as nobody:
            refused = nobody
        if refused is not None:
            file = document.refused_as(refused)
            ownerless.append(file)
            if document.pdf is not None:
                ownerless.append(RefusedFile.pdf_beside(file, document.pdf.data))
    return owned, ownerless


def _store(fresh: list[OwnedDocument], refused_files: list[RefusedFile]) -> None:
    """Store all bytes of the batch in one go."""
    blobs = {file.sha256: file.data for file in refused_files if file.data is not None}
    for document in fresh:
        incoming = document.incoming
        blobs[incoming.sha256] = incoming.parsed.data
        if pdf := incoming.delivered_pdf:
            blobs[pdf.sha256] = pdf.data
        blobs |= {one.sha256: data for one, data in incoming.attachments.items()}
    store_many(blobs)


def _new_document(owned: OwnedDocument) -> NewDocument:
    incoming, parsed = owned.incoming, owned.incoming.parsed
    return NewDocument(
        owned.classification,
        owned.owner,
        tuple(incoming.formats()),
        incoming.available_at,
        parsed.warnings,
        parsed.fingerprint,
        tuple(incoming.attachments),
    )


def _lock_owners(
    incoming: list[IncomingDocument], owned: list[OwnedDocument], sandbox_office: int | None
) -> None:
    """Lock the companies and confirm what the documents prove; raise OwnerMoved where one changed.

    All documents are judged again, in their order: an earlier one may prove what a later one needs.
    """
    every = (one for each in incoming for one in each.classifications)
    owners = Owners.of(every, lock=True, sandbox_office=sandbox_office)
    now, _ownerless = _by_owner(incoming, owners)
    if [one.place for one in now] != [one.place for one in owned]:
        raise OwnerMoved
    try:
        owners.confirm()
    except IntegrityError as taken:
        raise OwnerMoved from taken
