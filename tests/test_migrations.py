"""Migrations are complete, named for what they do, and go back as well as forth."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections
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


@pytest.fixture
def migrated_database(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A database of the test's own; where the run has a migrated one, a copy of it."""
    with django_db_blocker.unblock():
        connection = connections["owner"]
        before = connection.settings_dict["NAME"]
        connection.close()
        name = connection.settings_dict["NAME"] = f"{before}_down"
        template = connection.settings_dict["TEST"].get("TEMPLATE")
        admin = connection.copy()
        admin.settings_dict["NAME"] = "postgres"
        try:
            with admin.cursor() as cursor:
                cursor.execute(f'drop database if exists "{name}"')
                copied = f' template "{template}"' if template else ""
                cursor.execute(f'create database "{name}"{copied}')
            _migrate()
            yield
        finally:
            connection.close()
            with admin.cursor() as cursor:
                cursor.execute(f'drop database if exists "{name}"')
            admin.close()
            connection.settings_dict["NAME"] = before


def _migrate(*targets: Any) -> Any:
    """Go to these; return the models as they were then."""
    executor = MigrationExecutor(connections["owner"])
    return executor.migrate(list(targets) or executor.loader.graph.leaf_nodes()).apps


def test_every_migration_goes_back(migrated_database: None) -> None:
    """Down to nothing and up again."""
    _migrate(*((room, None) for room in ROOMS))
    introspection = connections["owner"].introspection
    kept = {table for table in introspection.table_names() if _ours(table)}
    assert kept == set()
    _migrate()
    assert "consents_consent" in introspection.table_names()


def test_an_operator_takes_one_app_back_and_the_others_keep_their_rights(
    migrated_database: None,
) -> None:
    """`manage.py migrate backoffice zero`, as people type it: nothing is printed as an error."""
    call_command("migrate", "backoffice", "zero", verbosity=0)
    assert _rights_on("partners_partner") >= {"SELECT", "INSERT", "UPDATE", "DELETE"}
    assert _rights_on("consents_consentevent") == {"SELECT", "INSERT"}
    assert "backoffice_foureyesapproval" not in connections["owner"].introspection.table_names()
    call_command("migrate", verbosity=0)
    assert "UPDATE" in _rights_on("backoffice_foureyesapproval")


def _rights_on(table: str) -> set[str]:
    """What the portal's role may do with a table."""
    role = connections["default"].settings_dict["USER"]
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "select (aclexplode(relacl)).privilege_type, (aclexplode(relacl)).grantee::regrole::text"
            " from pg_class where oid = %s::regclass",
            [table],
        )
        return {right for right, grantee in cursor.fetchall() if grantee == role}


def _ours(table: str) -> bool:
    return table.split("_")[0] in ROOMS
