"""`manage.py export_evidence`: all consent events, to be checked by somebody else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from consents.evidence.bundle import proof_of
from consents.models import LogEntry

RELATED = ("event__office", "event__consent__partner", "event__person", "event__evidence")


class Command(BaseCommand):
    help = (
        "Write every consent event that a checkpoint can cover to a file, in the order of the log: "
        "consents/evidence/check_export.pl checks it against the checkpoints. It contains names."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path)

    def handle(self, *args: Any, path: Path, **options: Any) -> None:
        entries = LogEntry.objects.order_by("position").select_related(*RELATED)
        number = 0
        with path.open("x", encoding="utf-8") as file:
            path.chmod(0o600)
            for entry in entries.iterator(chunk_size=1000):
                file.write(json.dumps(proof_of(entry.event), ensure_ascii=False) + "\n")
                number += 1
        self.stdout.write(f"{number} events")
