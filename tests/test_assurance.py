"""The assurance table: every row is there, every mark names one, and no verdict is too good."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.assurance.table import PLANTED, Row, Run, keep, read_rows, write_table

pytestmark = pytest.mark.requirement(100)

TESTS = Path(__file__).resolve().parent
NUMBERS = [number for number in range(1, 123) if number not in (28, 29)]  # there never were such


def marks(file: Path) -> list[object]:
    """The arguments of all requirement marks of a file."""
    return [
        argument.value if isinstance(argument, ast.Constant) else ast.dump(argument)
        for call in ast.walk(ast.parse(file.read_text()))
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.requirement"
        for argument in call.args
    ]


def test_no_row_is_left_out() -> None:
    rows = read_rows()
    assert [row.number for row in rows] == NUMBERS
    assert [row.letter for row in rows] == sorted(row.letter for row in rows)
    assert {row.letter for row in rows} == set("ABCDEFGHIJKL")


def test_every_mark_names_a_row_of_the_table() -> None:
    wrong = {
        (file.name, argument)
        for file in TESTS.rglob("*.py")
        for argument in marks(file)
        if argument not in NUMBERS
    }
    assert not wrong


def test_a_row_with_a_gap_has_tests() -> None:
    marked = {argument for file in TESTS.rglob("*.py") for argument in marks(file)}
    assert not [row.number for row in read_rows() if row.gap and row.number not in marked]


@pytest.mark.parametrize(
    ("outcomes", "gap", "verdict"),
    [
        ([], "", "not run"),
        (["passed"], "", "holds"),
        (["passed"], "fewer rounds", "in part"),
        (["passed", "failed"], "", "FAILED"),
        (["passed", "skipped"], "", "skipped in part"),
    ],
)
def test_a_verdict_is_never_better_than_its_tests(
    outcomes: list[str], gap: str, verdict: str
) -> None:
    row = Row(1, "A. Access", "it holds", "100 %", gap, tests=2, outcomes=outcomes)
    assert row.verdict == verdict
    assert Row(1, "A. Access", "it holds", "100 %").verdict == "not built"


def test_the_table_joins_the_newest_result_of_each_row(tmp_path: Path) -> None:
    def rows() -> list[Row]:
        return [
            Row(1, "A. Access", "one", "1", tests=1),
            Row(2, "A. Access", "two", "2", tests=1),
            Row(3, "B. Decisions", "three", "3"),
        ]

    folder = tmp_path / "assurance"
    for number, commit, outcome in (
        (1, "old", "failed"),
        (1, "new", "passed"),
        (2, "old", "failed"),
    ):
        row = rows()[number - 1]
        row.outcomes, row.run = [outcome], Run(commit, 10.0, "2026-11-29T12:00:00+00:00")
        keep([row], folder)
    table = write_table(rows(), folder, tmp_path / "docs")
    assert "3 rows: 1 holds, 1 FAILED, 1 not built. Commits: new, old." in table
    assert "* rows 1: commit new, rounds × 10, 2026-11-29" in table
    assert "* rows 2: commit old, rounds × 10, 2026-11-29" in table
    assert "* all rows: not run" in table
    assert "| 1 | one | 1 | holds | 1 of 1 tests |  |" in table
    assert "| 3 | three | 3 | not built | 0 tests |  |" in table
    assert re.search(r'"verdict": "holds"', (tmp_path / "assurance.json").read_text())
    assert (tmp_path / "assurance.md").read_text() == table
    assert (tmp_path / "docs.md").read_text() == table
    assert (tmp_path / "docs.json").read_text() == (tmp_path / "assurance.json").read_text()


def test_the_table_ends_with_the_planted_holes(tmp_path: Path) -> None:
    row = Row(1, "A. Access", "one", "1", tests=1)
    (tmp_path / "x").mkdir()
    assert write_table([row], tmp_path / "x").endswith("## Planted holes\n\nNot run.\n")
    holes = [
        {"row": 1, "name": "a lock", "outcome": "caught", "seconds": 1.0},
        {"row": 2, "name": "a filter", "outcome": "NOT CAUGHT", "seconds": 2.0},
    ]
    run = {"commit": "new", "finished_at": "2026-11-30T09:00:00+00:00", "holes": holes}
    (tmp_path / "x" / PLANTED).write_text(json.dumps(run))
    table = write_table([row], tmp_path / "x")
    assert "1 of 2 caught. Commit new, 2026-11-30" in table
    assert "| 2 | a filter | NOT CAUGHT |" in table
    assert json.loads((tmp_path / "x.json").read_text())["planted"] == run


def test_the_table_begins_with_what_is_not_reached(tmp_path: Path) -> None:
    short = Row(2, "A. Access", "two", "100 calls", gap="ten calls", tests=1, outcomes=["passed"])
    short.measured = ["10 calls, 0 served"]
    good = Row(1, "A. Access", "one", "1", tests=1, outcomes=["passed"])
    for row in (good, short):
        row.run = Run("new", 1.0, "2026-11-29T12:00:00+00:00")
    keep([good, short], tmp_path / "x")
    head = write_table([good, short], tmp_path / "x").partition("## A. Access")[0]
    assert "2 rows: 1 holds, 1 in part. Commits: new." in head
    assert "| 2 | two | 100 calls | 10 calls, 0 served; ten calls | in part |" in head
    assert "| 1 |" not in head


TWO_TESTS = """
import pytest
pytestmark = pytest.mark.requirement(61)

@pytest.mark.requirement(3, 5)
def test_one(record_property):
    record_property("measured", "7 ms")

@pytest.mark.requirement(5)
def test_two():
    raise AssertionError
"""
ROUNDS = """
def pytest_addoption(parser):
    parser.addoption("--rounds", default="1")
"""
# pytest with the plugin alone, in the folder where it is started.
PYTEST = (
    *(sys.executable, "-m", "pytest", "-p", "tests.assurance.report", "-p", "no:django"),
    *("-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", "."),
)


def test_the_plugin_runs_the_tests_of_the_wanted_rows_and_counts_them(tmp_path: Path) -> None:
    (tmp_path / "test_two.py").write_text(TWO_TESTS)
    (tmp_path / "conftest.py").write_text(ROUNDS)
    environment = os.environ | {"PYTHONPATH": str(TESTS.parent)}

    def said(*options: str) -> str:
        done = subprocess.run(
            [*PYTEST, *options], cwd=tmp_path, env=environment, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        return re.sub(" +", " ", done.stdout + done.stderr)

    both = said("--rows", "3,5", "test_two.py")
    assert "\n 3 holds 1 of 1 tests; 7 ms\n 5 FAILED 1 of 2 tests; 7 ms\n" in both
    assert "1 passed, 1 deselected" in said("--rows", "3", "test_two.py")
    assert "1 failed, 1 passed" in said("--section", "F", "test_two.py")
    assert "The table has no Z." in said("--section", "z")
    assert said("--rows", "3,5", "-n", "2", "test_two.py").count("1 of") == 2


def test_what_two_processes_said_is_kept_row_by_row(tmp_path: Path) -> None:
    """A copy of the plugin, so that the results of this checkout stay."""
    shutil.copytree(TESTS / "assurance", tmp_path / "tests" / "assurance")
    (tmp_path / "tests" / "__init__.py").touch()
    (tmp_path / "test_two.py").write_text(TWO_TESTS)
    (tmp_path / "conftest.py").write_text(ROUNDS)
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    for options in (["--section", "A"], ["--rows", "61", "-n", "2"]):
        subprocess.run(
            [*PYTEST, *options], cwd=tmp_path, env=environment, capture_output=True, check=False
        )
    table = (tmp_path / "var" / "assurance.md").read_text()
    kept = {path.stem for path in (tmp_path / "var" / "assurance").glob("*.json")}
    assert {"3", "5", "61"} < kept
    assert re.search(r"^\| 3 \|.*\| holds \| 1 of 1 tests; 7 ms \|", table, re.MULTILINE)
    assert re.search(r"^\| 61 \|.*\| FAILED \| 1 of 2 tests; 7 ms \|", table, re.MULTILINE)
