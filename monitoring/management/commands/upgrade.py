"""`manage.py upgrade`: check, migrate, and say what to restart (docs/operations/upgrade.md)."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import ERROR, run_checks
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

NEXT = """Now restart, with this release:
1. the web hosts, one after the other: SIGTERM, wait for the end, start;
2. the workers, then beat.
Then run manage.py doctor."""


class Command(BaseCommand):
    help = "Check this release, migrate the database, and say what to restart."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._check()
            executor = MigrationExecutor(connection)
            _refuse_an_older_release(executor)
            waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
            # Also when none waits: it gives the portal's role its rights.
            call_command("migrate", interactive=False, verbosity=0)
        except DatabaseError as error:
            raise CommandError(f"The upgrade stopped. {str(error).strip()}") from error
        for migration, _backwards in waiting:
            self.stdout.write(f"Migrated {migration}.")
        self.stdout.write(f"{len(waiting)} migrations. {NEXT}")

    def _check(self) -> None:
        found = [
            one for one in run_checks(databases=list(settings.DATABASES)) if one.level >= ERROR
        ]
        for one in found:
            self.stderr.write(f"{one.msg} {one.hint or ''}")
        if found:
            raise CommandError("Nothing was migrated: the checks found the faults above.")
        collected = Path(settings.STATIC_ROOT) / "staticfiles.json"
        if not settings.STATIC_FROM_SOURCE and not collected.exists():
            raise CommandError(
                "Nothing was migrated: run manage.py collectstatic first, or no page will open."
            )


def _refuse_an_older_release(executor: MigrationExecutor) -> None:
    """The database must have no migration that this release does not know."""
    known = executor.loader.disk_migrations or {}
    replaced = {one for migration in known.values() for one in migration.replaces}
    unknown = set(executor.loader.applied_migrations) - set(known) - replaced
    if unknown:
        names = ", ".join(sorted(".".join(one) for one in unknown))
        raise CommandError(
            f"Nothing was migrated: the database is of a newer release, which has {names}."
        )
