"""Make the demo: offices, people, companies, statements, consents in every status."""

from __future__ import annotations

import json
import multiprocessing
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Office
from demo import loader, story
from demo.cast import OPERATOR_EMAIL, PASSWORD
from demo.data import books, coda, other_documents
from documents.ingest.bulk_insert import vacuum_after_bulk_insert

CHUNK = 250
# A company with fewer statements than this (the 5,000 of the large office) has nothing else.
ENOUGH = 10
OTHERS = 10


class Command(BaseCommand):
    help = "Fill an empty portal with demo data; what is there already is left alone."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--size", choices=["small", "large"], default="small")
        parser.add_argument("--json", default="var/demo.json")

    def handle(self, *, size: str, json: str, **options: Any) -> None:
        self.portal_url: str = settings.PORTAL_URL
        self.software_url: str = settings.PORTAL_DEMO_SOFTWARE_URL
        everything = books.offices(large=size == "large")
        present = set(Office.objects.values_list("company_number", flat=True))
        missing = [office for office in everything if office.number not in present]
        with transaction.atomic():
            secrets = loader.make_partners(
                books.all_software(self.software_url), self.remembered(json)
            )
            for office in missing:
                loader.make_office(office)
        self._documents(missing)
        if missing:
            story.tell()
        self._write(Path(json), everything, secrets)

    def remembered(self, path: str) -> dict[str, dict[str, str]]:
        """The credentials of the last run: the database has only their digests."""
        try:
            told = json.loads(Path(path).read_text())
        except (OSError, ValueError):
            return {}
        return {partner["name"]: partner for partner in told["partners"]}

    def _documents(self, offices: list[books.OfficeBooks]) -> None:
        """Write, read and store on all processors, file by COPY; a bar shows how far it is."""
        jobs = [
            (company, office.statements_each, timezone.localdate())
            for office in offices
            for company in office.companies
        ]
        total = sum(count + (OTHERS if count >= ENOUGH else 0) for _company, count, _today in jobs)
        done = 0
        with multiprocessing.Pool() as pool:
            batch: list[loader.Prepared] = []
            for prepared in pool.imap_unordered(_prepare, jobs, chunksize=4):
                batch += prepared
                done += len(prepared)
                if len(batch) >= CHUNK or done == total:
                    loader.file_documents(batch)
                    batch = []
                    self._bar(done, total)
        if total:
            connection.set_autocommit(True)
            vacuum_after_bulk_insert()

    def _bar(self, done: int, total: int) -> None:
        filled = 30 * done // total
        end = "\n" if done == total else "\r"
        if sys.stderr.isatty() or done == total:
            bar = "█" * filled + "·" * (30 - filled)
            self.stderr.write(f"  {bar} {done:,} of {total:,} documents", ending=end)

    def _write(
        self, path: Path, offices: list[books.OfficeBooks], partners: list[dict[str, Any]]
    ) -> None:
        told = {
            "portal": self.portal_url,
            "api": f"{self.portal_url}/codabox-connect",
            "software": self.software_url,
            "offices": [
                {
                    "name": office.name,
                    "companyNumber": office.number,
                    "slug": office.slug,
                    "clients": [
                        {"companyNumber": c.number, "name": c.name, "code": c.code}
                        for c in office.companies
                    ],
                }
                for office in offices
            ],
            "people": [
                {
                    "email": person.email,
                    "password": PASSWORD,
                    "office": office.number,
                    "role": person.role,
                }
                for office in offices
                for person in office.people
            ],
            "partners": partners,
            "operator": {"email": OPERATOR_EMAIL, "password": PASSWORD},
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(json.dumps(told, indent=1, ensure_ascii=False))


def _prepare(job: tuple[books.Company, int, date]) -> list[loader.Prepared]:
    """In another process: parse the documents of one company and store their bytes."""
    company, count, today = job
    return loader.prepare(_delivered(company, count, today))


def _delivered(company: books.Company, count: int, today: date) -> Iterator[tuple[date, bytes]]:
    """Day and file of each document."""
    for statement in books.statements(company, count, today):
        yield statement.day, coda.write(statement, company.number)
    if count >= ENOUGH:
        for document in other_documents.other_documents(company, today):
            (data,) = document.files.values()
            yield document.day, data
