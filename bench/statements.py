"""The product's own SQL, written to a file that the floor reads.

So the floor sends what the product sends, word for word, without importing anything of it.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from accounts.tenancy import SCOPE_SQL
from bench.database import KEPT
from consents.access import Standing
from documents.querysets import ONE, RESOLVE, SMALL_PART, Clients, Window, _page_sql
from documents.reads import RECORD
from partner_api.authentication import CALLER


def page_sql(clients: Clients, *, after: bool) -> str:
    """The search as the product words it for such a list of clients."""
    moment = datetime.now(UTC)
    place = (moment, 0) if after else None
    return _page_sql(Window(0, 0, moment, moment, 0, place), clients)


def write() -> Path:
    """Write all statements, and what is needed to read their rows; return the file."""
    lists = {
        "whole": Clients({}, whole_office=True, few=False),
        "part": Clients({}, whole_office=False, few=False),
        "few": Clients({}, whole_office=False, few=True),
    }
    statements = {
        "caller": CALLER,
        "standing": list(Standing._fields),
        "resolve": RESOLVE.format(covered="true"),
        "small_part": SMALL_PART,
        "scope": SCOPE_SQL,
        "one": ONE.format(identifier="d.uuid = %(id)s", covered="true"),
        "record": RECORD,
    }
    for name, clients in lists.items():
        statements[f"page_{name}"] = SCOPE_SQL + page_sql(clients, after=False)
        statements[f"page_{name}_after"] = SCOPE_SQL + page_sql(clients, after=True)
    path = KEPT / "statements.json"
    path.write_text(json.dumps(statements, indent=1))
    return path
