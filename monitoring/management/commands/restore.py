"""`manage.py restore PATH`: a backup in an empty database; what was stopped since stays stopped."""

from itertools import chain
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from accounts.models import Office
from consents.evidence.verify import faults
from monitoring.backups.folder import CannotGoOn
from monitoring.backups.restore import restore_backup


class Command(BaseCommand):
    help = "Restore a backup into an empty database; stop again what was stopped after it."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, help="The folder that manage.py backup made.")
        parser.add_argument(
            "--register-is-lost",
            action="store_true",
            help="There is no register of the day: what was stopped after the backup goes on.",
        )
        parser.add_argument(
            "--secrets-are-lost",
            action="store_true",
            help="The secret of the backup is gone: second factors and webhook keys are lost.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        lost = options["register_is_lost"]
        try:
            manifest = restore_backup(
                options["path"], register_is_lost=lost, secrets_are_lost=options["secrets_are_lost"]
            )
        except (CannotGoOn, DatabaseError, OSError) as error:
            raise CommandError(f"The database is as it was. {error}") from error
        self.stdout.write(f"The database of {manifest.made_at} is restored.")
        call_command("reapply_cancellations", register_is_lost=lost, stdout=self.stdout)
        offices = Office.objects.order_by("pk").values_list("pk", flat=True)
        found = [str(fault) for fault in chain.from_iterable(map(faults, offices))]
        if found:
            raise CommandError("The hash chains are broken. " + " ".join(found[:5]))
        self.stdout.write(
            "The hash chains are whole. Start web, worker and beat, then run manage.py doctor."
        )
