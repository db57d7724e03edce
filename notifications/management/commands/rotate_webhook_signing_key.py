"""Publish a new key for webhooks, which signs after an hour."""

from typing import Any

from django.core.management.base import BaseCommand

from notifications.webhooks import signing_keys


class Command(BaseCommand):
    help = "Publish a new webhook key. It signs after an hour. Only the two newest keys are kept."

    def handle(self, *args: Any, **options: Any) -> None:
        created = signing_keys.rotate()
        for key in signing_keys.published():
            self.stdout.write(f"{key.kid}  since {key.created_at:%Y-%m-%d %H:%M}")
        self.stdout.write(f"{created.kid} signs in an hour.")
