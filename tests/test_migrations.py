"""Migrations are complete, named for what they do, and go back as well as forth."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import ProgrammingError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models.functions import Now
from django.utils import timezone

ROOT = Path(__file__).resolve().parent.parent
WITH_FORCED_ENDS = [
    ("accounts", "0008_let_looked_at_names_be_erased"),
    ("consents", "0007_keep_the_logo_that_was_shown"),
]
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
def empty_database(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """A database of the test's own, without a table."""
    with django_db_blocker.unblock():
        before = connection.settings_dict["NAME"]
        connection.close()
        name = connection.settings_dict["NAME"] = f"{before}_down"
        admin = connection.copy()
        admin.settings_dict["NAME"] = "postgres"
        try:
            with admin.cursor() as cursor:
                cursor.execute(f'drop database if exists "{name}"')
                cursor.execute(f'create database "{name}"')
            yield
        finally:
            connection.close()
            with admin.cursor() as cursor:
                cursor.execute(f'drop database if exists "{name}"')
            admin.close()
            connection.settings_dict["NAME"] = before


def _migrate(*targets: Any) -> Any:
    """Go to these; return the models as they were then."""
    executor = MigrationExecutor(connection)
    return executor.migrate(list(targets) or executor.loader.graph.leaf_nodes()).apps


def test_every_migration_goes_back(empty_database: None) -> None:
    """Down to nothing and up again."""
    _migrate()
    _migrate(*((room, None) for room in ROOMS))
    kept = {table for table in connection.introspection.table_names() if _ours(table)}
    assert kept == set()
    _migrate()
    assert "consents_consent" in connection.introspection.table_names()


def test_what_dirk_asked_for_outlasts_the_migration_and_the_way_back(empty_database: None) -> None:
    then = _migrate(*WITH_FORCED_ENDS)
    dirk, eva = (
        then.get_model("accounts", "User").objects.create(email=f"{name}@portal.example")
        for name in ("dirk", "eva")
    )
    consent = then.get_model("consents", "Consent").objects.create(
        office=then.get_model("accounts", "Office").objects.create(company_number="0123456749"),
        partner=then.get_model("partners", "Partner").objects.create(document_kinds=[]),
        lapses_at=timezone.now(),
    )
    wishes = then.get_model("consents", "ForcedEnd").objects
    wishes.create(consent=consent, asked_by=dirk, reason="Stolen")
    wishes.create(
        consent=consent, asked_by=eva, reason="Lost", confirmed_by=dirk, confirmed_at=Now()
    )
    columns = ("consent", "reason", "asked_by", "asked_at", "confirmed_by", "confirmed_at")
    asked = list(wishes.order_by("pk").values_list(*columns))
    acts = _migrate().get_model("accounts", "JointAct").objects.filter(kind="end_access")
    assert list(acts.order_by("pk").values_list(*columns)) == asked
    wishes = _migrate(*WITH_FORCED_ENDS).get_model("consents", "ForcedEnd").objects
    assert list(wishes.order_by("pk").values_list(*columns)) == asked
    with pytest.raises(ProgrammingError):
        wishes.all().delete()


def _ours(table: str) -> bool:
    return table.split("_")[0] in ROOMS
