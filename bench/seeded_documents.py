"""Seeded documents: SQL that gives the companies of an office any number of documents.

Each company has 48 documents a month. Their kinds are as frequent as in practice, their numbers
count up, and each balance follows from the one before.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import connection

from accounts.models import Office
from clients.models import Client
from core.row_security import every_office

BATCH = 50_000
# Documents of each company in 30 days.
A_MONTH = 48
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
    insert into documents_documentdetails (document_id, office_id, client_id, kind, natural_key,
        version, sha256, series, number, dated_on, counterparty, currency, amount, opening, words)
    select id, %(office)s, client_id, kind, 'key ' || (attributes->>'k'), 1,
        lpad(id::text, 64, '0'), case when kind < 4 then 'BE' || client_id else '' end,
        attributes->>'k', (attributes->>'day')::date,
        case when kind > 3 then 'Leverancier ' || (id %% 97) else '' end, 'EUR',
        (id * 7919 %% 1000000) / 100.0, 0,
        'nummer ' || (attributes->>'k') || ' leverancier ' || (id %% 97)
    from filed
"""


def fill(
    office: Office,
    companies: list[Client],
    documents: int,
    already: int = 0,
    first: date = date(2024, 1, 1),
) -> None:
    """Spread documents evenly over the companies, oldest first, until there are enough."""
    parameters: dict[str, Any] = {
        "office": office.pk,
        "clients": f"{{{','.join(str(company.pk) for company in companies)}}}",
        "every": len(companies),
        "first": first,
    }
    for start in range(already, documents, BATCH):
        end = min(start + BATCH, documents)
        with every_office(), connection.cursor() as cursor:
            cursor.execute(FILL, {**parameters, "from": start, "to": end})
