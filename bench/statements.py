"""The product's own SQL, written to a file that the floor reads.

So the floor sends exactly the same SQL as the product without importing any of its code.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from bench.database import KEPT
from consents.access import AccessContext
from core.row_security import SCOPE_SQL
from documents.access_log import RECORD
from documents.models.querysets import (
    IN_ORDER,
    ONE,
    RESOLVE,
    SMALL_PART,
    SearchedClients,
    SearchWindow,
    _page_sql,
)
from partner_api.hot_path.authentication import CALLER


def page_sql(clients: SearchedClients, *, after: bool) -> str:
    """The SQL with which the product searches such a list of clients."""
    moment = datetime.now(UTC)
    place = (moment, 0) if after else None
    return _page_sql(SearchWindow(0, 0, moment, moment, 0, place), clients)


def write() -> Path:
    """Write all statements, with the data needed to read their rows; return the file."""
    lists = {
        "whole": SearchedClients({}, whole_office=True, few=False),
        "part": SearchedClients({}, whole_office=False, few=False),
        "few": SearchedClients({}, whole_office=False, few=True),
    }
    statements = {
        "caller": CALLER,
        "access": list(AccessContext._fields),
        "resolve": RESOLVE.format(in_scope="true"),
        "small_part": SMALL_PART,
        "scope": SCOPE_SQL,
        "one": ONE.format(identifier="d.uuid = %(id)s", in_scope="true"),
        "record": RECORD,
    }
    for name, clients in lists.items():
        before = SCOPE_SQL + ("" if clients.whole_office else IN_ORDER)
        statements[f"page_{name}"] = before + page_sql(clients, after=False)
        statements[f"page_{name}_after"] = before + page_sql(clients, after=True)
    path = KEPT / "statements.json"
    path.write_text(json.dumps(statements, indent=1))
    return path
