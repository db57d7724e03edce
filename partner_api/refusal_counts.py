"""How often each software was refused, by day and code: counted for operators, never in the way."""

from __future__ import annotations

import structlog
from django.db import DatabaseError, connection

log = structlog.get_logger("api")
# One upsert, only after an answer that refused; what is served pays nothing for it.
COUNT = """
    insert into partner_api_refusalcount (partner_id, day, code, count)
    values (%s, (statement_timestamp() at time zone 'Europe/Brussels')::date, %s, 1)
    on conflict (partner_id, day, code)
    do update set count = partner_api_refusalcount.count + 1
"""


def count_refusal(partner_id: int, code: str) -> None:
    """Count one refusal. A database that is away must not turn a refusal into a crash."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(COUNT, [partner_id, code])
    except DatabaseError as error:
        log.warning("refusal_not_counted", reason=str(error))
