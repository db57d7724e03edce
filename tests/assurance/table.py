"""The assurance table: its rows, what a run of the tests says to each, and how it is printed.

`requirements.toml` has the text of each row. The tests of a row carry its number as a mark. A run
keeps its result section by section in var/assurance/, with the commit it tested. The table puts
the newest result of every section together, in var/assurance.md and var/assurance.json. A release
keeps both in docs/.
"""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
TEXTS = Path(__file__).with_name("requirements.toml")
RESULTS = ROOT / "var" / "assurance"
OF_THE_RELEASE = ROOT / "docs" / "assurance"
PLANTED = "planted.json"  # beside the sections: what devtools/planted.py keeps


@dataclass
class Row:
    """One thing that must hold, and what its tests said in a run.

    `tests` is how many tests carry its number, `outcomes` how they ended, `measured` what they
    measured. `gap` says what the tests do not reach yet.
    """

    number: int
    section: str
    holds: str
    figure: str
    gap: str = ""
    tests: int = 0
    outcomes: list[str] = field(default_factory=list)
    measured: list[str] = field(default_factory=list)

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


@dataclass
class Result:
    """What one run said to all rows of a section."""

    commit: str
    rounds: float
    finished_at: str
    rows: list[Row]


def read_rows() -> list[Row]:
    return [Row(**row) for row in tomllib.loads(TEXTS.read_text())["row"]]


def by_section(rows: Iterable[Row]) -> dict[str, list[Row]]:
    sections: dict[str, list[Row]] = {}
    for row in rows:
        sections.setdefault(row.letter, []).append(row)
    return sections


def keep(letter: str, result: Result, folder: Path = RESULTS) -> None:
    """Write the result of a section down; it takes the place of an older one."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{letter}.json").write_text(json.dumps(asdict(result), indent=1))


def kept(folder: Path = RESULTS) -> dict[str, Result]:
    """The newest result of each section that was run."""
    results = {}
    for file in sorted(folder.glob("?.json")):
        told = json.loads(file.read_text())
        rows = [Row(**row) for row in told.pop("rows")]
        results[file.stem] = Result(**told, rows=rows)
    return results


def merged(rows: list[Row], results: dict[str, Result]) -> list[Row]:
    """Every row with the newest result of its section, or as it is."""
    told = {row.number: row for result in results.values() for row in result.rows}
    return [told.get(row.number, row) for row in rows]


def write_table(rows: list[Row], folder: Path = RESULTS, also: Path | None = None) -> str:
    """Put the results of all sections together, beside the folder; return the Markdown.

    `also` is where a release keeps them, without an ending.
    """
    results, holes = kept(folder), planted(folder)
    whole = merged(rows, results)
    markdown = "\n".join([*as_markdown(whole, results), *planted_as_markdown(holes)]) + "\n"
    told = {**as_json(whole, results), "planted": holes}
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


def as_json(rows: list[Row], results: dict[str, Result]) -> dict[str, Any]:
    runs = {
        letter: {"commit": run.commit, "rounds": run.rounds, "finished_at": run.finished_at}
        for letter, run in results.items()
    }
    return {"sections": runs, "rows": [{**asdict(row), "verdict": row.verdict} for row in rows]}


def as_markdown(rows: list[Row], results: dict[str, Result]) -> Iterator[str]:
    yield "# Assurance\n"
    yield from _summary(rows, results)
    for letter, section in by_section(rows).items():
        yield f"\n## {section[0].section}\n"
        if letter in results:
            run = results[letter]
            yield f"Commit {run.commit}, rounds × {run.rounds:g}, {run.finished_at}.\n"
        else:
            yield "Not run.\n"
        yield "| # | must hold | target | verdict | measured | gap |"
        yield "| --- | --- | --- | --- | --- | --- |"
        for row in section:
            yield _line(row)


def _summary(rows: list[Row], results: dict[str, Result]) -> Iterator[str]:
    """How many rows hold, at which commits, and what each of the others lacks."""
    counts = Counter(row.verdict for row in rows)
    told = ", ".join(f"{number} {verdict}" for verdict, number in counts.most_common())
    commits = ", ".join(sorted({run.commit for run in results.values()})) or "none"
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
