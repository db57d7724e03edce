"""The worker takes the drop folder in: what rests there, once, and moves what is done."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import override_settings

from documents.ingest import pipeline as ingesting
from documents.ingest.drop_folder import STABLE_AFTER, drop_folder_lock, ingest_waiting_files
from tests.conftest import Cast
from tests.documents import examples
from tests.documents.examples import (
    DELIVERED_PDF,
    company_of,
    details,
    papers_of,
    written,
)


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
    written(
        drop,
        {"bank/a.cod": examples.statement(company), "bank/a.pdf": DELIVERED_PDF, "b.cod": b"0"},
    )
    rest(drop)
    (taken,) = ingest_waiting_files()
    assert (taken.filed.total(), len(taken.refused)) == (1, 1)
    assert papers_of(people.bakery) == [DELIVERED_PDF]
    assert sorted(str(p.relative_to(drop)) for p in drop.rglob("*") if p.is_file()) == [
        "done/b.cod",
        "done/bank/a.cod",
        "done/bank/a.pdf",
    ]
    assert ingest_waiting_files() == []


def test_files_that_are_still_written_are_left_alone(people: Cast, drop: Path) -> None:
    company = company_of(people.bakery)
    files = {"old.cod": examples.statement(company), "old.cod.part": b"0", ".new": b"0"}
    written(drop, {**files, "twin.cod": examples.statement(company, 2)})
    rest(drop)
    written(
        drop, {"growing.cod": examples.statement(company, 3)[:500], "twin.pdf": DELIVERED_PDF[:9]}
    )
    (taken,) = ingest_waiting_files()
    assert (taken.files, taken.refused) == (1, [])
    left = {path.name for path in drop.iterdir()}
    assert left == {"done", "old.cod.part", ".new", "growing.cod", "twin.cod", "twin.pdf"}


def test_a_file_that_changes_while_it_is_read_is_taken_again(
    people: Cast, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = company_of(people.bakery)
    written(drop, {"a.cod": examples.statement(company)})
    rest(drop)
    filing = ingesting.file_documents

    def and_meanwhile(*arguments: Any, **named: Any) -> Any:
        written(drop, {"a.cod": examples.statement(company, 2)})
        return filing(*arguments, **named)

    monkeypatch.setattr(ingesting, "file_documents", and_meanwhile)
    ingest_waiting_files()
    monkeypatch.undo()
    assert (drop / "a.cod").exists()
    with override_settings(PORTAL_DROP_FOLDER=str(drop)):
        rest(drop)
        ingest_waiting_files()
    assert len(details(people.bakery)) == 2
    assert not (drop / "a.cod").exists()


def test_only_one_worker_takes_the_drop_folder_in(people: Cast, drop: Path) -> None:
    written(drop, {"a.cod": examples.statement(company_of(people.bakery))})
    rest(drop)
    other: list[Any] = []

    def second_worker() -> None:
        other.append(ingest_waiting_files())
        connection.close()

    with drop_folder_lock() as got:
        assert got
        worker = threading.Thread(target=second_worker)
        worker.start()
        worker.join(10)
    assert other == [[]]
    assert (drop / "a.cod").exists()
    assert len(ingest_waiting_files()) == 1
