"""The rows of a batch, by COPY: 40,000 a second, against 1,600 that are saved one by one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import uuid4

import orjson
from django.db import connection

from documents.filing import Entry
from documents.models import Kind
from documents.owners import Owner

ARRIVING = """
    create temporary table arriving (
        place int, uuid uuid, office_id bigint, client_id bigint, kind smallint, public_id text,
        available_at timestamptz, attributes jsonb, natural_key text, sha256 text, series text,
        number text, dated_on date, counterparty text, currency text, amount numeric,
        opening numeric, words text, files jsonb
    ) on commit drop
"""
THERE_ALREADY = """
    delete from arriving a using documents_filing f
    where f.client_id = a.client_id and f.kind = a.kind and f.sha256 = a.sha256
"""
DOCUMENTS = """
    insert into documents_document
        (uuid, office_id, client_id, kind, public_id, available_at, attributes)
    select uuid, office_id, client_id, kind, public_id,
        coalesce(available_at, statement_timestamp()), attributes
    from arriving order by place
"""
# A paper that is there under its name, with other bytes, gets the next version.
FILINGS = """
    insert into documents_filing
        (document_id, office_id, client_id, kind, natural_key, version, sha256, series, number,
         dated_on, counterparty, currency, amount, opening, words)
    select d.id, a.office_id, a.client_id, a.kind, a.natural_key,
        row_number() over (partition by a.client_id, a.kind, a.natural_key order by a.place)
        + coalesce((select max(f.version) from documents_filing f where f.client_id = a.client_id
            and f.kind = a.kind and f.natural_key = a.natural_key), 0),
        a.sha256, a.series, a.number, a.dated_on, a.counterparty, a.currency, a.amount, a.opening,
        a.words
    from arriving a join documents_document d using (uuid)
    returning kind, version
"""
CONTENTS = """
    insert into documents_content (document_id, media_type, size, sha256)
    select d.id, f.media_type, f.size, f.sha256
    from arriving a join documents_document d using (uuid)
    cross join lateral jsonb_to_recordset(a.files)
        as f (media_type text, size bigint, sha256 text)
"""


class Stored(NamedTuple):
    """One format of a document whose bytes are stored."""

    media_type: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Arriving:
    """A document with its place and its bytes; the first file is the structured one.

    `available_at` is the moment of the insert where it is None.
    """

    entry: Entry
    owner: Owner
    files: tuple[Stored, ...]
    available_at: datetime | None = None


def there_already(wanted: Iterable[tuple[int, int, str]]) -> set[tuple[int, int, str]]:
    """Those of (client, kind, SHA-256) that are filed; only where every office is in scope."""
    columns = tuple(map(list, zip(*wanted, strict=True))) or ([], [], [])
    with connection.cursor() as cursor:
        cursor.execute(
            "select f.client_id, f.kind, f.sha256 from documents_filing f join"
            " unnest(%s::bigint[], %s::smallint[], %s::text[]) w (client_id, kind, sha256)"
            " using (client_id, kind, sha256)",
            columns,
        )
        return set(cursor.fetchall())


def insert(batch: Iterable[Arriving]) -> list[tuple[Kind, int]]:
    """File what is not filed yet; return kind and version of each new document.

    Only with the owners locked and every office in scope; the bytes are stored already.
    """
    unlike: dict[tuple[int, int, str], Arriving] = {}
    for each in batch:
        unlike.setdefault((each.owner.client_id, each.entry.kind, each.files[0].sha256), each)
    with connection.cursor() as cursor:
        # COPY does not pass row security, so it fills a table of this transaction first.
        cursor.execute(ARRIVING)
        with cursor.copy("copy arriving from stdin") as copy:
            for place, arriving in enumerate(unlike.values()):
                copy.write_row(_row(place, arriving))
        cursor.execute(THERE_ALREADY)
        cursor.execute(DOCUMENTS)
        cursor.execute(FILINGS)
        filed = [(Kind(kind), version) for kind, version in cursor.fetchall()]
        cursor.execute(CONTENTS)
    return filed


def _row(place: int, arriving: Arriving) -> tuple[object, ...]:
    entry, owner = arriving.entry, arriving.owner
    return (
        place,
        uuid4(),
        owner.office_id,
        owner.client_id,
        entry.kind.value,
        entry.public_id,
        arriving.available_at,
        orjson.dumps(entry.attributes).decode(),
        entry.natural_key,
        arriving.files[0].sha256,
        entry.series,
        entry.number,
        entry.dated_on,
        entry.counterparty,
        entry.currency,
        entry.amount,
        entry.opening,
        entry.words,
        orjson.dumps([file._asdict() for file in arriving.files]).decode(),
    )
