"""Migrations are complete, named for what they do, and go back as well as forth."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ["accounts", "partners", "clients", "consents", "documents", "notifications"]


@pytest.mark.django_db
def test_no_change_of_a_model_waits_for_a_migration() -> None:
    out = StringIO()
    call_command("makemigrations", check=True, dry_run=True, stdout=out)
    assert "No changes detected" in out.getvalue()


def test_every_migration_is_named_for_what_it_does() -> None:
    names = [path.stem for room in ROOMS for path in (ROOT / room / "migrations").glob("0*.py")]
    assert len(names) >= 9
    for name in names:
        assert re.fullmatch(r"\d{4}_[a-z]+(_[a-z]+)+", name), name
        assert "_auto_" not in name


def test_every_migration_goes_back(django_db_setup: None, django_db_blocker: Any) -> None:
    """Down to nothing and up again, in a database of its own."""
    with django_db_blocker.unblock():
        at = connection.settings_dict["NAME"]
        before, connection.settings_dict["NAME"] = at, f"{at}_down"
        connection.close()
        try:
            _down_and_up()
        finally:
            connection.close()
            connection.settings_dict["NAME"] = before


def _down_and_up() -> None:
    admin = connection.copy()
    admin.settings_dict["NAME"] = "postgres"
    name = connection.settings_dict["NAME"]
    with admin.cursor() as cursor:
        cursor.execute(f'drop database if exists "{name}"')
        cursor.execute(f'create database "{name}"')
    try:
        executor = MigrationExecutor(connection)
        leaves = executor.loader.graph.leaf_nodes()
        executor.migrate(leaves)
        nothing = [(room, None) for room in ROOMS]
        MigrationExecutor(connection).migrate(nothing)  # type: ignore[arg-type]
        kept = {table for table in connection.introspection.table_names() if _ours(table)}
        assert kept == set()
        MigrationExecutor(connection).migrate(leaves)
        assert "consents_consent" in connection.introspection.table_names()
    finally:
        connection.close()
        with admin.cursor() as cursor:
            cursor.execute(f'drop database if exists "{name}"')
        admin.close()


def _ours(table: str) -> bool:
    return table.split("_")[0] in ROOMS
