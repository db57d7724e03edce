"""`manage.py migrate`: as the owner of the tables; afterwards the portal's role has its rights."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.core.management.commands import migrate

from core.rights import grant_rights


class Command(migrate.Command):
    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.set_defaults(database="owner")

    def handle(self, *args: Any, **options: Any) -> None:
        if "owner" not in settings.DATABASES:
            raise CommandError(
                "DATABASE_OWNER_URL is not set. Migrations run as the owner of the tables "
                "(docs/operations/first-start.md)."
            )
        role = settings.DATABASES["default"]["USER"]
        if role == settings.DATABASES["owner"]["USER"]:
            raise CommandError(
                f"DATABASE_URL and DATABASE_OWNER_URL both name the role {role}. The portal's own "
                "role must not own the tables (docs/operations/first-start.md)."
            )
        super().handle(*args, **options)
        if not (options["plan"] or options["check_unapplied"]):
            grant_rights(options["database"], role)
