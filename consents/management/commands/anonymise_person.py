"""`manage.py anonymise_person`: somebody left and asks to be forgotten."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.anonymisation import StillActive
from accounts.models import User
from consents.evidence.anonymisation import anonymise_person


class Command(BaseCommand):
    help = "Replace the name and address of a person who left by a pseudonym. Cannot be undone."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--yes", action="store_true", help="really do it")

    def handle(self, *args: Any, email: str, yes: bool, **options: Any) -> None:
        person = User.objects.filter(email__iexact=email).first()
        if person is None:
            raise CommandError(f"Nobody has the address {email}.")
        if not yes:
            raise CommandError(f"This forgets {person} for good. Add --yes to do it.")
        try:
            events = anonymise_person(person)
        except StillActive as error:
            raise CommandError(f"{person} still has access; remove them first.") from error
        self.stdout.write(f"{person} is what is left, in {events} events")
