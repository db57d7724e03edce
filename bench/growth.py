"""How the search grows from half a million documents to 60 million, as a table and a picture.

Drawn from the results of `plans` that were kept, of two sizes at least; without them there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from bench.report import Result

SIZES = {"S": "0.5 million", "M": "20 million", "L": "60 million"}
WIDTH, HEIGHT, PANEL = 760, 340, 300
TOP, FOOT, LEFT = 50, 280, 60
# Told apart by their shape as well as by their colour.
STROKES = [("#005ea8", ""), ("#a3461b", "8 4"), ("#2a7a4b", "2 4"), ("#6b3fa0", "10 3 2 3")]
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1c2430 }
.axis { stroke: #6a7482; stroke-width: 1 }
.line { fill: none; stroke-width: 2.5 }
@media (prefers-color-scheme: dark) { text { fill: #e6eaf0 } .page { fill: #141a22 } }
@media (prefers-color-scheme: light) { .page { fill: #fff } }
"""


class Line(NamedTuple):
    """One list of clients, with a figure for each size that was measured."""

    name: str
    figures: Mapping[str, float]


def lines(results: Mapping[str, Result], part: str) -> list[Line]:
    """`part` is "buffers" or "time". Lists that not every size has are left out."""
    ends = f": {part}"
    found: dict[str, dict[str, float]] = {}
    for size, result in results.items():
        for finding in result.findings:
            name, told, _rows = finding.what.partition(ends)
            if finding.goal == "5" and told and finding.value is not None:
                found.setdefault(name, {})[size] = finding.value
    return [Line(name, figures) for name, figures in found.items() if len(figures) == len(results)]


def table(results: Mapping[str, Result]) -> str | None:
    """Markdown: each list with its buffers and times, and by how much they grow."""
    buffers, times = lines(results, "buffers"), lines(results, "time")
    if len(results) < 2 or not (buffers and times):
        return None
    sizes = list(results)
    heads = [f"{part}, {size}" for part in ("buffers", "ms") for size in sizes]
    rows = [f"| search of | {' | '.join(heads)} | grows |", f"| --- |{' --- |' * (len(heads) + 1)}"]
    of_times = {line.name: line.figures for line in times}
    for name, counts in buffers:
        spent = of_times.get(name, {})
        if len(spent) < len(sizes):
            continue
        cells = [f"{counts[size]:,.0f}" for size in sizes] + [
            f"{spent[size]:.2f}" for size in sizes
        ]
        first, last = sizes[0], sizes[-1]
        grows = f"{counts[last] / counts[first]:.2f} × · {spent[last] / spent[first]:.2f} ×"
        rows.append(f"| {name} | {' | '.join(cells)} | {grows} |")
    return "\n".join(rows)


def picture(results: Mapping[str, Result]) -> str | None:
    """The same as SVG: buffers at the left, milliseconds at the right."""
    buffers, times = lines(results, "buffers"), lines(results, "time")
    if len(results) < 2 or not (buffers and times):
        return None
    made = "; ".join(f"{size}: commit {one.commit}, {one.day}" for size, one in results.items())
    legend = [
        f'<path class="line" d="M{LEFT + 350 * (n % 2)} {FOOT + 26 + 20 * (n // 2)}h28"'
        f' {_stroke(n)}/><text x="{LEFT + 36 + 350 * (n % 2)}" y="{FOOT + 30 + 20 * (n // 2)}">'
        f"{line.name}</text>"
        for n, line in enumerate(buffers)
    ]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>Search inside the database by number of documents</title><desc>{made}</desc>",
        f"<style>{STYLE}</style>",
        f'<rect class="page" width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        *_panel(LEFT, "buffers", buffers, list(results), "{:,.0f}".format),
        *_panel(LEFT + PANEL + 70, "milliseconds", times, list(results), "{:.2f}".format),
        *legend,
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _panel(
    left: int,
    title: str,
    drawn: Sequence[Line],
    sizes: list[str],
    told: Callable[[float], str],
) -> list[str]:
    most = max(max(line.figures.values()) for line in drawn) or 1
    step = PANEL / (len(sizes) - 1)

    def across(n: int) -> float:
        return left + n * step

    def up(figure: float) -> float:
        return FOOT - 40 - (FOOT - 40 - TOP) * figure / most

    parts = [
        f'<text x="{left}" y="{TOP - 20}">{title}</text>',
        f'<path class="axis" d="M{left} {TOP}V{FOOT - 40}H{left + PANEL}" fill="none"/>',
        f'<text x="{left - 8}" y="{TOP + 5}" text-anchor="end">{told(most)}</text>',
        f'<text x="{left - 8}" y="{FOOT - 36}" text-anchor="end">0</text>',
    ]
    for n, size in enumerate(sizes):
        anchor = "start" if n == 0 else "end" if n == len(sizes) - 1 else "middle"
        words = f"{size} ({SIZES[size]})"
        parts.append(
            f'<text x="{across(n):.0f}" y="{FOOT - 18}" text-anchor="{anchor}">{words}</text>'
        )
    for place, line in enumerate(drawn):
        points = " ".join(
            f"{across(n):.1f},{up(line.figures[size]):.1f}" for n, size in enumerate(sizes)
        )
        parts.append(f'<polyline class="line" points="{points}" {_stroke(place)}/>')
    return parts


def _stroke(place: int) -> str:
    colour, dashes = STROKES[place % len(STROKES)]
    return f'stroke="{colour}" stroke-dasharray="{dashes or "none"}"'
