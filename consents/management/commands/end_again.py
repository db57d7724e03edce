"""`manage.py end_again`: after a restore, before the API opens."""

from typing import Any

from django.core.management.base import BaseCommand

from consents.ended import end_again


class Command(BaseCommand):
    help = "Cancel every consent that ended by PORTAL_ENDED_FILE and is allowed in the database."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{end_again()} ended again")
