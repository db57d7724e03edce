"""A table is named only in the app that owns it, also in SQL, which no linter of imports reads."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from django.apps import apps

from tests.test_document_kinds import PACKAGES

ROOT = Path(__file__).resolve().parent.parent


class OtherTables(NamedTuple):
    """The tables of other apps that a file names in SQL, and why."""

    tables: set[str]
    reason: str


EXCEPTIONS = {
    "consents/access.py": OtherTables(
        {"accounts_office", "partners_partner", "clients_client"},
        "the access statement: whoever may read is decided in one look at all that decides it",
    ),
    "partner_api/hot_path/authentication.py": OtherTables(
        {
            "accounts_office",
            "consents_consent",
            "partners_application",
            "partners_clientcertificate",
            "partners_partner",
        },
        "the access statement of a token: one round trip for each call",
    ),
    "documents/models/querysets.py": OtherTables(
        {"clients_client"}, "the search: it finds companies by their number in the same round trip"
    ),
    "documents/models/bulk_lookup.py": OtherTables(
        {"clients_client"}, "many documents at once: only of companies that are shared now"
    ),
    "documents/models/change_page.py": OtherTables(
        {"clients_client"}, "the list of changes: the numbers of its companies, in its round trip"
    ),
    "documents/models/document_changes.py": OtherTables(
        {"clients_client"}, "the list of changes: which companies are shared, in its round trip"
    ),
    "documents/access_log.py": OtherTables(
        {"consents_consent", "consents_consentactivity"},
        "the access log: the read and its counter of the day are one statement",
    ),
    "documents/retention.py": OtherTables(
        {"accounts_office"}, "retention: the index of an office's search is asked office by office"
    ),
    "consents/scope.py": OtherTables(
        {"clients_client"}, "the scope: turning a list around is one statement, so no company slips"
    ),
    "consents/sharing_gaps.py": OtherTables(
        {"clients_client", "documents_ingestbatch", "partners_partner"},
        "sharing gaps: a gap begins with the oldest batch on its way, in the statement of the gap,"
        " and goes on while the company is archived or the kind not registered",
    ),
    "consents/models/worlds.py": OtherTables(
        {"accounts_office", "partners_partner"},
        "a trigger: a consent never joins a real party with one of the sandbox",
    ),
    "clients/models/client.py": OtherTables(
        {"accounts_office"}, "a trigger: a company is of the same world as its office"
    ),
    "consents/migrations/0001_create_consents.py": OtherTables(
        {"accounts_office", "partners_partner"}, "the trigger of consents/models/worlds.py"
    ),
    "clients/migrations/0001_create_clients.py": OtherTables(
        {"accounts_office"}, "the trigger of clients/models/client.py"
    ),
    "monitoring/metrics.py": OtherTables(
        {
            "accounts_office",
            "consents_consent",
            "consents_consentactivity",
            "consents_consentevent",
            "documents_document",
            "documents_ingestbatch",
            "documents_quarantinedfile",
            "mailer_outgoingemail",
            "notifications_delivery",
            "notifications_fanout",
            "notifications_webhookendpoint",
        },
        "metrics: figures over the tables of all apps, in few statements",
    ),
    "consents/migrations/0003_drop_moved_clients_from_scope_lists.py": OtherTables(
        {"clients_client"}, "a trigger on the table of companies keeps the scope lists right"
    ),
    "consents/migrations/0004_end_consents_before_their_parties.py": OtherTables(
        {"accounts_office", "partners_partner"}, "triggers on the tables of both parties"
    ),
    "consents/migrations/0005_note_gaps_of_moved_clients.py": OtherTables(
        {"clients_client", "documents_ingestbatch"},
        "a trigger on the table of companies notes when one is not shared",
    ),
    "consents/migrations/0007_note_gaps_of_archived_clients_and_kinds.py": OtherTables(
        {"clients_client", "clients_transfer", "documents_ingestbatch", "partners_partner"},
        "triggers on what hides a company or a kind note the gap",
    ),
    "documents/migrations/0002_keep_rows_with_the_office_of_their_client.py": OtherTables(
        {"clients_client"}, "a foreign key on the pair of client and office"
    ),
    "documents/migrations/0003_show_rows_to_their_office_only.py": OtherTables(
        {"clients_client"}, "row security looks up the office of a company"
    ),
    "documents/migrations/0004_find_the_position_of_a_cursor.py": OtherTables(
        {"clients_transfer"}, "a cursor keeps its place when its company has moved"
    ),
    "documents/migrations/0012_find_the_place_of_a_change.py": OtherTables(
        {"clients_transfer"}, "a cursor keeps its place when its company has moved"
    ),
}


def tables() -> dict[str, str]:
    """Our tables, and the app that owns each."""
    return {
        model._meta.db_table: model._meta.app_label
        for model in apps.get_models(include_auto_created=True)
        if model._meta.app_label in PACKAGES and not model._meta.proxy
    }


def named(text: str, known: dict[str, str]) -> set[str]:
    """The tables that the strings of a Python file name, its docstrings as well."""
    words = re.compile(r"\w+")
    return {
        word
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for word in words.findall(node.value)
        if word in known
    }


def of_others() -> dict[str, set[str]]:
    """The tables of other apps that each file of the product names."""
    known = tables()
    found: defaultdict[str, set[str]] = defaultdict(set)
    # The bench makes and reads rows in bulk: it measures the tables themselves.
    for package in sorted(set(PACKAGES) - {"bench"}):
        for path in (ROOT / package).rglob("*.py"):
            name = str(path.relative_to(ROOT))
            others = {table for table in named(path.read_text(), known) if known[table] != package}
            if others:
                found[name] |= others
    return dict(found)


def test_a_table_is_named_only_in_the_app_that_owns_it() -> None:
    """Each exception stands in the list with its reason, and none that is no longer needed."""
    assert of_others() == {path: exception.tables for path, exception in EXCEPTIONS.items()}


def test_a_table_in_any_string_is_seen() -> None:
    known = tables()
    assert known["clients_client"] == "clients"
    assert len(known) > 30
    assert named('f"select {x} from clients_client c where c.id = 1"', known) == {"clients_client"}
    assert not named('"admin:clients_client_change"', known)
