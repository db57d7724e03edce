"""`seed`: offices of very different sizes, filled by the database itself, then VACUUM ANALYZE.

A few offices have 5,000 clients, some a hundred, most only a few. Only the large ones allow the
partner. Nobody searches the others; their rows only make the tables as large as in practice.
"""

from __future__ import annotations

import os
import random
import time
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.utils import timezone
from psycopg import ClientCursor, Connection, connect

from accounts.models import Office
from bench import bulk_load, database, participants
from core.document_kinds import BY_KIND, Kind

BIG_CLIENTS, MEDIUM_CLIENTS = 5_000, 120
YEARS = timedelta(days=729)
BATCH = 250_000
# Of a hundred documents so many are of each kind.
WEIGHTS = [60, 5, 5, 20, 10]
OFTEN = [kind for kind, weight in zip(BY_KIND, WEIGHTS, strict=True) for _ in range(weight)]
CARD = Kind.CREDIT_CARD_STATEMENT.value
# Rows sorted by time, as they arrive in practice, over nearly two years.
DOCUMENTS = """
    insert into documents_document
        (uuid, office_id, client_id, kind, public_id, available_at, attributes)
    select md5('bench ' || n)::uuid, (%(offices)s::bigint[])[place], (%(clients)s::bigint[])[place],
        kind, case when kind = %(card)s then 'card-' || n end,
        %(first)s + %(span)s * ((n + random()) / %(count)s),
        jsonb_build_object('iban', 'BE' || lpad(n::text, 14, '0'))
    from (
        select n, 1 + floor(random() * %(among)s)::int as place,
            (%(kinds)s::smallint[])[1 + floor(random() * %(of_kinds)s)::int] as kind
        from generate_series(%(from)s::bigint, %(to)s::bigint - 1) n
    ) drawn
"""


class Size(NamedTuple):
    documents: int
    big: int
    medium: int
    small: int


SIZES = {
    # Too small to measure: tests use it to check that the bench still fits the product.
    "T": Size(20_000, big=1, medium=2, small=7),
    "S": Size(500_000, big=1, medium=10, small=189),
    "M": Size(20_000_000, big=5, medium=100, small=395),
    "L": Size(60_000_000, big=5, medium=100, small=395),
}


def fill(name: str, share: float = 1) -> str:
    """Fill the empty database and say how long it took; return its size.

    A share of a size has its offices with fewer documents: to try whether a seed works.
    """
    began = time.monotonic()
    offices = _offices(SIZES[name])
    documents = round(SIZES[name].documents * share)
    marked = name if share == 1 else f"{share:g} {name}"
    asked = [office for office in offices if not office.slug.startswith(participants.SMALL)]
    participants.make_partner()
    participants.make_admin(asked)
    with connect(os.environ[database.OWNER], autocommit=True) as connection:
        _copy_clients(connection, offices, _chance(0))
        _fill_documents(connection, documents)
        for office in asked:
            participants.allow(office)
        for slug in (participants.OF_RUN, participants.OF_CANCEL):
            participants.add_files(participants.office(slug), datetime.now(UTC) - timedelta(days=1))
        connection.execute("vacuum analyze")
        database.mark(connection, marked)
        gigabytes = connection.execute("select pg_database_size(current_database()) / 1e9")
        size = gigabytes.fetchall()[0][0]
    took = time.monotonic() - began
    print(
        f"Seeded {documents:,} documents (size {marked}) in {took:.1f} s, {size:.1f} GB.\n",
        flush=True,
    )
    return marked


def _chance(serial: int) -> random.Random:
    """Random numbers that are the same in every seed."""
    return random.Random(serial)  # noqa: S311


def _offices(size: Size) -> list[Office]:
    slugs = [f"{participants.BIG}-{n}" for n in range(size.big)]
    slugs += [f"{participants.MEDIUM}-{n}" for n in range(size.medium)]
    slugs += [f"{participants.SMALL}-{n}" for n in range(size.small)]
    return Office.objects.bulk_create(
        Office(name=slug, slug=slug, company_number=_company_number(8_500_000 + n))
        for n, slug in enumerate(slugs)
    )


def _company_number(serial: int) -> str:
    """An enterprise number that is correct modulo 97."""
    first = 10_000_000 + serial
    return f"{first}{97 - first % 97:02d}"


def _copy_clients(connection: Connection, offices: list[Office], chance: random.Random) -> None:
    serial = 0
    columns = "office_id, company_number, name, code, language, email, archived_reason"
    columns += ", confirmed_at"
    now = timezone.now()
    into = f"copy clients_client ({columns}) from stdin"
    with connection.cursor() as cursor, cursor.copy(into) as copy:
        for office in offices:
            for _ in range(_clients_of(office, chance)):
                number = _company_number(serial)
                said = (number, f"Client {serial}", f"C{serial}", "nl", "", "")
                copy.write_row((office.pk, *said, now))
                serial += 1


def _clients_of(office: Office, chance: random.Random) -> int:
    if office.slug.startswith(participants.BIG):
        return BIG_CLIENTS
    return MEDIUM_CLIENTS if office.slug.startswith(participants.MEDIUM) else chance.randint(2, 16)


def _fill_documents(connection: Connection, count: int) -> None:
    clients = connection.execute("select id, office_id from clients_client order by id").fetchall()
    named = {
        "count": count,
        "clients": f"{{{','.join(str(client) for client, _office in clients)}}}",
        "offices": f"{{{','.join(str(office) for _client, office in clients)}}}",
        "among": len(clients),
        "kinds": f"{{{','.join(str(kind) for kind in OFTEN)}}}",
        "of_kinds": len(OFTEN),
        "card": CARD,
        "first": datetime.now(UTC) - YEARS,
        "span": YEARS,
    }
    cursor = ClientCursor(connection)
    with bulk_load.bare(connection, "documents_document"):
        # The same documents in every seed.
        cursor.execute("select setseed(0)")
        for batch in bulk_load.in_batches(count, BATCH):
            cursor.execute(DOCUMENTS, {**named, "from": batch.start, "to": batch.stop})
