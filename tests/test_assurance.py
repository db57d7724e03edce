"""The table of `portal.py assurance` is whole: no row left out, no test named that is not there."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.assurance.report import Row, read_rows

TESTS = Path(__file__).resolve().parent
NUMBERS = [number for number in range(1, 101) if number not in (28, 29)]  # there never were such


@cache
def names(file: str) -> set[str]:
    tree = ast.parse((TESTS / file).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_no_row_is_left_out() -> None:
    assert [row.number for row in read_rows()] == NUMBERS


def test_every_test_that_a_row_names_exists() -> None:
    for row in read_rows():
        for test in row.tests:
            file, _, name = test.partition("::")
            assert (TESTS / file).is_file(), (row.number, test)
            assert not name or name in names(file), (row.number, test)


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
    row = Row(1, "A", "it holds", "100 %", ["a.py"], gap, outcomes)
    assert row.verdict == verdict
    assert Row(1, "A", "it holds", "100 %").verdict == "not built"


def test_a_row_has_the_tests_of_its_file_whatever_their_parameters() -> None:
    row = Row(1, "A", "it holds", "100 %", ["documents/test_stop.py", "x/test_y.py::test_z"])
    assert row.has("tests/documents/test_stop.py::test_all[a::b]")
    assert row.has("tests/x/test_y.py::test_z[1]")
    assert not row.has("tests/x/test_y.py::test_zz")
    assert not row.has("tests/documents/test_stopped.py::test_all")
