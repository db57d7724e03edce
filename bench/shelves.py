"""An office whose companies have documents and filings: written by SQL, as many as are asked for.

Document k of a company is its k-th: 48 a month of the kinds of real life, numbers that count up,
balances that follow each other.
"""

from __future__ import annotations

from typing import Any

from django.db import connection

from accounts.models import Office
from accounts.tenancy import every_office
from clients.models import Client

BATCH = 50_000
FILL = """
    with wanted as (
        select n, n / %(every)s as k, (%(clients)s::bigint[])[1 + n %% %(every)s] as client,
            (case when n / %(every)s %% 48 < 20 then 1 when n / %(every)s %% 48 < 35 then 4
                when n / %(every)s %% 48 < 45 then 5 when n / %(every)s %% 48 < 46 then 2
                else 3 end)::smallint as kind,
            %(first)s::date + ((n / %(every)s) * 30 / 48)::int as day
        from generate_series(%(from)s::bigint, %(to)s::bigint - 1) n
    ), filed as (
        insert into documents_document
            (uuid, office_id, client_id, kind, available_at, attributes)
        select gen_random_uuid(), %(office)s, client, kind, day,
            jsonb_build_object('k', k, 'day', day) from wanted
        returning id, client_id, kind, attributes
    )
    insert into documents_filing (document_id, office_id, client_id, kind, natural_key, version,
        sha256, series, number, dated_on, counterparty, currency, amount, opening, words)
    select id, %(office)s, client_id, kind, 'key ' || (attributes->>'k'), 1,
        lpad(id::text, 64, '0'), case when kind < 4 then 'BE' || client_id else '' end,
        attributes->>'k', (attributes->>'day')::date,
        case when kind > 3 then 'Leverancier ' || (id %% 97) else '' end, 'EUR',
        (id * 7919 %% 1000000) / 100.0, 0,
        'nummer ' || (attributes->>'k') || ' leverancier ' || (id %% 97)
    from filed
"""


def fill(office: Office, companies: list[Client], documents: int, already: int = 0) -> None:
    """Spread documents evenly over the companies, oldest first, until there are so many."""
    parameters: dict[str, Any] = {
        "office": office.pk,
        "clients": f"{{{','.join(str(company.pk) for company in companies)}}}",
        "every": len(companies),
        "first": "2024-01-01",
    }
    for first in range(already, documents, BATCH):
        last = min(first + BATCH, documents)
        with every_office(), connection.cursor() as cursor:
            cursor.execute(FILL, {**parameters, "from": first, "to": last})


def analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("analyze documents_document, documents_filing")
