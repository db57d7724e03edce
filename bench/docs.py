"""`docs`: write the results that were kept into the documentation; what was not measured stays.

The pages mark the places with comments, and nobody edits between them.
"""

from __future__ import annotations

from pathlib import Path

from bench import goals, growth, speed_table
from bench.database import ROOT
from bench.report import kept

README = ROOT / "README.md"
GROWING = ROOT / "docs" / "operations" / "growing.md"
PERFORMANCE = ROOT / "docs" / "performance.md"
PICTURE = ROOT / "docs" / "growth.svg"


def write() -> None:
    """Write every part of which there are results, and say which have none."""
    _write_speed()
    _write_growth()
    if found := goals.results():
        replace_between(PERFORMANCE, "goals", goals.table(found))


def _write_speed() -> None:
    run = kept("run", "S")
    if run is None:
        print("No table of speed: `run` has no result of size S.")
        return
    text = speed_table.speed(run, kept("plans", "S"), kept("cancel", "S"))
    replace_between(README, "speed", text)


def _write_growth() -> None:
    results = {size: one for size in growth.SIZES if (one := kept("plans", size))}
    picture, table = growth.picture(results), growth.table(results)
    if picture is None or table is None:
        print("No picture of the growth: `plans` has results of fewer than two sizes.")
        return
    PICTURE.write_text(picture)
    shown = f"![Search inside the database by number of documents](../{PICTURE.name})\n\n{table}"
    replace_between(GROWING, "growth", shown)


def replace_between(page: Path, name: str, text: str) -> None:
    """Put the text between the comments of this name, which the page must have."""
    first, last = f"<!-- bench: {name} -->", f"<!-- end of bench: {name} -->"
    before, _, rest = page.read_text().partition(first)
    _old, found, after = rest.partition(last)
    if not found:
        raise ValueError(f"{page.name} has no place for {name}")
    page.write_text(f"{before}{first}\n\n{text}\n\n{last}{after}")
    print(f"{page.relative_to(ROOT) if page.is_relative_to(ROOT) else page}: {name} written.")
