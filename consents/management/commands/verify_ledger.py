"""`manage.py verify_ledger`: is every event of every consent as it was written?"""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from accounts.models import Office
from consents.ledger import faults, read_anchors
from consents.models import ConsentEvent


class Command(BaseCommand):
    help = "Find any edit, deletion, insertion, swap or cut tail in the consent ledger."

    def handle(self, *args: Any, **options: Any) -> None:
        anchors = read_anchors()
        found = 0
        for office in Office.objects.order_by("pk"):
            for fault in faults(office.pk, anchors.get(str(office.uuid), [])):
                found += 1
                self.stdout.write(str(fault))
        events = ConsentEvent.objects.count()
        heads = sum(len(lines) for lines in anchors.values())
        self.stdout.write(f"{events} events, {heads} anchors, {found} faults")
        if found:
            sys.exit(1)
