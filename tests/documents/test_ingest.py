"""Files come in from folders, ZIPs, standard input and the drop folder: once, whole, or not."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import override_settings

from accounts.tenancy import every_office
from documents import ingest as ingesting
from documents.arrivals import Arrival, of_paths
from documents.drop import STABLE_AFTER, alone, take_drop_folder_in
from documents.ingest import ingest
from documents.models import Content, Document, Filing, Kind, Publication, Quarantined
from documents.orphans import remove_unnamed, shards, sweep
from documents.publication import forget_dead_publications
from documents.storage import keep, load, name_of, storage
from tests import factories
from tests.conftest import ROOT, Cast, Software, test_database_url
from tests.documents import papers
from tests.documents.papers import PAPER, company_of, take_files, take_folder, written
from tests.factories import CODA, allow

BANK, PAYROLL, CARD, BOUGHT, SOLD = Kind


def contents(client: Any) -> dict[str, bytes]:
    """The files of the client's documents: media type and bytes."""
    with every_office():
        found = list(Content.objects.filter(document__client=client))
    return {f"{c.document_id} {c.media_type}": load(c.sha256) for c in found}


def filings(client: Any) -> list[Filing]:
    with every_office():
        return list(Filing.objects.filter(client=client).order_by("pk"))


def papers_of(client: Any) -> list[bytes]:
    return [data for key, data in contents(client).items() if key.endswith("/pdf")]


# --- what becomes of a file ----------------------------------------------------------------------


def test_a_month_of_files_becomes_documents_with_a_paper_each(people: Cast) -> None:
    files = papers.a_month(company_of(people.bakery))
    taken = take_files(files)
    assert taken.filed == dict.fromkeys(Kind, 1)
    kept = contents(people.bakery)
    assert len(kept) == 10
    # The structured files are untouched.
    assert set(files.values()) < set(kept.values())
    assert all(data.startswith(b"%PDF-") for data in papers_of(people.bakery))


def test_ledgerly_fetches_what_was_ingested(people: Cast, ledgerly: Software) -> None:
    allow(people.consent, people.an)
    company = company_of(people.bakery)
    data = papers.statement(company)
    take_files({"a.cod": data})
    found = ledgerly.search(people.janssens, [company.number]).json()["included"]["documents"]
    assert [document["attributes"]["iban"] for document in found] == [company.iban]
    got = ledgerly.document(people.janssens, company.number, found[0]["id"], CODA)
    assert got.content == data


def test_a_paper_is_rendered_in_the_language_of_the_company(people: Cast) -> None:
    from documents.formats.reading import read
    from documents.renditions import render

    french = factories.make_client(people.janssens, "Boulangerie", language="fr")
    data = papers.statement(company_of(french))
    take_files({"a.cod": data})
    paper = read(data)[0].paper
    assert papers_of(french) == [render(paper, "fr")]


def test_the_paper_beside_the_file_is_taken(people: Cast, tmp_path: Path) -> None:
    company = company_of(people.bakery)
    files = {"in/a.cod": papers.statement(company), "in/a.pdf": PAPER}
    assert take_folder(written(tmp_path, files)).refused == []
    assert papers_of(people.bakery) == [PAPER]


def test_the_paper_inside_an_invoice_is_taken(people: Cast) -> None:
    import base64

    inside = (
        "<cac:AdditionalDocumentReference><cbc:ID>1</cbc:ID><cac:Attachment>"
        '<cbc:EmbeddedDocumentBinaryObject mimeCode="application/pdf" filename="a.pdf">'
        f"{base64.b64encode(PAPER).decode()}</cbc:EmbeddedDocumentBinaryObject>"
        "</cac:Attachment></cac:AdditionalDocumentReference><cac:AccountingSupplierParty>"
    )
    data = papers.invoice(company_of(people.bakery)).replace(
        b"<cac:AccountingSupplierParty>", inside.encode(), 1
    )
    take_files({"a.xml": data})
    assert papers_of(people.bakery) == [PAPER]


def test_a_second_delivery_changes_nothing(people: Cast) -> None:
    files = papers.a_month(company_of(people.bakery))
    take_files(files)
    before, kept = filings(people.bakery), contents(people.bakery)
    again = take_files({f"again {name}": data for name, data in files.items()})
    assert (again.filed.total(), again.known, again.refused) == (0, 5, [])
    assert [f.pk for f in filings(people.bakery)] == [f.pk for f in before]
    assert contents(people.bakery) == kept


def test_the_same_file_twice_in_one_batch_is_one_document(people: Cast) -> None:
    data = papers.statement(company_of(people.bakery))
    taken = take_files({"a.cod": data, "b.cod": data})
    assert (taken.filed.total(), taken.known) == (1, 1)


def test_a_differing_delivery_is_the_next_version_and_both_are_kept(people: Cast) -> None:
    company = company_of(people.bakery)
    first, second, third = (papers.statement(company, cents=cents) for cents in (1, 2, 3))
    assert take_files({"a.cod": first}).newer == 0
    assert take_files({"a.cod": second, "b.cod": third}).newer == 2
    found = filings(people.bakery)
    assert [f.version for f in found] == [1, 2, 3]
    assert len({f.natural_key for f in found}) == 1
    assert {first, second, third} < set(contents(people.bakery).values())


def test_a_differing_card_statement_has_a_name_of_its_own(people: Cast) -> None:
    company = company_of(people.bakery)
    data = papers.card(company)
    differing = data.replace(b"Demo Cards", b"Demo Cards", 1) + b"<!-- again -->\n"
    take_files({"a.xml": data})
    assert take_files({"a.xml": differing}).newer == 1
    with every_office():
        names = Document.objects.filter(client=people.bakery).values_list("public_id", flat=True)
        assert len(set(names)) == 2


# --- folders, ZIPs, standard input ---------------------------------------------------------------


def test_a_folder_is_walked_to_its_leaves_but_not_through_links(
    people: Cast, tmp_path: Path
) -> None:
    company = company_of(people.bakery)
    one, two, three = (papers.statement(company, n) for n in (1, 2, 3))
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
    files = {"2026/a.cod": papers.statement(company), "2026/a.PDF": PAPER}
    written(tmp_path, {"all.zip": papers.zipped({**files, "__MACOSX/._a.cod": b"x"})})
    taken = take_folder(tmp_path)
    assert (taken.files, taken.filed.total(), taken.refused) == (1, 1, [])
    assert papers_of(people.bakery) == [PAPER]


def run_command(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
    """`manage.py ingest` as an operator runs it."""
    environment = os.environ | {
        "DATABASE_URL": test_database_url(),
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
    files = papers.a_month(company)
    cut = files["bank.cod"].replace(b"\r\n9", b"\r\n", 1)
    written(tmp_path, {**files, "bad/cut.cod": cut, "alone.pdf": PAPER + os.urandom(8)})
    done = run_command(str(tmp_path))
    assert done.returncode == 1
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 2
    assert any(line.startswith("alone.pdf: paper_without_file: ") for line in lines)
    assert any(line.startswith("bad/cut.cod: ") and "(line " in line for line in lines)
    assert done.stdout.splitlines()[0] == "7 files"
    assert "  1 × bank account statement" in done.stdout
    assert "  1 refused: paper_without_file" in done.stdout
    assert len(filings(people.bakery)) == 5


def test_the_command_reads_a_zip_from_standard_input(people: Cast) -> None:
    files = papers.zipped(papers.a_month(company_of(people.bakery)))
    done = run_command("-", stdin=files)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(filings(people.bakery)) == 5


def test_an_operator_at_a_terminal_sees_how_far_it_is(people: Cast, tmp_path: Path) -> None:
    company = company_of(people.bakery)
    folder = written(tmp_path, {f"{n}.cod": papers.statement(company, n) for n in range(1, 9)})
    ours, theirs = os.openpty()
    call = [sys.executable, "manage.py", "ingest", str(folder)]
    environment = os.environ | {
        "DATABASE_URL": test_database_url(),
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


# --- two at once, and killed at any moment -------------------------------------------------------


def test_two_ingests_of_the_same_files_give_each_document_once(
    people: Cast, tmp_path: Path
) -> None:
    butcher = factories.make_client(people.peeters, "Slagerij")
    companies = [company_of(people.bakery), company_of(butcher)]
    files = {
        f"{company.code}/{place}.cod": data
        for company in companies
        for place, data in enumerate(papers.statements(company, 30))
    }
    folder = written(tmp_path, files)
    names = sorted(folder.rglob("*.cod"))
    filed: list[int] = []
    start = threading.Barrier(3)

    def run(order: list[Path]) -> None:
        start.wait(10)
        try:
            for taken in ingest(a for path in order for a in of_paths([path])):
                filed.append(taken.filed.total())
        finally:
            connection.close()

    runs = [threading.Thread(target=run, args=(order,)) for order in (names, names[::-1])]
    for each in runs:
        each.start()
    start.wait(10)
    for each in runs:
        each.join(120)
    assert sum(filed) == 60
    for company in (people.bakery, butcher):
        found = filings(company)
        assert len(found) == 30
        assert {f.version for f in found} == {1}
    assert not Publication.objects.exists()


def deliver(folder: Path, clients: list[Any], each: int) -> set[str]:
    """Write statements and invoices of the clients; return their digests."""
    files: dict[str, bytes] = {}
    for client in clients:
        company = company_of(client)
        for place, data in enumerate(papers.statements(company, each)):
            files[f"{client.pk}/{place:04d}.cod"] = data
        for place in range(each // 3):
            files[f"{client.pk}/i{place:04d}.xml"] = papers.invoice(
                company, f"N{place}", seed=place
            )
    written(folder, files)
    return {hashlib.sha256(data).hexdigest() for data in files.values()}


def kill_while_it_works(folder: Path, rng: random.Random) -> bool:
    """Start the command and kill it at a random moment; tell whether it was still at work."""
    environment = os.environ | {
        "DATABASE_URL": test_database_url(),
        "PORTAL_SECRET_KEY": settings.SECRET_KEY,
    }
    process = subprocess.Popen(
        [sys.executable, "manage.py", "ingest", str(folder)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    before = Content.objects.count
    with every_office():
        there = before()
    # The moments that matter begin with the first bytes.
    began = time.monotonic()
    while process.poll() is None and time.monotonic() - began < 60:
        incoming = Path(storage().path("incoming"))
        with every_office():
            if before() > there or (incoming.exists() and any(incoming.iterdir())):
                break
        time.sleep(0.01)
    time.sleep(rng.random() * 0.8)
    alive = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    return alive


def test_an_ingest_that_is_killed_loses_and_doubles_nothing(
    people: Cast, tmp_path: Path, rounds: float
) -> None:
    """5 kills everyday; 50 by `--rounds 10`."""
    kills = int(5 * rounds)
    rng = random.Random(9)
    killed, done = 0, 0
    while killed < kills:
        clients = [factories.make_client(people.janssens) for _ in range(2)]
        folder = tmp_path / str(done)
        owed = deliver(folder, clients, each=120)
        while killed < kills and kill_while_it_works(folder, rng):
            killed += 1
            check_that_rows_and_bytes_agree(clients)
        done += 1
        taken = take_folder(folder)
        assert taken.refused == []
        assert taken.filed.total() + taken.known == len(owed)
        for client in clients:
            found = filings(client)
            assert len({f.sha256 for f in found}) == len(found) == 160
            assert {f.version for f in found} == {1}
        assert {f.sha256 for client in clients for f in filings(client)} == owed
        check_that_rows_and_bytes_agree(clients)
    forget_dead_publications()
    assert not Publication.objects.exists()


def check_that_rows_and_bytes_agree(clients: list[Any]) -> None:
    """Every document has its filing, its two formats, and their bytes as the rows say."""
    with every_office():
        found = Document.objects.filter(client__in=clients)
        assert not found.filter(filing=None).exists()
        rows = list(Content.objects.filter(document__client__in=clients))
        assert len(rows) == 2 * found.count()
    for row in rows:
        assert len(load(row.sha256)) == row.size


# --- orphans -------------------------------------------------------------------------------------


def test_bytes_without_a_row_go_after_a_day_and_no_others(people: Cast) -> None:
    data = papers.statement(company_of(people.bakery))
    take_files({"a.cod": data, "b.cod": b"0 cut off" + os.urandom(8)})
    orphan = keep(b"written, and then the process died" + os.urandom(8))
    young = keep(b"young" + os.urandom(8))
    waiting = Quarantined.objects.latest("pk")
    mine = [orphan, hashlib.sha256(data).hexdigest(), waiting.sha256]
    yesterday = time.time() - 25 * 3600
    for digest in mine:
        os.utime(storage().path(name_of(digest)), (yesterday, yesterday))
    unfinished = Path(storage().path("incoming")) / "half"
    unfinished.write_bytes(b"half")
    os.utime(unfinished, (yesterday, yesterday))
    removed = sum(sweep(shard) for shard in {digest[:2] for digest in (*mine, young)})
    assert removed == 2
    assert not storage().exists(name_of(orphan))
    assert not unfinished.exists()
    for digest in (*mine[1:], young):
        assert storage().exists(name_of(digest))
    assert len(shards()) == 256


def test_bytes_that_a_batch_relies_on_are_not_removed_before_its_rows(people: Cast) -> None:
    """The bytes are there from a killed run; a second one finds them and only writes rows."""
    data = papers.statement(company_of(people.bakery))
    digest = keep(data)
    removed: list[int] = []

    def removal() -> None:
        removed.append(remove_unnamed([digest]))
        connection.close()

    sweeping = threading.Thread(target=removal)

    def arrivals() -> Any:
        sweeping.start()
        time.sleep(0.3)
        assert sweeping.is_alive()
        yield Arrival("a.cod", data)

    assert next(iter(ingest(arrivals()))).filed[BANK] == 1
    sweeping.join(10)
    assert removed == [0]
    assert load(digest) == data


def test_beat_calls_only_what_the_worker_knows(people: Cast) -> None:
    from celery import current_app

    from documents import tasks

    current_app.loader.import_default_modules()
    asked = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert {tasks.take_in.name, tasks.sweep_orphans.name, tasks.bury.name} <= asked
    assert asked <= set(current_app.tasks)
    tasks.take_in()
    tasks.sweep_orphans()
    tasks.bury()


# --- memory --------------------------------------------------------------------------------------


def test_the_memory_is_the_same_for_few_and_for_many(people: Cast, rounds: float) -> None:
    """1,000 documents everyday; 100,000 by `--rounds 100`. Measured in a process of its own."""
    program = (
        "import django, resource, sys; django.setup()\n"
        "from tests.documents.papers import measured\n"
        "print(*measured(int(sys.argv[1]), int(sys.argv[2])))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(people.bakery.pk), str(int(1_000 * rounds))],
        cwd=ROOT,
        env=os.environ
        | {
            "DATABASE_URL": test_database_url(),
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


# --- the drop folder -----------------------------------------------------------------------------


@pytest.fixture
def drop(tmp_path: Path) -> Any:
    with override_settings(PORTAL_DROP_FOLDER=str(tmp_path)):
        yield tmp_path


def rest(folder: Path) -> None:
    """Let the files lie there, as if for long enough."""
    long_ago = time.time() - STABLE_AFTER - 1
    for path in folder.rglob("*"):
        os.utime(path, (long_ago, long_ago))


def test_the_worker_takes_the_drop_folder_in_and_moves_what_is_done(
    people: Cast, drop: Path
) -> None:
    company = company_of(people.bakery)
    written(drop, {"bank/a.cod": papers.statement(company), "bank/a.pdf": PAPER, "b.cod": b"0"})
    rest(drop)
    (taken,) = take_drop_folder_in()
    assert (taken.filed.total(), len(taken.refused)) == (1, 1)
    assert papers_of(people.bakery) == [PAPER]
    assert sorted(str(p.relative_to(drop)) for p in drop.rglob("*") if p.is_file()) == [
        "done/b.cod",
        "done/bank/a.cod",
        "done/bank/a.pdf",
    ]
    assert take_drop_folder_in() == []


def test_files_that_are_still_written_are_left_alone(people: Cast, drop: Path) -> None:
    company = company_of(people.bakery)
    files = {"old.cod": papers.statement(company), "old.cod.part": b"0", ".new": b"0"}
    written(drop, {**files, "twin.cod": papers.statement(company, 2)})
    rest(drop)
    written(drop, {"growing.cod": papers.statement(company, 3)[:500], "twin.pdf": PAPER[:9]})
    (taken,) = take_drop_folder_in()
    assert (taken.files, taken.refused) == (1, [])
    left = {path.name for path in drop.iterdir()}
    assert left == {"done", "old.cod.part", ".new", "growing.cod", "twin.cod", "twin.pdf"}


def test_a_file_that_changes_while_it_is_read_is_taken_again(
    people: Cast, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = company_of(people.bakery)
    written(drop, {"a.cod": papers.statement(company)})
    rest(drop)
    filing = ingesting.file_items

    def and_meanwhile(*arguments: Any, **named: Any) -> Any:
        written(drop, {"a.cod": papers.statement(company, 2)})
        return filing(*arguments, **named)

    monkeypatch.setattr(ingesting, "file_items", and_meanwhile)
    take_drop_folder_in()
    monkeypatch.undo()
    assert (drop / "a.cod").exists()
    with override_settings(PORTAL_DROP_FOLDER=str(drop)):
        rest(drop)
        take_drop_folder_in()
    assert len(filings(people.bakery)) == 2
    assert not (drop / "a.cod").exists()


def test_only_one_worker_takes_the_drop_folder_in(people: Cast, drop: Path) -> None:
    written(drop, {"a.cod": papers.statement(company_of(people.bakery))})
    rest(drop)
    other: list[Any] = []

    def second_worker() -> None:
        other.append(take_drop_folder_in())
        connection.close()

    with alone() as got:
        assert got
        worker = threading.Thread(target=second_worker)
        worker.start()
        worker.join(10)
    assert other == [[]]
    assert (drop / "a.cod").exists()
    assert len(take_drop_folder_in()) == 1
