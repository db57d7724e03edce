"""Two ingests at once, and one that is killed at any moment: nothing is lost or doubled."""

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
from django.db import connection

from core.document_kinds import Kind
from core.row_security import every_office
from documents.ingest.pipeline import ingest
from documents.ingest.sources import DeliveredFile, files_in_paths
from documents.ingest.visibility_horizon import remove_dead_batches
from documents.models import Content, Document, IngestBatch, QuarantinedFile
from documents.storage.blobs import load, name_of, storage, store
from documents.storage.garbage_collection import collect, remove_unreferenced, shards
from tests import factories
from tests.conftest import ROOT, Cast
from tests.databases import address_of_database
from tests.documents import examples
from tests.documents.examples import (
    company_of,
    details,
    take_files,
    take_folder,
    written,
)

pytestmark = pytest.mark.kills


def test_two_ingests_of_the_same_files_give_each_document_once(
    people: Cast, tmp_path: Path
) -> None:
    butcher = factories.make_client(people.peeters, "Slagerij")
    companies = [company_of(people.bakery), company_of(butcher)]
    files = {
        f"{company.code}/{place}.cod": data
        for company in companies
        for place, data in enumerate(examples.statements(company, 30))
    }
    folder = written(tmp_path, files)
    names = sorted(folder.rglob("*.cod"))
    filed: list[int] = []
    start = threading.Barrier(3)

    def run(order: list[Path]) -> None:
        start.wait(10)
        try:
            for taken in ingest(a for path in order for a in files_in_paths([path])):
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
        found = details(company)
        assert len(found) == 30
        assert {f.version for f in found} == {1}
    assert not IngestBatch.objects.exists()


def deliver(folder: Path, clients: list[Any], each: int) -> set[str]:
    """Write statements and invoices of the clients; return their digests."""
    files: dict[str, bytes] = {}
    for client in clients:
        company = company_of(client)
        for place, data in enumerate(examples.statements(company, each)):
            files[f"{client.pk}/{place:04d}.cod"] = data
        for place in range(each // 3):
            files[f"{client.pk}/i{place:04d}.xml"] = examples.invoice(
                company, f"N{place}", seed=place
            )
    written(folder, files)
    return {hashlib.sha256(data).hexdigest() for data in files.values()}


def kill_while_it_works(folder: Path, rng: random.Random) -> bool:
    """Start the command and kill it at a random moment; tell whether it was still at work."""
    environment = os.environ | {
        "DATABASE_URL": address_of_database(),
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


@pytest.mark.requirement(119)
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
        assert taken.filed.total() + taken.already_filed == len(owed)
        for client in clients:
            found = details(client)
            assert len({f.sha256 for f in found}) == len(found) == 160
            assert {f.version for f in found} == {1}
        assert {f.sha256 for client in clients for f in details(client)} == owed
        check_that_rows_and_bytes_agree(clients)
    remove_dead_batches()
    assert not IngestBatch.objects.exists()


def check_that_rows_and_bytes_agree(clients: list[Any]) -> None:
    """Every document has its details, its one format, and its bytes as the row says."""
    with every_office():
        found = Document.objects.filter(client__in=clients)
        assert not found.filter(details=None).exists()
        rows = list(Content.objects.filter(document__client__in=clients))
        assert len(rows) == found.count()
    for row in rows:
        assert len(load(row.sha256)) == row.size


# --- orphans -------------------------------------------------------------------------------------


def test_bytes_without_a_row_go_after_a_day_and_no_others(people: Cast) -> None:
    data = examples.statement(company_of(people.bakery))
    take_files({"a.cod": data, "b.cod": b"0 cut off" + os.urandom(8)})
    orphan = store(b"written, and then the process died" + os.urandom(8))
    young = store(b"young" + os.urandom(8))
    waiting = QuarantinedFile.objects.latest("pk")
    mine = [orphan, hashlib.sha256(data).hexdigest(), waiting.sha256]
    yesterday = time.time() - 25 * 3600
    for digest in mine:
        os.utime(storage().path(name_of(digest)), (yesterday, yesterday))
    unfinished = Path(storage().path("incoming")) / "half"
    unfinished.write_bytes(b"half")
    os.utime(unfinished, (yesterday, yesterday))
    removed = sum(collect(shard) for shard in {digest[:2] for digest in (*mine, young)})
    assert removed == 2
    assert not storage().exists(name_of(orphan))
    assert not unfinished.exists()
    for digest in (*mine[1:], young):
        assert storage().exists(name_of(digest))
    assert len(shards()) == 256


def test_bytes_that_a_batch_relies_on_are_not_removed_before_its_rows(people: Cast) -> None:
    """The bytes are there from a killed run; a second one finds them and only writes rows."""
    data = examples.statement(company_of(people.bakery))
    digest = store(data)
    removed: list[int] = []

    def removal() -> None:
        removed.append(remove_unreferenced([digest]))
        connection.close()

    sweeping = threading.Thread(target=removal)

    def arrivals() -> Any:
        sweeping.start()
        time.sleep(0.3)
        assert sweeping.is_alive()
        yield DeliveredFile("a.cod", data)

    assert next(iter(ingest(arrivals()))).filed[Kind.BANK_ACCOUNT_STATEMENT] == 1
    sweeping.join(10)
    assert removed == [0]
    assert load(digest) == data


def test_beat_calls_only_what_the_worker_knows(people: Cast) -> None:
    from celery import current_app

    from documents import tasks

    current_app.loader.import_default_modules()
    asked = {classification["task"] for classification in settings.CELERY_BEAT_SCHEDULE.values()}
    assert {
        tasks.ingest_drop_folder.name,
        tasks.collect_garbage.name,
        tasks.delete_for_retention.name,
    } <= asked
    assert asked <= set(current_app.tasks)
    tasks.ingest_drop_folder()
    tasks.collect_garbage()
    tasks.delete_for_retention()
