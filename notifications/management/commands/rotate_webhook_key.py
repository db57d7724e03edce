"""A new key for webhooks: published now, signing in an hour."""

from typing import Any

from django.core.management.base import BaseCommand

from notifications.models import WebhookKey


class Command(BaseCommand):
    help = "Publish a new webhook key; it signs in an hour, and the oldest of three is removed."

    def handle(self, *args: Any, **options: Any) -> None:
        made = WebhookKey.objects.rotate()
        for key in WebhookKey.objects.published():
            self.stdout.write(f"{key.kid}  since {key.made_at:%Y-%m-%d %H:%M}")
        self.stdout.write(f"{made.kid} signs in an hour.")
