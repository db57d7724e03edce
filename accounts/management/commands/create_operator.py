"""`manage.py create_operator`: an account for somebody who runs the portal."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from accounts.emails import password_reset_path
from accounts.models import User


class Command(BaseCommand):
    help = "Open an account for an operator; print the link by which they choose their password."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("name")
        parser.add_argument("--role", help="a role instead of all permissions, such as security")

    def handle(
        self, *args: Any, email: str, name: str, role: str | None = None, **options: Any
    ) -> None:
        person = User.objects.filter(email__iexact=email).first()
        if person is None:
            person = self._create(email, name, role)
            self.stdout.write(f"{person.email} is an operator.")
        elif not person.is_staff or person.has_usable_password():
            raise CommandError(f"{email} has an account already. Nothing was changed.")
        link = f"{settings.PORTAL_URL}{password_reset_path(person)}"
        self.stdout.write(
            f"Open this link within an hour, choose a password, and set up a second factor:\n{link}"
        )

    def _create(self, email: str, name: str, role: str | None) -> User:
        group = Group.objects.filter(name=role).first() if role else None
        if role and group is None:
            known = ", ".join(Group.objects.order_by("name").values_list("name", flat=True))
            raise CommandError(f"{role} is no role. The roles are: {known}.")
        person = User(email=email, name=name, is_staff=True, is_superuser=group is None)
        person.set_unusable_password()
        try:
            person.full_clean()
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        with transaction.atomic():
            person.save()
            if group is not None:
                person.groups.add(group)
        return person
