"""What PostgreSQL says of one statement: its time, its blocks and its plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any, NamedTuple

from django.db import connection

TIMES = 3


class Plan(NamedTuple):
    """One statement, measured; both times are medians of several executions, in milliseconds."""

    milliseconds: float
    planning: float
    buffers: int
    nodes: list[str]
    heap_fetches: int
    rows: int

    @property
    def index_only(self) -> bool:
        scans = [node for node in self.nodes if "Scan" in node]
        return scans == ["Index Only Scan"]

    @property
    def whole(self) -> float:
        """Milliseconds to plan and to execute: a list is planned at each call."""
        return self.planning + self.milliseconds


def explain(
    sql: str, parameters: dict[str, Any] | Sequence[Any] | None, times: int = TIMES
) -> Plan:
    """Execute several times; the first fills the cache and does not count."""
    found = []
    with connection.cursor() as cursor:
        for _ in range(times + 1):
            cursor.execute(f"explain (analyze, buffers, timing off, format json) {sql}", parameters)
            found.append(cursor.fetchone()[0][0])
    top = found[-1]["Plan"]
    nodes = list(_nodes(top))
    return Plan(
        median(one["Execution Time"] for one in found[1:]),
        median(one["Planning Time"] for one in found[1:]),
        top["Shared Hit Blocks"] + top["Shared Read Blocks"],
        [node["Node Type"] for node in nodes],
        sum(node.get("Heap Fetches", 0) for node in nodes),
        int(top["Actual Rows"]),
    )


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for below in node.get("Plans", []):
        yield from _nodes(below)
