"""Every line that has a goal, as one table: a column for each size, from results that were kept.

It stands at the end of docs/performance.md, whose first table says what follows from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from bench.growth import SIZES
from bench.report import Finding, Result, kept

WORDS = ["run", "plans", "cancel", "ingest", "pages"]
SHARES = ["0.1", "1"]
# Figures that stand in the words of a line, and so differ from size to size.
FIGURES = re.compile(r",? \d[\d,.]* (?:rows|buffers|ms)|,? of [\d,]+$| \(.*\)")
BOUND = re.compile(r"([≥≤]) ([\d,.]+)")
HEAD = """| goal | what | asked | S | M | L |
| --- | --- | --- | --- | --- | --- |"""


def results() -> list[Result]:
    """What was kept of each word at each size, and of the days."""
    found = [kept(word, size) for word in WORDS for size in SIZES]
    found += [kept("day", f"{share} of a day beside {size}") for share in SHARES for size in SIZES]
    return [result for result in found if result is not None]


def table(found: Iterable[Result]) -> str:
    """Markdown: what is not met is bold; below it, when and of which commit each was measured."""
    lines: dict[tuple[str, str, str], dict[str, str]] = {}
    made = []
    for result in found:
        made.append(f"`{result.word}` {result.size}: {result.day}, {result.commit}")
        *day, size = result.size.split(" beside ")
        for finding in result.findings:
            if finding.met is not None:
                cells = lines.setdefault(_key(finding, *day), {})
                met = is_met(finding)
                cells[size] = finding.measured if met else f"**{finding.measured}**"
    rows = [
        f"| {goal} | {what} | {asked} | {' | '.join(cells.get(size, '') for size in SIZES)} |"
        for (goal, what, asked), cells in sorted(lines.items(), key=lambda line: int(line[0][0]))
    ]
    return "\n".join([HEAD, *rows, "", f"Measured: {'; '.join(made)}."])


def is_met(finding: Finding) -> bool:
    """Whether it meets the goal of a release: on the small size the bench itself asks for less."""
    bound = BOUND.match(finding.target)
    if bound is None or finding.value is None:
        return bool(finding.met)
    limit = float(bound[2].replace(",", ""))
    return finding.value >= limit if bound[1] == "≥" else finding.value <= limit


def _key(finding: Finding, day: str = "") -> tuple[str, str, str]:
    """The goal, the words without their figures, and what is asked where nothing is loosened."""
    what = FIGURES.sub("", finding.what).rstrip(":")
    asked = finding.target.partition(" (")[0]
    return finding.goal, f"{day}: {what}" if day else what, asked
