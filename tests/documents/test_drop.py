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

from documents import ingest as ingesting
from documents.drop import STABLE_AFTER, alone, take_drop_folder_in
from tests.conftest import Cast
from tests.documents import papers
from tests.documents.papers import (
    PAPER,
    company_of,
    filings,
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
