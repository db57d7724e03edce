"""The planted holes: each fits its file, and each item of "it holds when leaned on" has three.

`portal.py assurance --planted` plants them and runs the tests that must notice.
"""

from __future__ import annotations

import ast
import compileall
from collections import Counter
from pathlib import Path

import pytest

from devtools.console import CannotContinueError
from devtools.paths import ROOT
from devtools.planted import Hole, chosen, planted, read_holes
from tests.assurance.table import read_rows

pytestmark = pytest.mark.requirement(100)

HOLES = read_holes()
# The rows of each item.
ITEMS = {
    "slow readers": {101},
    "lock-outs": {104},
    "wishes": {105},
    "locks": {106},
    "append-only": {107},
    "budgets and claims": {103, 108},
    "operators and suspended software": {109, 110, 113},
    "children and memory": {102, 116},
    "restore": {115},
    "edges": {67, 111, 112, 114},
    "isolation": {47},
}


def test_each_item_has_three_holes() -> None:
    counts = Counter(hole.row for hole in HOLES)
    few = {item for item, rows in ITEMS.items() if sum(counts[row] for row in rows) < 3}
    assert not few
    assert set(counts) == set.union(*ITEMS.values())
    assert set(counts) <= {row.number for row in read_rows()}
    assert len({hole.name for hole in HOLES}) == len(HOLES)


@pytest.mark.parametrize("hole", HOLES, ids=lambda hole: hole.name)
def test_a_hole_fits_its_file_and_names_tests_that_are_there(hole: Hole, tmp_path: Path) -> None:
    text = planted(hole, (ROOT / hole.file).read_text())
    assert text != (ROOT / hole.file).read_text()
    if hole.file.endswith(".py"):
        (tmp_path / "with_hole.py").write_text(text)
        assert compileall.compile_file(tmp_path / "with_hole.py", quiet=1)
    for test in hole.tests:
        file, _, function = test.partition("[")[0].partition("::")
        tree = ast.parse((ROOT / file).read_text())
        names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert function in names or (not function and names)


def test_a_text_that_is_there_twice_is_no_place_for_a_hole() -> None:
    hole = Hole(101, "a hole", "a.py", "if x:", "if True:", ["tests/test_planted.py"])
    assert planted(hole, "if x:\n    pass\n") == "if True:\n    pass\n"
    for text in ("if x:\nif x:\n", "if y:\n"):
        with pytest.raises(CannotContinueError):
            planted(hole, text)


def test_holes_are_chosen_by_row_or_name() -> None:
    assert chosen(HOLES, []) == HOLES
    assert {hole.row for hole in chosen(HOLES, ["104"])} == {104}
    assert [hole.row for hole in chosen(HOLES, ["remembered device"])] == [109]
    with pytest.raises(CannotContinueError):
        chosen(HOLES, ["no such hole"])
