"""The assurance table: its rows, what a run of the tests says to each, and how it is printed.

`requirements.toml` has the text of each row. The tests of a row carry its number as a mark. A run
keeps its result row by row in var/assurance/, with the commit it tested. The table puts the newest
result of every row together, in var/assurance.md and var/assurance.json. A release keeps both in
docs/.
"""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent.parent
TEXTS = Path(__file__).with_name("requirements.toml")
RESULTS = ROOT / "var" / "assurance"
OF_THE_RELEASE = ROOT / "docs" / "assurance"
PLANTED = "planted.json"  # beside the rows: what devtools/planted.py keeps


class Run(NamedTuple):
    """Which commit was tested, with how many times the everyday rounds, and when it ended."""

    commit: str
    rounds: float
    finished_at: str

    def __str__(self) -> str:
        return f"commit {self.commit}, rounds × {self.rounds:g}, {self.finished_at}"


@dataclass
class Row:
    """One thing that must hold, and what its tests said in a run.

    `tests` is how many tests carry its number, `outcomes` how they ended, `measured` what they
    measured, `run` in which run. `gap` says what the tests do not reach yet.
    """

    number: int
    section: str
    holds: str
    figure: str
    gap: str = ""
    tests: int = 0
    outcomes: list[str] = field(default_factory=list)
    measured: list[str] = field(default_factory=list)
    run: Run | None = None

    @property
    def letter(self) -> str:
        return self.section[0]

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
    return [Row(**row) for row in tomllib.loads(TEXTS.read_text())["row"]]


def by_section(rows: Iterable[Row]) -> dict[str, list[Row]]:
    sections: dict[str, list[Row]] = {}
    for row in rows:
        sections.setdefault(row.letter, []).append(row)
    return sections


def keep(rows: Iterable[Row], folder: Path = RESULTS) -> None:
    """Write down what a run said to each row; it takes the place of an older run."""
    folder.mkdir(parents=True, exist_ok=True)
    for row in rows:
        (folder / f"{row.number}.json").write_text(json.dumps(asdict(row), indent=1))


def kept(rows: Iterable[Row], folder: Path = RESULTS) -> Iterator[Row]:
    """Every row with what its newest run said, or as it is; the texts are those of today."""
    for row in rows:
        file = folder / f"{row.number}.json"
        if not file.exists():
            yield row
            continue
        told = json.loads(file.read_text())
        said = {name: told[name] for name in ("tests", "outcomes", "measured")}
        yield replace(row, **said, run=Run(*told["run"]))


def write_table(rows: list[Row], folder: Path = RESULTS, also: Path | None = None) -> str:
    """Put the results of all rows together, beside the folder; return the Markdown.

    `also` is where a release keeps them, without an ending.
    """
    whole, holes = list(kept(rows, folder)), planted(folder)
    markdown = "\n".join([*as_markdown(whole), *planted_as_markdown(holes)]) + "\n"
    told = {**as_json(whole), "planted": holes}
    for place in filter(None, (folder, also)):
        place.with_suffix(".md").write_text(markdown)
        place.with_suffix(".json").write_text(json.dumps(told, indent=1) + "\n")
    return markdown


def planted(folder: Path = RESULTS) -> dict[str, Any] | None:
    """What the newest run of the planted holes said (see devtools/planted.py), or None."""
    file = folder / PLANTED
    return dict(json.loads(file.read_text())) if file.exists() else None


def planted_as_markdown(run: dict[str, Any] | None) -> Iterator[str]:
    yield "\n## Planted holes\n"
    if run is None:
        yield "Not run."
        return
    caught = sum(hole["outcome"] == "caught" for hole in run["holes"])
    yield f"{caught} of {len(run['holes'])} caught. Commit {run['commit']}, {run['finished_at']}.\n"
    yield "| row | hole | outcome |"
    yield "| --- | --- | --- |"
    for hole in run["holes"]:
        yield _cells([str(hole["row"]), hole["name"], hole["outcome"].partition("\n")[0]])


def as_json(rows: list[Row]) -> dict[str, Any]:
    return {
        "rows": [
            {**asdict(row), "run": row.run and row.run._asdict(), "verdict": row.verdict}
            for row in rows
        ]
    }


def as_markdown(rows: list[Row]) -> Iterator[str]:
    yield "# Assurance\n"
    yield from _summary(rows)
    for section in by_section(rows).values():
        yield f"\n## {section[0].section}\n"
        yield from _runs(section)
        yield "\n| # | must hold | target | verdict | measured | gap |"
        yield "| --- | --- | --- | --- | --- | --- |"
        for row in section:
            yield _line(row)


def _runs(section: list[Row]) -> Iterator[str]:
    """Which rows were tested in which run."""
    numbers: dict[Run | None, list[str]] = {}
    for row in section:
        numbers.setdefault(row.run, []).append(str(row.number))
    for run, those in numbers.items():
        which = "all rows" if len(numbers) == 1 else f"rows {', '.join(those)}"
        yield f"* {which}: {run or 'not run'}"


def _summary(rows: list[Row]) -> Iterator[str]:
    """How many rows hold, at which commits, and what each of the others lacks."""
    counts = Counter(row.verdict for row in rows)
    told = ", ".join(f"{number} {verdict}" for verdict, number in counts.most_common())
    commits = ", ".join(sorted({row.run.commit for row in rows if row.run})) or "none"
    yield f"{len(rows)} rows: {told}. Commits: {commits}.\n"
    yield "## Not reached\n"
    yield "| # | must hold | target | reached | verdict |"
    yield "| --- | --- | --- | --- | --- |"
    for row in rows:
        if row.verdict != "holds":
            reached = "; ".join(filter(None, [*row.measured, row.gap]))
            yield _cells([str(row.number), row.holds, row.figure, reached, row.verdict])


def _line(row: Row) -> str:
    passed = row.outcomes.count("passed")
    counted = f"{passed} of {len(row.outcomes)} tests" if row.outcomes else f"{row.tests} tests"
    measured = "; ".join([counted, *row.measured])
    cells = [str(row.number), row.holds, row.figure, row.verdict, measured, row.gap]
    return _cells(cells)


def _cells(texts: list[str]) -> str:
    return "| " + " | ".join(text.replace("|", "\\|") for text in texts) + " |"
