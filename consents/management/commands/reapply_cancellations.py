"""`manage.py reapply_cancellations`: after a restore, before the API opens."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from consents.restore_guard import RegisterInDoubt, reapply_cancellations


class Command(BaseCommand):
    help = (
        "Stop again what PORTAL_ENDED_CONSENTS_FILE says was cancelled, paused, left out or "
        "blocked, and the database gives."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--register-is-lost",
            action="store_true",
            help="There is no better register: begin it anew from the database.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = reapply_cancellations(register_is_lost=options["register_is_lost"])
        except RegisterInDoubt as error:
            raise CommandError(f"Nothing was done: {error}") from error
        self.stdout.write(f"{done['end']} cancelled again")
        for topic, word in (("pause", "paused"), ("scope", "narrowed"), ("block", "blocked")):
            if done[topic]:
                self.stdout.write(f"{done[topic]} {word} again")
