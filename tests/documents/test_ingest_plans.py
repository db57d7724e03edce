"""The statements of a batch look rows up, however many documents there are."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, transaction

from core.row_security import every_office
from documents.ingest import bulk_insert
from tests.conftest import Cast

FILL = """
    with made as (
        insert into documents_document (uuid, office_id, client_id, kind, attributes)
        select gen_random_uuid(), c.office_id, c.id, 1, '{}'
        from clients_client c, generate_series(1, 20000) n where c.id = %s
        returning id, office_id, client_id, kind
    )
    insert into documents_documentdetails (document_id, office_id, client_id, kind, natural_key,
        version, sha256, series, number, dated_on, counterparty, currency, amount, words,
        fingerprint)
    select id, office_id, client_id, kind, 'k' || id, 1, lpad(id::text, 64, '0'), '', '', now(), '',
        'EUR', 1, '', 'f' || id
    from made
"""
STATEMENTS = ["DELETE_SECOND_DELIVERIES", "NUMBER_VERSIONS", "INSERT_DOCUMENTS", "INSERT_DETAILS",
              "INSERT_CONTENTS", "INSERT_ATTACHMENTS"]  # fmt: skip


@pytest.mark.requirement(118)
def test_no_statement_of_a_batch_reads_a_whole_table(people: Cast) -> None:
    with every_office(), connection.cursor() as cursor:
        cursor.execute(FILL, [people.bakery.pk])
        cursor.execute("analyze documents_document, documents_documentdetails")
        cursor.execute(bulk_insert.CREATE_NEW_DOCUMENT)
        asked: list[tuple[str, str, Any]] = [
            (name, getattr(bulk_insert, name), None) for name in STATEMENTS
        ]
        key = ([people.bakery.pk], [1], ["x"])
        asked.append(("SELECT_FILED_BYTES", bulk_insert.SELECT_FILED_BYTES, key))
        plans = {}
        for name, statement, parameters in asked:
            cursor.execute(f"explain {statement}", parameters)
            plans[name] = "\n".join(line for (line,) in cursor.fetchall())
        transaction.set_rollback(True)
    whole = {name: plan for name, plan in plans.items() if "Seq Scan on documents_" in plan}
    assert not whole, "\n\n".join(whole.values())
