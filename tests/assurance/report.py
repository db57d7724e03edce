"""The pytest plugin of `portal.py assurance`: run the tests of the table, keep and print it.

A test says which rows it belongs to with `@pytest.mark.requirement(47)` and what it measured with
`record_property("measured", "…")`. `--section A` runs one section (`A,C` two), `--rows 1,2` runs
some rows. What a run says to a row is kept, and the table is put together from the newest results
of all rows. `--release` keeps the table in docs/ as well. `-n 2` uses two processes, which is
quicker, and too rough for rows that measure time.
"""

from __future__ import annotations

import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from tests.assurance.table import (
    OF_THE_RELEASE,
    ROOT,
    Row,
    Run,
    keep,
    read_rows,
    write_table,
)

ROWS = "rows of the assurance table"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--section", default="", help="letters of the table, with commas")
    parser.addoption("--release", action="store_true", help="keep the table in docs/ as well")
    parser.addoption("--rows", default="", help="numbers of the table, with commas")


def pytest_configure(config: pytest.Config) -> None:
    letters = _listed(config.getoption("--section").upper())
    numbers = {int(number) for number in _listed(config.getoption("--rows"))}
    rows = read_rows()
    unknown = (letters - {row.letter for row in rows}) | (numbers - {row.number for row in rows})
    if unknown:
        raise pytest.UsageError(f"The table has no {', '.join(map(str, unknown))}.")
    wanted = [
        row
        for row in rows
        if (not letters or row.letter in letters) and (not numbers or row.number in numbers)
    ]
    plugin = Assurance(rows, wanted, keeps=_all_tests_are_asked_for(config))
    config.pluginmanager.register(plugin, "assurance-of-this-run")


def _all_tests_are_asked_for(config: pytest.Config) -> bool:
    """Tell whether the run is of all files: the result of a few says nothing about a row."""
    everywhere = config.args_source is not pytest.Config.ArgsSource.ARGS
    return everywhere and not (config.option.keyword or config.option.collectonly)


def _listed(option: str) -> set[str]:
    return {part.strip() for part in option.split(",") if part.strip()}


def requirements_of(item: pytest.Item) -> set[int]:
    """The rows whose marks a test carries, on itself or on its file."""
    return {number for mark in item.iter_markers("requirement") for number in mark.args}


class Assurance:
    """Collects what the tests of a run say to the wanted rows."""

    def __init__(self, rows: list[Row], wanted: list[Row], keeps: bool) -> None:
        self.rows = {row.number: row for row in rows}
        self.wanted = wanted
        self.keeps = keeps

    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Count the tests of every row; leave those out that belong to no wanted one."""
        wanted = {row.number for row in self.wanted}
        left_out = []
        for item in list(items):
            numbers = requirements_of(item)
            for number in numbers:
                self.rows[number].tests += 1
            if numbers & wanted:
                # The report takes this along, also from another process.
                item.user_properties.append((ROWS, sorted(numbers & wanted)))
            else:
                left_out.append(item)
                items.remove(item)
        config.hook.pytest_deselected(items=left_out)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call" and report.outcome == "passed":
            return
        told = [str(text) for name, text in report.user_properties if name == "measured"]
        (numbers,) = (value for name, value in report.user_properties if name == ROWS)
        for number in cast(list[int], numbers):
            row = self.rows[number]
            row.outcomes.append(report.outcome)
            row.measured += [text for text in told if text not in row.measured]

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take over what another process counted; each of them collects all tests."""
        for number, tests in node.workeroutput[ROWS]:
            self.rows[number].tests = tests

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Keep nothing of a run that was interrupted."""
        self.keeps &= exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
        if hasattr(session.config, "workeroutput"):
            counted = [(number, row.tests) for number, row in self.rows.items()]
            session.config.workeroutput[ROWS] = counted

    def pytest_terminal_summary(self, terminalreporter: Any, config: pytest.Config) -> None:
        """Keep what was said to each row; print the whole table, or the rows of a part."""
        if self.keeps:
            now = datetime.now(UTC).isoformat(timespec="seconds")
            run = Run(_commit(), float(config.getoption("--rounds")), now)
            keep(replace(row, run=run) for row in self.wanted)
            also = OF_THE_RELEASE if config.getoption("--release") else None
            table = write_table(list(self.rows.values()), also=also)
            terminalreporter.write_line(f"\n{table}")
            return
        for row in self.wanted:
            passed = f"{row.outcomes.count('passed')} of {row.tests} tests"
            told = "; ".join([passed, *row.measured])
            terminalreporter.write_line(f"{row.number:>4}  {row.verdict:<16} {told}")


def _commit() -> str:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout.strip() or "unknown"
