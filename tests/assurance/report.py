"""A pytest plugin for `portal.py assurance`: runs the tests of the table and prints it.

`rows.toml` is the table: what must hold, the figure of a release, the tests that show it, and in
`gap` what they do not reach yet. A test tells its figure with `record_property("measured", …)`.
Written to var/assurance.md and var/assurance.json too, with the commit.
"""

from __future__ import annotations

import json
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
TABLE = Path(__file__).with_name("rows.toml")


@dataclass
class Row:
    """One thing that must hold; `outcomes` are those of its tests in this run."""

    number: int
    section: str
    holds: str
    figure: str
    tests: list[str] = field(default_factory=list)
    gap: str = ""
    outcomes: list[str] = field(default_factory=list)
    measured: list[str] = field(default_factory=list)

    def has(self, node: str) -> bool:
        """Tell whether the test belongs to this row; parameters of a test do not count."""
        name = node.removeprefix("tests/").split("[")[0]
        return any(name == test or name.startswith(f"{test}::") for test in self.tests)

    @property
    def verdict(self) -> str:
        if not self.tests:
            return "not built"
        if not self.outcomes:
            return "not run"
        if set(self.outcomes) != {"passed"}:
            return "FAILED" if "failed" in self.outcomes else "skipped in part"
        return "in part" if self.gap else "holds"


def read_rows() -> list[Row]:
    return [Row(**row) for row in tomllib.loads(TABLE.read_text())["row"]]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rows", default="", help="numbers of the table, with commas; all by default")


def pytest_configure(config: pytest.Config) -> None:
    wanted = {int(number) for number in config.getoption("--rows").split(",") if number}
    rows = [row for row in read_rows() if not wanted or row.number in wanted]
    config.pluginmanager.register(Assurance(rows), "assurance-of-this-run")


class Assurance:
    """Keeps what the tests of a run say to each row."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows

    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        kept = [item for item in items if any(row.has(item.nodeid) for row in self.rows)]
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = kept

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call" and report.outcome == "passed":
            return
        for row in self.rows:
            if row.has(report.nodeid):
                row.outcomes.append(report.outcome)
                told = [str(text) for name, text in report.user_properties if name == "measured"]
                row.measured += [text for text in told if text not in row.measured]

    def pytest_terminal_summary(self, terminalreporter: Any, config: pytest.Config) -> None:
        """Print the table and keep it in var/."""
        commit = _git("describe", "--always", "--dirty")
        times = config.getoption("--rounds")
        table = "\n".join(_markdown(self.rows, commit, times))
        told = [{**vars(row), "verdict": row.verdict} for row in self.rows]
        whole = {"commit": commit, "rounds": times, "rows": told}
        (ROOT / "var" / "assurance.md").write_text(f"{table}\n")
        (ROOT / "var" / "assurance.json").write_text(json.dumps(whole, indent=1))
        terminalreporter.write_line(f"\n{table}\n")


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"


def _markdown(rows: list[Row], commit: str, times: float) -> Iterator[str]:
    yield f"# Assurance of {commit}, everyday rounds × {times:g}"
    section = ""
    for row in rows:
        if row.section != section:
            section = row.section
            yield f"\n## {section}\n"
            yield "| # | must hold | target | verdict | measured | gap |"
            yield "| --- | --- | --- | --- | --- | --- |"
        passed = row.outcomes.count("passed")
        measured = "; ".join([f"{passed} of {len(row.outcomes)} tests", *row.measured])
        cells = [str(row.number), row.holds, row.figure, row.verdict, measured, row.gap]
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
