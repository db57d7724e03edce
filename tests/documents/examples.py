"""Files as banks, agencies and software deliver them, with names and numbers of one's own."""

from __future__ import annotations

import io
import random
import zipfile
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from clients.models import Client
from core.document_kinds import CARO, SODA, XML
from core.row_security import every_office
from demo.data import books, coda, other_documents
from demo.data.books import Company
from demo.data.names import COUNTERPARTIES
from demo.data.numbers import iban
from documents.ingest.pipeline import BatchResult, ingest
from documents.ingest.sources import DeliveredFile, files_in_paths
from documents.models import Content, DocumentDetails
from documents.storage.blobs import load
from tests import factories

DAY = date(2026, 3, 2)
DELIVERED_PDF = b"%PDF-1.4\n% a paper that was delivered\n%%EOF\n"


def company_of(client: Client) -> Company:
    """The client as the demo's writers know a company, with an already has an account."""
    return Company(
        number=client.company_number,
        name=client.name,
        code=client.code,
        language=client.language,
        email="",
        iban=iban(factories.unique()),
        bic="DEMOBEBB",
    )


def statement(company: Company, number: int = 1, day: date = DAY, cents: int = 1_000) -> bytes:
    """A CODA file of one statement."""
    other = COUNTERPARTIES[0]
    movement = coda.Movement(cents, other.name, iban(7), f"{other.text} {number}")
    told = coda.Statement(
        company.iban,
        company.bic,
        company.name,
        number,
        day,
        day - timedelta(days=1),
        0,
        (movement,),
    )
    return coda.write(told, company.number)


def together(*files: bytes) -> bytes:
    """Several statements in one file: each trailer but the last says that another one follows."""
    return b"".join(file[:-3] + b"1\r\n" for file in files[:-1]) + files[-1]


def statements(company: Company, count: int) -> list[bytes]:
    """Many, each opening where the one before closed."""
    told = books.statements(company, count, DAY)
    return [coda.write(each, company.number) for each in told]


def invoice(
    company: Company, number: str = "2026/1", *, bought: bool = True, seed: int = 1
) -> bytes:
    paper = other_documents.invoice(company, number, DAY, random.Random(seed), bought=bought)
    return paper.files[XML]


def payroll(company: Company, seed: int = 1) -> bytes:
    return other_documents.payroll(company, DAY.replace(day=1), random.Random(seed)).files[SODA]


def card(company: Company, seed: int = 1) -> bytes:
    return other_documents.card(company, DAY.replace(day=1), random.Random(seed)).files[CARO]


def a_month(company: Company) -> dict[str, bytes]:
    """One file of each kind by its name."""
    return {
        "bank.cod": statement(company),
        "wages.xml": payroll(company),
        "card.xml": card(company),
        "bought.xml": invoice(company, "IN-1"),
        "sold.xml": invoice(company, "OUT-1", bought=False),
    }


def written(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def zipped(files: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return target.getvalue()


def take(arrivals: Iterable[DeliveredFile]) -> BatchResult:
    """Ingest it all and sum up."""
    total = BatchResult()
    for taken in ingest(arrivals):
        total.files += taken.files
        total.filed += taken.filed
        total.new_versions += taken.new_versions
        total.already_filed += taken.already_filed
        total.refused += taken.refused
    return total


def take_files(files: dict[str, bytes]) -> BatchResult:
    return take(DeliveredFile(name, data) for name, data in files.items())


def take_folder(folder: Path) -> BatchResult:
    return take(files_in_paths([folder]))


def many(client: Client, count: int) -> Iterable[DeliveredFile]:
    """Different files, made while they are taken; one in ten comes without its paper."""
    company = company_of(client)
    bought, sold = invoice(company, "IN-0"), invoice(company, "OUT-0", bought=False)
    for place in range(count):
        paper = DELIVERED_PDF if place % 10 else None
        if place % 2 == 0:
            day, number = DAY - timedelta(days=place // 2 % 700), place // 1_400 % 999 + 1
            yield DeliveredFile(f"{place}.cod", statement(company, number, day), paper)
        else:
            model = bought if place % 4 == 1 else sold
            data = model.replace(b"-0</cbc:", b"-%d</cbc:" % place)
            yield DeliveredFile(f"{place}.xml", data, paper)


def measured(client: int, count: int) -> tuple[int, int, int]:
    """Take that many in: how many were filed, and the peak memory (KiB) early and at the end."""
    filed, early = 0, 0
    for place, taken in enumerate(ingest(many(Client.objects.get(pk=client), count))):
        filed += taken.filed.total()
        if place == 1:
            early = peak()
    return filed, early, peak()


def peak() -> int:
    """The most memory this program ever had, in KiB; `ru_maxrss` would count its parent's."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


def contents(client: Any) -> dict[str, bytes]:
    """The files of the client's documents: media type and bytes."""
    with every_office():
        found = list(Content.objects.filter(document__client=client))
    return {f"{c.document_id} {c.media_type}": load(c.sha256) for c in found}


def details(client: Any) -> list[DocumentDetails]:
    with every_office():
        return list(DocumentDetails.objects.filter(client=client).order_by("pk"))


def papers_of(client: Any) -> list[bytes]:
    return [data for key, data in contents(client).items() if key.endswith("/pdf")]
