"""`manage.py rotate_secret <client id>`: a new secret, shown once; the old one lasts a while."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from partners.models import ROTATION, Application


class Command(BaseCommand):
    help = "Give a partner's credentials a new secret; the previous one stays valid for a while."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("client_id")
        parser.add_argument("--days", type=int, default=ROTATION.days, help="of the old secret")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            application = Application.objects.get(client_id=options["client_id"])
        except Application.DoesNotExist:
            raise CommandError("No credentials have this client id.") from None
        secret = application.rotate_secret(keep_for=timedelta(days=options["days"]))
        self.stdout.write(f"New secret, shown this once: {secret}")
        self.stdout.write(f"The old one is valid until {application.previous_secret_until:%F %R}.")
