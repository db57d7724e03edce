"""`manage.py verify_hash_chain`: is every event of every consent as it was written?"""

from __future__ import annotations

import sys
from itertools import chain
from typing import Any

from django.core.management.base import BaseCommand

from accounts.models import Office
from consents.evidence.checkpoints import read_checkpoints
from consents.evidence.verify import faults, log_faults
from consents.models import ConsentEvent


class Command(BaseCommand):
    help = (
        "Find any edit, deletion, insertion, swap or cut tail in the hash chains of consent events."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        offices = Office.objects.order_by("pk").values_list("pk", flat=True)
        found = 0
        for fault in chain(chain.from_iterable(map(faults, offices)), log_faults()):
            found += 1
            self.stdout.write(str(fault))
        events = ConsentEvent.objects.count()
        checkpoints = len(list(read_checkpoints()))
        self.stdout.write(f"{events} events, {checkpoints} checkpoints, {found} faults")
        if found:
            sys.exit(1)
