"""Which tests are slow: `make test-fast` leaves them out.

tests/slow.txt names the test functions that took longer than LONG, as measured by a whole run with
`make test ARGS="--measure-slow"` on a quiet machine. A function is slow when one of its cases is.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

LIST = Path(__file__).with_name("slow.txt")
LONG = 0.12  # seconds, with the part that the fixtures of the test take


def function_of(nodeid: str) -> str:
    """The test function, without the parameters of the case."""
    return nodeid.partition("[")[0]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--measure-slow", action="store_true", help="write tests/slow.txt anew after a whole run"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    slow = set(LIST.read_text().splitlines()) if LIST.exists() else set()
    for item in items:
        if function_of(item.nodeid) in slow:
            item.add_marker("slow")


def pytest_configure(config: pytest.Config) -> None:
    # With several processes, only the one that hands out the tests sees all reports.
    if config.getoption("--measure-slow") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Measure())


class Measure:
    """Adds up what each case took, and writes the list at the end."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        # What a setup of a minute made is shared by many tests: it is not this test that is slow.
        if report.when != "setup" or report.duration < 5:
            self.seconds[report.nodeid] += report.duration  # type: ignore[assignment]

    def pytest_sessionfinish(self, session: Any) -> None:
        slow = {function_of(case) for case, taken in self.seconds.items() if taken > LONG}
        LIST.write_text("".join(f"{name}\n" for name in sorted(slow)))
