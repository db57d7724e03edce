"""`manage.py doctor`: every check of this deployment in a sentence; ends with 1 if one is wrong."""

import sys
from typing import Any

from django.core.checks import CheckMessage, run_checks
from django.core.management.base import BaseCommand

from monitoring.checks import ALL_IS_WELL, ASKED_OF_THE_DATABASE, DATABASE_IS_AWAY


class Command(BaseCommand):
    help = "Say of every part of this deployment whether it is well; ends with 1 if one is not."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        found = run_checks(include_deployment_checks=True)
        wrong = {str(one.id): one for one in found if not one.is_silenced()}
        unknown = ASKED_OF_THE_DATABASE if DATABASE_IS_AWAY in wrong else frozenset()
        for name, sentence in ALL_IS_WELL.items():
            if name in wrong:
                continue
            if name in unknown:
                self.stdout.write(f"?      {name}  Not known while the database is away.")
            else:
                self.stdout.write(f"well   {name}  {sentence}")
        for name, one in wrong.items():
            self.stdout.write(f"WRONG  {name}  {_said(one)}")
        self.stdout.write(f"{len(ALL_IS_WELL.keys() | wrong.keys())} checks, {len(wrong)} wrong.")
        if wrong:
            sys.exit(1)


def _said(one: CheckMessage) -> str:
    return " ".join(filter(None, (one.msg, one.hint)))
