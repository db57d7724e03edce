"""Insert the documents of a batch, and recognise those that were delivered before.

A delivered document is a second delivery of a filed one of the same company and kind when

* its file has the same bytes (`sha256`),
* or it says the same in a file that is packed in another way (`fingerprint`),
* or its sender marked it as a copy (`is_copy`) and a filed document has its natural key.

A second delivery is not filed again. A document with the natural key of a filed one that is none
of these has other content: it is filed as the next version.

The rows are written by COPY: 40,000 a second, against 1,600 that are saved one by one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import uuid4

import orjson
from django.db import connection

from clients.lookup import ActiveCompany
from core.document_kinds import Kind
from documents.formats.file_warnings import FileWarning
from documents.ingest.classify import Classification
from documents.models.querysets import StoredFormat

CREATE_NEW_DOCUMENT = """
    create temporary table new_document (
        place int, uuid uuid, office_id bigint, client_id bigint, kind smallint, public_id text,
        available_at timestamptz, attributes jsonb, natural_key text, sha256 text, series text,
        number text, dated_on date, counterparty text, currency text, amount numeric,
        opening numeric, words text, warnings jsonb, fingerprint text, is_copy boolean, sender text,
        files jsonb, attachments jsonb, version int, document_id bigint
    ) on commit drop
"""
# Each row is looked up by an index. Behind row security the planner expects few rows of a whole
# table, and would read all of it for every batch: `limit` leaves it no choice.
#
# Before anything is stored: a quick look by the bytes alone.
SELECT_FILED_BYTES = """
    select w.client_id, w.kind, w.sha256
    from unnest(%s::bigint[], %s::smallint[], %s::text[]) w (client_id, kind, sha256)
    cross join lateral (
        select 1 from documents_documentdetails f
        where f.client_id = w.client_id and f.kind = w.kind and f.sha256 = w.sha256 limit 1
    ) filed
"""
DELETE_SECOND_DELIVERIES = """
    delete from new_document where place in (
        select n.place from new_document n cross join lateral (
            (select 1 from documents_documentdetails f
            where f.client_id = n.client_id and f.kind = n.kind and f.sha256 = n.sha256 limit 1)
            union all
            (select 1 from documents_documentdetails f
            where f.client_id = n.client_id and f.kind = n.kind
                and f.fingerprint = n.fingerprint and f.fingerprint <> '' limit 1)
            union all
            (select 1 from documents_documentdetails f
            where n.is_copy and f.client_id = n.client_id and f.kind = n.kind
                and f.natural_key = n.natural_key limit 1)
        ) filed
    )
"""
# A document whose natural key is there already, with other bytes, gets the next version. The wire
# says so in the attributes, which a search reads anyway; it adds the words for a first version.
NUMBER_VERSIONS = """
    with numbered as (
        select n.place, coalesce(last.version, 0) + row_number() over same as version,
            coalesce(lag(coalesce(n.public_id, n.uuid::text)) over same, last.wire_id) as replaces
        from new_document n
        left join lateral (
            select f.version, coalesce(d.public_id, d.uuid::text) wire_id
            from documents_documentdetails f join documents_document d on d.id = f.document_id
            where f.client_id = n.client_id and f.kind = n.kind and f.natural_key = n.natural_key
            order by f.version desc limit 1
        ) last on true
        window same as (partition by n.client_id, n.kind, n.natural_key order by n.place)
    )
    update new_document n set version = v.version,
        attributes = n.attributes
            || jsonb_build_object('version', v.version, 'replaces', v.replaces)
    from numbered v where v.place = n.place and v.version > 1
"""
INSERT_DOCUMENTS = """
    with made as (
        insert into documents_document
            (uuid, office_id, client_id, kind, public_id, available_at, attributes)
        select uuid, office_id, client_id, kind, public_id,
            coalesce(available_at, statement_timestamp()), attributes
        from new_document order by place
        returning id, uuid
    )
    update new_document n set document_id = made.id from made where made.uuid = n.uuid
"""
INSERT_DETAILS = """
    insert into documents_documentdetails
        (document_id, office_id, client_id, kind, natural_key, version, sha256, series, number,
         dated_on, counterparty, currency, amount, opening, words, warnings, fingerprint,
         sender)
    select n.document_id, n.office_id, n.client_id, n.kind, n.natural_key, n.version, n.sha256,
        n.series, n.number, n.dated_on, n.counterparty, n.currency, n.amount, n.opening,
        n.words, n.warnings, n.fingerprint, n.sender
    from new_document n order by n.place
    returning office_id, client_id, kind, version
"""
INSERT_CONTENTS = """
    insert into documents_content (document_id, media_type, size, sha256)
    select n.document_id, f.media_type, f.size, f.sha256
    from new_document n cross join lateral jsonb_to_recordset(n.files)
        as f (media_type text, size bigint, sha256 text)
"""
INSERT_ATTACHMENTS = """
    insert into documents_attachment (document_id, place, name, media_type, size, sha256)
    select n.document_id, f.place, f.name, f.media_type, f.size, f.sha256
    from new_document n cross join lateral jsonb_to_recordset(n.attachments)
        as f (place int, name text, media_type text, size bigint, sha256 text)
"""


class DocumentKey(NamedTuple):
    """What makes a filed document the same one: its company, its kind, the digest of its file."""

    client_id: int
    kind: int
    sha256: str


class NewAttachment(NamedTuple):
    """A file inside a document; its bytes are stored. `place` is its place in the file."""

    place: int
    name: str
    media_type: str
    size: int
    sha256: str


class FiledDocument(NamedTuple):
    """A document that was inserted; a version above 1 differs from one that was there before."""

    office_id: int
    client_id: int
    kind: Kind
    version: int


@dataclass(frozen=True)
class NewDocument:
    """A document with its owner and its stored files; the first file is the structured one.

    `available_at` is the moment of the insert where it is None.
    """

    classification: Classification
    owner: ActiveCompany
    files: tuple[StoredFormat, ...]
    available_at: datetime | None = None
    warnings: tuple[FileWarning, ...] = ()
    # What the document says, however its file is packed; the digest of its file where it is empty.
    fingerprint: str = ""
    attachments: tuple[NewAttachment, ...] = ()

    @property
    def key(self) -> DocumentKey:
        """Two documents of one batch with the same key are copies."""
        digest = self.fingerprint or self.files[0].sha256
        return DocumentKey(self.owner.client_id, self.classification.kind.value, digest)


def already_filed(wanted: Iterable[DocumentKey]) -> set[DocumentKey]:
    """Those of the documents whose very bytes are filed; only where every office is in scope."""
    columns = tuple(map(list, zip(*wanted, strict=True))) or ([], [], [])
    with connection.cursor() as cursor:
        cursor.execute(SELECT_FILED_BYTES, columns)
        return set(map(DocumentKey._make, cursor.fetchall()))


def insert(batch: Iterable[NewDocument]) -> list[FiledDocument]:
    """File the documents that are no second delivery; return those that were inserted.

    Only with the owners locked and every office in scope. Their bytes must be stored already.
    """
    once: dict[DocumentKey, NewDocument] = {}
    for document in batch:
        once.setdefault(document.key, document)
    with connection.cursor() as cursor:
        # COPY does not pass row security, so it fills a table of this transaction first.
        cursor.execute(CREATE_NEW_DOCUMENT)
        with cursor.copy("copy new_document from stdin") as copy:
            for place, document in enumerate(once.values()):
                copy.write_row(_row(place, document))
        cursor.execute(DELETE_SECOND_DELIVERIES)
        cursor.execute(NUMBER_VERSIONS)
        cursor.execute(INSERT_DOCUMENTS)
        cursor.execute(INSERT_DETAILS)
        filed = [
            FiledDocument(office_id, client_id, Kind(kind), version)
            for office_id, client_id, kind, version in cursor.fetchall()
        ]
        cursor.execute(INSERT_CONTENTS)
        if any(document.attachments for document in once.values()):
            cursor.execute(INSERT_ATTACHMENTS)
    return filed


def vacuum_after_bulk_insert() -> None:
    """After very many rows at once: let index scans skip the table, and plans know its size.

    Only outside a transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute("vacuum (analyze) documents_document")
        cursor.execute("analyze documents_content, documents_documentdetails")


def _row(place: int, document: NewDocument) -> tuple[object, ...]:
    """The columns of `new_document`, in their order."""
    classification, owner = document.classification, document.owner
    return (
        place,
        uuid4(),
        owner.office_id,
        owner.client_id,
        classification.kind.value,
        classification.public_id,
        document.available_at,
        orjson.dumps(classification.attributes).decode(),
        classification.natural_key,
        document.files[0].sha256,
        classification.series,
        classification.number,
        classification.dated_on,
        classification.counterparty,
        classification.currency,
        classification.amount,
        classification.opening,
        classification.words,
        orjson.dumps([warning.stored() for warning in document.warnings]).decode(),
        document.fingerprint,
        classification.is_copy,
        classification.sender,
        orjson.dumps([file._asdict() for file in document.files]).decode(),
        orjson.dumps([file._asdict() for file in document.attachments]).decode(),
        1,
        None,
    )
