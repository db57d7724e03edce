"""`ingest`: documents a second by kind, beside a bare COPY and file write; memory; goal 13.

The files lie in a folder, as in life. What is filed here is removed again at the end.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.db import connections
from django.db.models.functions import Now
from psycopg import Connection, connect

from accounts.models import Office
from bench.database import KEPT
from bench.report import Report
from clients.models import Account, Client
from core.document_kinds import CARO, SODA, XML, Kind
from core.row_security import every_office
from demo.data import coda, other_documents
from demo.data.books import Company
from demo.data.names import COUNTERPARTIES
from demo.data.numbers import iban
from documents.formats.reading import read
from documents.ingest.bulk_insert import NewDocument, _row, insert
from documents.ingest.classify import classify
from documents.ingest.owners import Owners
from documents.ingest.pipeline import MOST_FILES, ingest
from documents.ingest.sources import files_in_paths
from documents.models import Content, Document, DocumentDetails
from documents.models.querysets import StoredFormat
from documents.storage.blobs import remove

SLUG = "bench-ingest"
CLIENTS = 100
DAY = date(2026, 3, 2)
FOLDER = KEPT / "arriving"
TABLES = ("documents_document", "documents_documentdetails", "documents_content")
BARE = {
    "documents_document": "id, uuid, office_id, client_id, kind, public_id, available_at,"
    " attributes",
    "documents_documentdetails": "document_id, office_id, client_id, kind, natural_key, version,"
    " sha256, series, number, dated_on, counterparty, currency, amount, opening, words",
    "documents_content": "document_id, media_type, size, sha256",
}


def measure(size: str, options: argparse.Namespace) -> bool:
    """Fill the table; the goals are met when memory stays and the rows keep up with COPY."""
    report = Report("ingest", size)
    each = max((options.documents or 5_000) // len(Kind), 1)
    with _place() as companies:
        early = late = 0
        for kind in Kind:
            folder = _written(kind, companies, each)
            took, memory = _ingested(folder)
            early, late = early or memory, _peak()
            floor = _floor(folder)
            told = f"{each / took:,.0f} /s; bare {each / floor:,.0f} /s"
            report.note("", f"{kind.row.label.lower()}, {each:,} files", told, each / took)
        report.at_most("13", "peak memory, end ÷ second batch", late / early, 1.1, " ×")
        report.note("", "peak memory", f"{late / 1024:,.0f} MiB", late)
        together, alone = _rows(companies, max(each, 2_000))
        report.at_least("13", "rows with all indexes ÷ bare COPY", 100 * alone / together, 60, " %")
    return report.finish()


def _peak() -> int:
    """The most memory this program ever had, in KiB; `ru_maxrss` would count its parent's."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


# --- files ---------------------------------------------------------------------------------------


@contextmanager
def _place() -> Iterator[list[Company]]:
    """An office with a hundred companies and their accounts; gone again afterwards."""
    number = "0010990028"
    office = Office.objects.create(name=SLUG, slug=SLUG, company_number=number)
    companies = [
        Company(f"{first}{97 - first % 97:02d}".zfill(10), "Bench", f"{n}", "nl", "", iban(n), "X")
        for n, first in enumerate(range(18_950_000, 18_950_000 + CLIENTS))
    ]
    clients = Client.objects.bulk_create(
        Client(
            office=office,
            company_number=c.number,
            name=c.name,
            code=c.code,
            language="nl",
            confirmed_at=Now(),
        )
        for c in companies
    )
    Account.objects.bulk_create(
        Account(client=client, iban=company.iban, confirmed_at=Now())
        for client, company in zip(clients, companies, strict=True)
    )
    try:
        yield companies
    finally:
        _forget(office)
        shutil.rmtree(FOLDER, ignore_errors=True)


def _forget(office: Office) -> None:
    with every_office():
        mine = Document.objects.filter(office_id=office.pk)
        contents = Content.objects.filter(document__in=mine)
        digests = set(contents.values_list("sha256", flat=True))
        contents._raw_delete(contents.db)
        DocumentDetails.objects.filter(office_id=office.pk)._raw_delete("default")
        mine._raw_delete(mine.db)
    for digest in digests:
        remove(digest)
    Account.objects.filter(client__office=office).delete()
    Client.objects.filter(office=office).delete()
    office.delete()


def _written(kind: Kind, companies: list[Company], count: int) -> Path:
    """That many different files of a kind in a folder."""
    folder = FOLDER / str(kind.value)
    shutil.rmtree(folder, ignore_errors=True)
    for place in range(count):
        company = companies[place % len(companies)]
        path = folder / f"{place % len(companies)}" / f"{place}.dat"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_file(kind, company, place))
    return folder


def _file(kind: Kind, company: Company, place: int) -> bytes:
    chance = random.Random(place)  # noqa: S311
    month = DAY.replace(day=1)
    if kind == Kind.BANK_ACCOUNT_STATEMENT:
        return _statement(company, place, chance)
    if kind == Kind.PAYROLL_STATEMENT:
        return other_documents.payroll(company, month, chance).files[SODA]
    if kind == Kind.CREDIT_CARD_STATEMENT:
        return other_documents.card(company, month, chance).files[CARO]
    bought = kind == Kind.PURCHASE_INVOICE
    return other_documents.invoice(company, f"B-{place}", DAY, chance, bought=bought).files[XML]


def _statement(company: Company, place: int, chance: random.Random) -> bytes:
    """Three to six movements, as the account of a small company has in a day."""
    serial = place // CLIENTS
    other = chance.choice(COUNTERPARTIES)
    movements = tuple(
        coda.Movement(chance.randrange(1, 99_999), other.name, iban(serial), f"{other.text} {n}")
        for n in range(chance.randrange(3, 7))
    )
    day = DAY - timedelta(days=serial % 700)
    told = coda.Statement(
        *(company.iban, company.bic, company.name, serial % 999 + 1),
        *(day, day - timedelta(days=1), 0, movements),
    )
    return coda.write(told, company.number)


# --- measurements --------------------------------------------------------------------------------


def _ingested(folder: Path) -> tuple[float, int]:
    """Seconds, and the peak memory (KiB) once two batches were taken in."""
    began, memory = time.monotonic(), 0
    for place, taken in enumerate(ingest(files_in_paths([folder]))):
        if taken.refused:
            raise RuntimeError(str(taken.refused[0]))
        memory = memory if place > 1 else _peak()
    return time.monotonic() - began, memory


def _floor(folder: Path) -> float:
    """Seconds to write the same files and COPY one row of each: no checks."""
    target = KEPT / "bare"
    target.mkdir(exist_ok=True)
    began = time.monotonic()
    with _bare() as bare, bare.cursor().copy("copy bare from stdin") as copy:
        for path in folder.rglob("*.dat"):
            data = path.read_bytes()
            (target / path.name).write_bytes(data)
            copy.write_row((path.name, len(data)))
    took = time.monotonic() - began
    shutil.rmtree(target)
    return took


@contextmanager
def _bare() -> Iterator[Connection]:
    with connect(os.environ["DATABASE_URL"]) as bare:
        bare.execute("create temporary table bare (name text, size bigint)")
        yield bare


def _rows(companies: list[Company], count: int) -> tuple[float, float]:
    """Seconds of our rows and of a bare COPY of the same into the same tables, with their indexes.

    Interleaved, batch by batch of the size that ingestion has, and both committed each time.
    """
    document = _new_documents(companies, count)
    ours = bare = 0.0
    _force("no force")
    try:
        with connect(os.environ["DATABASE_OWNER_URL"]) as other:
            for at in range(0, len(document) - MOST_FILES, 2 * MOST_FILES):
                batches = document[at : at + MOST_FILES], document[at + MOST_FILES :][:MOST_FILES]
                bare += _timed(partial(_copy_bare, other, batches[0]))
                ours += _timed(partial(_insert, batches[1]))
    finally:
        _force("force")
    return ours, bare


def _timed(job: Callable[[], None]) -> float:
    began = time.monotonic()
    job()
    return time.monotonic() - began


def _insert(batch: list[NewDocument]) -> None:
    with every_office():
        insert(batch)


def _force(word: str) -> None:
    """COPY cannot pass row security, so its owner lifts it meanwhile: for the floor alone."""
    with connections["owner"].cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"alter table {table} {word} row level security")


def _new_documents(companies: list[Company], count: int) -> list[NewDocument]:
    """Rows of statements that are not filed yet, with bytes that nobody stores."""
    found = []
    for place, company in enumerate(companies * (count // len(companies) + 1)):
        data = _statement(company, place + 10_000_000, random.Random(place))  # noqa: S311
        digest = f"{place:064x}"
        (classification,) = classify(read(data)[0], digest)
        classification = replace(classification, natural_key=f"rows {place}")
        found.append((classification, (StoredFormat("a", 1, digest),)))
    with every_office():
        owners = Owners.of(classification for classification, _files in found)
    return [
        NewDocument(classification, owner, files)
        for classification, files in found
        for _same, owner in owners.owned([classification]).documents
    ]


def _copy_bare(other: Connection, batch: list[NewDocument]) -> None:
    ids = other.execute(
        "select nextval('documents_document_id_seq') from generate_series(1, %s)", [len(batch)]
    ).fetchall()
    rows: dict[str, list[tuple[Any, ...]]] = {table: [] for table in TABLES}
    now = other.execute("select statement_timestamp()").fetchone()
    for (pk,), document in zip(ids, batch, strict=True):
        # As `documents.ingest.bulk_insert` writes them, cut to the columns of each table.
        _place, uuid, office, client, kind, public, _at, own, key, sha, *rest = _row(0, document)
        rows["documents_document"].append(
            (pk, uuid, office, client, kind, public, (now or [None])[0], own)
        )
        rows["documents_documentdetails"].append((pk, office, client, kind, key, 1, sha, *rest[:8]))
        rows["documents_content"] += [(pk, *file) for file in document.files]
    with other.cursor() as cursor:
        for table, columns in BARE.items():
            with cursor.copy(f"copy {table} ({columns}) from stdin") as copy:
                for row in rows[table]:
                    copy.write_row(row)
    other.commit()
