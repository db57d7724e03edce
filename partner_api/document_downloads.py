"""Many documents as one ZIP that is cut when access ends, as every download is."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from consents.access import AccessContext
from core.document_kinds import DocumentKind
from core.zip_stream import ZipEntry, checksum_of, zip_pieces
from documents.access_log import Reader, ReadFile, record
from documents.models import Outcome
from documents.models.bulk_lookup import DocumentName, find_named
from documents.models.querysets import FoundDocument, StoredFormat
from documents.storage.blobs import ASK_EVERY, ASK_EVERY_BYTES, DownloadCut, Part, pieces
from partner_api.errors import ApiError, Fault, refused
from partner_api.hot_path.download import (
    TO_RENDER,
    extension_of,
    preferred_format,
    rendered,
    structured_format,
)
from partner_api.hot_path.reading import SENTENCES

POINTER = "/data/attributes/documents/{}"
UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
ERRORS = "errors.json"


class WantedDocument(NamedTuple):
    """One entry of the request."""

    place: int
    kind: DocumentKind
    identifier: str
    accept: str

    @property
    def name(self) -> DocumentName | None:
        """None for an identifier that no document of this kind has."""
        if not self.kind.uuid_on_the_wire:
            return DocumentName(self.kind.kind, self.identifier)
        try:
            return DocumentName(self.kind.kind, UUID(self.identifier))
        except ValueError:
            return None


class ArchivedFile(NamedTuple):
    """One file of the archive."""

    kind: DocumentKind
    found: FoundDocument
    stored: StoredFormat
    name: str
    attachment: str

    @property
    def read(self) -> ReadFile:
        return ReadFile(self.found.id, self.stored.media_type, self.stored.size, self.attachment)


@dataclass
class Archive:
    """What goes into the ZIP, and what may not be read, with the reason."""

    files: dict[str, ArchivedFile] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    @property
    def errors(self) -> bytes:
        return orjson.dumps({"errors": [fault.as_json() for fault in self.faults]})


def collect(access: AccessContext, wanted: Sequence[WantedDocument]) -> Archive:
    """Find each document; PDFs that nobody asked for before are rendered now."""
    archive = Archive()
    readable = []
    for one in wanted:
        reason = access.denial_reason(one.kind.type)
        if reason is None:
            readable.append(one)
        else:
            archive.faults.append(_at(one, Fault(reason.value, SENTENCES[reason])))
    found = find_named(access, [one.name for one in readable if one.name])
    for one in readable:
        try:
            file = _file(access, one, found)
        except ApiError as error:
            archive.faults.append(_at(one, error.faults[0]))
        else:
            archive.files[file.name] = file
    return archive


def _file(
    access: AccessContext,
    one: WantedDocument,
    found: Mapping[DocumentName, list[FoundDocument]],
) -> ArchivedFile:
    documents = found.get(one.name, []) if one.name else []
    if len(documents) > 1:
        raise refused(404, "notFound", "Several companies have this document; ask for it alone.")
    if not documents:
        raise refused(404, "notFound", "There is no such document for you.")
    (document,) = documents
    accept = one.accept or structured_format(one.kind, document)
    wanted = preferred_format(accept, one.kind, document, access.office_id)
    if wanted is None:
        formats = ", ".join(document.formats)
        raise refused(406, "notAcceptable", f"accept must be one of {formats} in a ZIP.")
    stored = wanted.format
    if stored == TO_RENDER:
        stored = rendered(access.office_id, document.id)
    identifier = UNSAFE.sub("_", document.row.public_id or document.row.uuid)
    name = f"{one.kind.path}/{identifier}.{extension_of(stored)}"
    return ArchivedFile(one.kind, document, stored, name, wanted.attachment)


def _at(one: WantedDocument, fault: Fault) -> Fault:
    return fault._replace(
        pointer=POINTER.format(one.place), meta={"type": one.kind.type, "id": one.identifier}
    )


class ArchiveStream:
    """The bytes of the archive. Access is asked again while they are sent."""

    def __init__(self, reader: Reader, archive: Archive) -> None:
        self._reader = reader
        self._asked, self._sent = time.monotonic(), 0
        self.entries = [self._entry(file) for file in archive.files.values()]
        if archive.faults:
            errors = archive.errors
            self.entries.append(ZipEntry(ERRORS, len(errors), lambda: iter([errors])))

    def __iter__(self) -> Iterator[bytes]:
        return zip_pieces(self.entries, lambda entry: checksum_of(entry.read()))

    def _entry(self, file: ArchivedFile) -> ZipEntry:
        return ZipEntry(file.name, file.stored.size, lambda: self._read(file))

    def _read(self, file: ArchivedFile) -> Iterator[bytes]:
        part = Part(0, file.stored.size, file.stored.size)
        # One clock for all files: many short ones take as long as a long one.
        for piece in pieces(file.stored.sha256, part, lambda: True, lambda _sent: None):
            is_late = time.monotonic() - self._asked > ASK_EVERY
            if is_late or self._sent >= ASK_EVERY_BYTES:
                self._asked, self._sent = time.monotonic(), 0
                self._stop_when_access_ended(file)
            self._sent += len(piece)
            yield piece

    def _stop_when_access_ended(self, file: ArchivedFile) -> None:
        access = AccessContext.of(self._reader.consent_id)
        client = file.found.row.client_id
        if access.denial_reason(file.kind.type) is None and access.covers(client):
            return
        stored = file.stored
        record(
            self._reader,
            Outcome.CUT,
            document_id=file.found.id,
            media_type=stored.media_type,
        )
        raise DownloadCut


def wanted_documents(body: dict[str, Any]) -> list[WantedDocument]:
    """The entries of a request that a serializer has checked."""
    entries = body["data"]["attributes"]["documents"]
    return [
        WantedDocument(place, entry["type"], entry["id"], entry.get("accept") or "")
        for place, entry in enumerate(entries)
    ]
