"""Files come in from folders, ZIPs and standard input: once, whole, or not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from core.document_kinds import Kind
from core.row_security import every_office
from documents.models import Document
from tests.conftest import ROOT, Cast, Software
from tests.databases import address_of_database
from tests.documents import examples
from tests.documents.examples import (
    DELIVERED_PDF,
    company_of,
    contents,
    details,
    papers_of,
    take_files,
    take_folder,
    written,
)
from tests.factories import CODA, allow

BANK, PAYROLL, CARD, BOUGHT, SOLD = Kind


# --- what becomes of a file ----------------------------------------------------------------------


def test_a_month_of_files_becomes_documents_and_no_pdf_is_made(people: Cast) -> None:
    files = examples.a_month(company_of(people.bakery))
    taken = take_files(files)
    assert taken.filed == dict.fromkeys(Kind, 1)
    kept = contents(people.bakery)
    assert len(kept) == 5
    # The structured files are untouched.
    assert set(files.values()) == set(kept.values())


def test_ledgerly_fetches_what_was_ingested(people: Cast, ledgerly: Software) -> None:
    allow(people.consent, people.anna)
    company = company_of(people.bakery)
    data = examples.statement(company)
    take_files({"a.cod": data})
    found = ledgerly.search(people.janssens, [company.number]).json()["included"]["documents"]
    assert [document["attributes"]["iban"] for document in found] == [company.iban]
    got = ledgerly.document(people.janssens, company.number, found[0]["id"], CODA)
    assert got.content == data


def test_the_paper_beside_the_file_is_taken(people: Cast, tmp_path: Path) -> None:
    company = company_of(people.bakery)
    files = {"in/a.cod": examples.statement(company), "in/a.pdf": DELIVERED_PDF}
    assert take_folder(written(tmp_path, files)).refused == []
    assert papers_of(people.bakery) == [DELIVERED_PDF]


def test_the_paper_inside_an_invoice_is_taken(people: Cast) -> None:
    import base64

    inside = (
        "<cac:AdditionalDocumentReference><cbc:ID>1</cbc:ID><cac:Attachment>"
        '<cbc:EmbeddedDocumentBinaryObject mimeCode="application/pdf" filename="factuur.pdf">'
        f"{base64.b64encode(DELIVERED_PDF).decode()}</cbc:EmbeddedDocumentBinaryObject>"
        "</cac:Attachment></cac:AdditionalDocumentReference><cac:AccountingSupplierParty>"
    )
    data = examples.invoice(company_of(people.bakery)).replace(
        b"<cac:AccountingSupplierParty>", inside.encode(), 1
    )
    take_files({"a.xml": data})
    assert papers_of(people.bakery) == [DELIVERED_PDF]


def test_a_second_delivery_changes_nothing(people: Cast) -> None:
    files = examples.a_month(company_of(people.bakery))
    take_files(files)
    before, kept = details(people.bakery), contents(people.bakery)
    again = take_files({f"again {name}": data for name, data in files.items()})
    assert (again.filed.total(), again.already_filed, again.refused) == (0, 5, [])
    assert [f.pk for f in details(people.bakery)] == [f.pk for f in before]
    assert contents(people.bakery) == kept


def test_the_same_file_twice_in_one_batch_is_one_document(people: Cast) -> None:
    data = examples.statement(company_of(people.bakery))
    taken = take_files({"a.cod": data, "b.cod": data})
    assert (taken.filed.total(), taken.already_filed) == (1, 1)


def test_a_differing_delivery_is_the_next_version_and_both_are_kept(people: Cast) -> None:
    company = company_of(people.bakery)
    first, second, third = (examples.statement(company, cents=cents) for cents in (1, 2, 3))
    assert take_files({"a.cod": first}).new_versions == 0
    assert take_files({"a.cod": second, "b.cod": third}).new_versions == 2
    found = details(people.bakery)
    assert [f.version for f in found] == [1, 2, 3]
    assert len({f.natural_key for f in found}) == 1
    assert {first, second, third} == set(contents(people.bakery).values())
    with every_office():
        told = list(
            Document.objects.filter(client=people.bakery)
            .order_by("pk")
            .values_list("uuid", "attributes__version", "attributes__replaces")
        )
    assert told == [
        (told[0][0], None, None),
        (told[1][0], 2, str(told[0][0])),
        (told[2][0], 3, str(told[1][0])),
    ]


def test_a_differing_card_statement_has_a_name_of_its_own(people: Cast) -> None:
    company = company_of(people.bakery)
    data = examples.card(company)
    differing = data.replace(b"<Merchant>", b"<Merchant>NV ", 1)
    take_files({"a.xml": data})
    assert take_files({"a.xml": differing}).new_versions == 1
    with every_office():
        ours = Document.objects.filter(client=people.bakery).order_by("pk")
        names = list(ours.values_list("public_id", flat=True))
        assert len(set(names)) == 2
        # The wire names it so.
        assert ours[1].attributes["replaces"] == names[0]


# --- folders, ZIPs, standard input ---------------------------------------------------------------


def test_a_folder_is_walked_to_its_leaves_but_not_through_links(
    people: Cast, tmp_path: Path
) -> None:
    company = company_of(people.bakery)
    one, two, three = (examples.statement(company, n) for n in (1, 2, 3))
    folder = written(tmp_path / "in", {"a.cod": one, "deep/er/b.cod": two, ".hidden": b"x"})
    written(tmp_path / "out", {"c.cod": three})
    (folder / "link").symlink_to(tmp_path / "out")
    (folder / "c.cod").symlink_to(tmp_path / "out" / "c.cod")
    taken = take_folder(folder)
    assert (taken.files, taken.filed.total()) == (2, 2)


def test_a_zip_is_taken_in_file_by_file_with_the_papers_beside(
    people: Cast, tmp_path: Path
) -> None:
    company = company_of(people.bakery)
    files = {"2026/a.cod": examples.statement(company), "2026/a.PDF": DELIVERED_PDF}
    written(tmp_path, {"all.zip": examples.zipped({**files, "__MACOSX/._a.cod": b"x"})})
    taken = take_folder(tmp_path)
    assert (taken.files, taken.filed.total(), taken.refused) == (1, 1, [])
    assert papers_of(people.bakery) == [DELIVERED_PDF]


def run_command(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
    """`manage.py ingest` as an operator runs it."""
    environment = os.environ | {
        "DATABASE_URL": address_of_database(),
        "PORTAL_SECRET_KEY": settings.SECRET_KEY,
    }
    done = subprocess.run(
        [sys.executable, "manage.py", "ingest", *arguments],
        cwd=ROOT,
        env=environment,
        input=stdin,
        capture_output=True,
        check=False,
    )
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
    )


def test_the_command_tells_what_came_of_it_and_ends_with_1_when_a_file_was_refused(
    people: Cast, tmp_path: Path
) -> None:
    company = company_of(people.bakery)
    files = examples.a_month(company)
    cut = files["bank.cod"].replace(b"\r\n9", b"\r\n", 1)
    written(tmp_path, {**files, "bad/cut.cod": cut, "alone.pdf": DELIVERED_PDF + os.urandom(8)})
    done = run_command(str(tmp_path))
    assert done.returncode == 1
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 2
    assert any(line.startswith("alone.pdf: pdf_without_file: ") for line in lines)
    assert any(line.startswith("bad/cut.cod: ") and "(line " in line for line in lines)
    assert done.stdout.splitlines()[0] == "7 files"
    assert "  1 × bank account statement" in done.stdout
    assert "  1 refused: pdf_without_file" in done.stdout
    assert len(details(people.bakery)) == 5


def test_the_command_reads_a_zip_from_standard_input(people: Cast) -> None:
    files = examples.zipped(examples.a_month(company_of(people.bakery)))
    done = run_command("-", stdin=files)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(details(people.bakery)) == 5


def test_an_operator_at_a_terminal_sees_how_far_it_is(people: Cast, tmp_path: Path) -> None:
    company = company_of(people.bakery)
    folder = written(tmp_path, {f"{n}.cod": examples.statement(company, n) for n in range(1, 9)})
    ours, theirs = os.openpty()
    call = [sys.executable, "manage.py", "ingest", str(folder)]
    environment = os.environ | {
        "DATABASE_URL": address_of_database(),
        "PORTAL_SECRET_KEY": settings.SECRET_KEY,
    }
    done = subprocess.run(
        call, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=theirs, check=False
    )
    told = os.read(ours, 65_536).decode()
    os.close(ours)
    os.close(theirs)
    assert done.returncode == 0
    assert "█" * 30 + " 8 of 8 files, " in told


def test_a_path_that_does_not_exist_is_one_sentence(people: Cast) -> None:
    with pytest.raises(CommandError, match=r"/nowhere/at-all does not exist\."):
        call_command("ingest", "/nowhere/at-all")


# --- memory --------------------------------------------------------------------------------------


def test_the_memory_is_the_same_for_few_and_for_many(people: Cast, rounds: float) -> None:
    """1,000 documents everyday; 100,000 by `--rounds 100`. Measured in a process of its own."""
    program = (
        "import django, resource, sys; django.setup()\n"
        "from tests.documents.examples import measured\n"
        "print(*measured(int(sys.argv[1]), int(sys.argv[2])))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(people.bakery.pk), str(int(1_000 * rounds))],
        cwd=ROOT,
        env=os.environ
        | {
            "DATABASE_URL": address_of_database(),
            "PORTAL_SECRET_KEY": settings.SECRET_KEY,
            "DJANGO_SETTINGS_MODULE": "codabox_portal.settings",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    filed, early, late = map(int, done.stdout.split())
    print(f"{filed:,} documents: {early:,} KiB after the second batch, {late:,} KiB at the end")
    assert filed == int(1_000 * rounds)
    # KiB at the end of the second batch, and at the end.
    assert late <= early * 1.15, f"{early:,} KiB grew to {late:,}"
