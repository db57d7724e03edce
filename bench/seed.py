"""`seed`: offices as unequal as in life, filled by COPY, ending with VACUUM ANALYZE.

A few offices have 5,000 clients, some a hundred, most a handful. The partner is allowed at the
large ones only: nobody asks the others anything, they are the rest of the haystack.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from psycopg import Connection, connect

from accounts.models import Office
from bench import cast, database
from documents.models import Kind

BIG_CLIENTS, MEDIUM_CLIENTS = 5_000, 120
YEARS = timedelta(days=729)
# COPY checks two foreign keys a row when it ends, and remembers every row until then.
BATCH = 125_000
WRITERS = 2
KINDS = list(Kind.values)
WEIGHTS = [60, 5, 5, 20, 10]
CARD = Kind.CREDIT_CARD_STATEMENT.value


class Size(NamedTuple):
    documents: int
    big: int
    medium: int
    small: int


SIZES = {
    # Too small to time: with it the tests see that the bench still fits the product.
    "T": Size(20_000, big=1, medium=2, small=7),
    "S": Size(500_000, big=1, medium=10, small=189),
    "M": Size(20_000_000, big=5, medium=100, small=395),
    "L": Size(60_000_000, big=5, medium=100, small=395),
}


def fill(name: str) -> None:
    """Fill the empty database and say how long it took."""
    began = time.monotonic()
    offices = _offices(SIZES[name])
    asked = [office for office in offices if not office.slug.startswith(cast.SMALL)]
    cast.make_partner()
    cast.make_admin(asked)
    with _connect(autocommit=True) as connection:
        _copy_clients(connection, offices, _chance(0))
        _copy_documents(connection, name)
        for office in asked:
            cast.allow(office)
        for slug in (cast.OF_RUN, cast.OF_CANCEL):
            cast.add_files(cast.office(slug), datetime.now(UTC) - timedelta(days=1))
        connection.execute("vacuum analyze")
        database.mark(connection, name)
    took = time.monotonic() - began
    print(
        f"Seeded {SIZES[name].documents:,} documents (size {name}) in {took:.1f} s.\n", flush=True
    )


def _connect(*, autocommit: bool = False) -> Connection:
    return connect(os.environ["DATABASE_URL"], autocommit=autocommit)


def _chance(serial: int) -> random.Random:
    """The same rows in every seed."""
    return random.Random(serial)  # noqa: S311


def _offices(size: Size) -> list[Office]:
    slugs = [f"{cast.BIG}-{n}" for n in range(size.big)]
    slugs += [f"{cast.MEDIUM}-{n}" for n in range(size.medium)]
    slugs += [f"{cast.SMALL}-{n}" for n in range(size.small)]
    return Office.objects.bulk_create(
        Office(name=slug, slug=slug, company_number=_company_number(9_000_000 + n))
        for n, slug in enumerate(slugs)
    )


def _company_number(serial: int) -> str:
    """An enterprise number that is correct modulo 97."""
    first = 10_000_000 + serial
    return f"{first}{97 - first % 97:02d}"


def _copy_clients(connection: Connection, offices: list[Office], chance: random.Random) -> None:
    serial = 0
    columns = "office_id, company_number, name, code, language, email, archived_reason"
    into = f"copy clients_client ({columns}) from stdin"
    with connection.cursor() as cursor, cursor.copy(into) as copy:
        for office in offices:
            for _ in range(_clients_of(office, chance)):
                number = _company_number(serial)
                copy.write_row((office.pk, number, f"Client {serial}", f"C{serial}", "nl", "", ""))
                serial += 1


def _clients_of(office: Office, chance: random.Random) -> int:
    if office.slug.startswith(cast.BIG):
        return BIG_CLIENTS
    return MEDIUM_CLIENTS if office.slug.startswith(cast.MEDIUM) else chance.randint(2, 16)


def _copy_documents(connection: Connection, size: str) -> None:
    """Straight into the table: COPY cannot pass row security, so its owner lifts it meanwhile."""
    clients = connection.execute("select id, office_id from clients_client order by id").fetchall()
    count = SIZES[size].documents
    batches = [range(n, min(n + BATCH, count)) for n in range(0, count, BATCH)]
    connection.execute("alter table documents_document no force row level security")
    with ThreadPoolExecutor(WRITERS) as writers:
        list(writers.map(lambda batch: _copy_batch(batch, count, clients), batches))
    connection.execute("alter table documents_document force row level security")


def _copy_batch(batch: range, count: int, clients: list[tuple[int, int]]) -> None:
    into = (
        "copy documents_document"
        " (uuid, office_id, client_id, kind, public_id, available_at, attributes) from stdin"
    )
    with _connect() as connection, connection.cursor() as cursor, cursor.copy(into) as copy:
        for lines in _lines(batch, count, clients):
            copy.write(lines)


def _lines(batch: range, count: int, clients: list[tuple[int, int]]) -> Iterator[str]:
    """Rows in the order of their time, as they arrive in life, spread over nearly two years."""
    chance = _chance(batch.start)
    span = YEARS.total_seconds()
    began = datetime.now(UTC).timestamp() - span
    kinds = chance.choices(KINDS, WEIGHTS, k=len(batch))
    block = []
    for serial, kind in zip(batch, kinds, strict=True):
        client, office = chance.choice(clients)
        at = datetime.fromtimestamp(began + span * (serial + chance.random()) / count, UTC)
        public_id = f"card-{serial}" if kind == CARD else r"\N"
        uuid, own = f"{chance.getrandbits(128):032x}", f'{{"iban": "BE{serial:014d}"}}'
        block.append(f"{uuid}\t{office}\t{client}\t{kind}\t{public_id}\t{at}\t{own}\n")
        if len(block) == 5_000:
            yield "".join(block)
            block.clear()
    yield "".join(block)
