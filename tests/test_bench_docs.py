"""What the bench writes into the documentation comes from results that were kept, or not at all."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench import goals, growth
from bench.docs import replace_between
from bench.report import Report, Result
from bench.speed_table import speed

LISTS = {"5,000 of 5,000 clients, 7 days": (32, 0.2), "79 of 5,000 clients, 7 days": (60, 0.4)}
SVG = "{http://www.w3.org/2000/svg}"


def plans(size: str, times: float) -> Result:
    """The result of `plans` where everything costs so many times as much."""
    report = Report("plans", size)
    for what, (buffers, milliseconds) in LISTS.items():
        report.at_most("5", f"{what}: time, {times:,} rows", milliseconds * times, 1, " ms")
        report.count("5", f"{what}: buffers", round(buffers * times), 150)
        report.true("5", f"{what}: plan", "Index Only Scan", "Index Only Scan", met=True)
    return report.result()


def test_growth_is_drawn_as_it_was_measured() -> None:
    results = {"S": plans("S", 1), "M": plans("M", 1.5), "L": plans("L", 2)}
    picture, table = growth.picture(results), growth.table(results)
    assert picture is not None
    assert table is not None
    drawn = ElementTree.fromstring(picture).findall(f"{SVG}polyline")
    assert len(drawn) == 2 * len(LISTS)
    heights = [[float(p.split(",")[1]) for p in line.attrib["points"].split()] for line in drawn]
    assert all(small > medium > large for small, medium, large in heights)
    assert "| 79 of 5,000 clients, 7 days | 60 | 90 | 120 | 0.40 | 0.60 | 0.80 | 2.00 ×" in table


@pytest.mark.parametrize("sizes", [[], ["S"]])
def test_without_results_of_two_sizes_nothing_is_drawn(sizes: list[str]) -> None:
    results = {size: plans(size, 1) for size in sizes}
    assert growth.picture(results) is None
    assert growth.table(results) is None


def test_the_table_of_speed_says_what_was_measured_and_no_more() -> None:
    run, cancel = Report("run", "S"), Report("cancel", "S")
    run.at_least("1", "search: of the floor", 71.6, 70, " %")
    run.at_least("1", "search: times the peer", 15.7, 16, " ×")
    run.at_least("1", "search: times Fastify", 1.39, 1, " ×")
    run.note("", "search: of a floor that writes no audit row", "60 %", 60)
    run.note("11", "token: of the floor", "8 %", 8)
    cancel.true("9", "calls begun after the commit", "≥ 10,000", "10,188", met=True)
    for reader in ("search", "JSON"):
        cancel.count("9", f"{reader}: answers with data, of 5,094", 1, 0)
    text = speed(run.result(), None, cancel.result())
    assert "| search | 71.6 % | ≥ 70 % | 15.7 × | ≥ 16 × | 1.39 × | ≥ 1 × |" in text
    assert "| token | 8 % |  |  |  |  |  |" in text
    assert text.count("\n| ") == 3
    assert "After a cancel, 2 of 10,188 calls" in text
    assert "In the database" not in text


def test_the_table_of_goals_has_a_column_for_each_size() -> None:
    day = Report("day", "0.1 of a day beside S")
    day.at_most("18", "the whole", 174, 180, " s")
    day.note("18", "answers", "3 × 200")
    run = Report("run", "S")
    run.at_least("1", "search: of the floor", 60, 70, " %")
    text = goals.table([run.result(), plans("S", 1), plans("L", 4), day.result()])
    name = "| 5 | 5,000 of 5,000 clients, 7 days"
    assert f"{name}: time | ≤ 1 ms | 0.2 ms |  | 0.8 ms |" in text
    assert f"{name}: buffers | ≤ 150 | 32 |  | 128 |" in text
    assert "| 5 | 79 of 5,000 clients, 7 days: buffers | ≤ 150 | 60 |  | **240** |" in text
    assert "| 18 | 0.1 of a day: the whole | ≤ 180 s | 174 s |  |  |" in text
    # At S the bench asks for a quarter less, the table does not.
    assert "| 1 | search: of the floor | ≥ 70 % | **60 %** |  |  |" in text
    assert "answers" not in text
    assert text.count("\n| ") == 9


def test_a_page_keeps_all_but_what_the_bench_wrote(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- bench: x -->\nold\n<!-- end of bench: x -->\nafter\n")
    for _ in range(2):
        replace_between(page, "x", "new")
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "new" in text
    assert "old" not in text
    with pytest.raises(ValueError, match="no place"):
        replace_between(page, "y", "new")
