"""`manage.py upgrade`: it migrates and says what to restart, or says why it does nothing."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from monitoring.health import migrations_that_wait
from monitoring.models import Heartbeat


def upgraded() -> str:
    out = io.StringIO()
    call_command("upgrade", stdout=out, stderr=out)
    return out.getvalue()


def test_an_upgrade_migrates_and_gives_the_portal_its_rights(committed: None) -> None:
    # The tables of a release before: this app has no others, and no test needs their rows.
    MigrationExecutor(connections["owner"]).migrate([("monitoring", None)])
    said = upgraded().splitlines()
    assert said[0] == "Migrated monitoring.0001_create_measurements."
    assert "2 migrations. Now restart, with this release:" in said
    migrations_that_wait.cache_clear()
    assert migrations_that_wait() == 0
    Heartbeat.objects.record()
    assert upgraded().startswith("0 migrations. ")


def test_an_older_release_does_not_upgrade(committed: None) -> None:
    with connections["owner"].cursor() as cursor:
        cursor.execute(
            "insert into django_migrations (app, name, applied)"
            " values ('monitoring', '9999_of_tomorrow', now())"
        )
    try:
        with pytest.raises(CommandError, match=r"which has monitoring\.9999_of_tomorrow\."):
            upgraded()
    finally:
        with connections["owner"].cursor() as cursor:
            cursor.execute("delete from django_migrations where name = '9999_of_tomorrow'")


def test_without_collected_files_nothing_is_migrated(
    committed: None, settings: Any, tmp_path: Path
) -> None:
    settings.STATIC_FROM_SOURCE, settings.STATIC_ROOT = False, tmp_path
    with pytest.raises(CommandError, match=r"run manage\.py collectstatic first"):
        upgraded()


def test_without_the_owner_nothing_is_migrated(
    committed: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(settings.DATABASES, "owner")
    with pytest.raises(CommandError, match="DATABASE_OWNER_URL is not set"):
        upgraded()
