"""`manage.py backup PATH`: everything that a restore needs, in one folder that was read again."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from monitoring.backups.folder import CannotGoOn
from monitoring.backups.make import make_backup
from monitoring.models import LastBackup


class Command(BaseCommand):
    help = "Back up database, documents and register into a new folder, and read all of it again."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, help="A folder that is empty or not there yet.")
        parser.add_argument(
            "--previous", type=Path, help="An earlier backup: its documents are linked, not copied."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            made = make_backup(options["path"], options["previous"])
            LastBackup.objects.record()
        except (CannotGoOn, DatabaseError, OSError) as error:
            raise CommandError(f"There is no backup. {error}") from error
        self.stdout.write(
            f"{options['path']} has the database of {made.made_at} and {made.documents:,} "
            "documents. All of it was read again."
        )
