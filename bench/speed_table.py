"""The table of speed of the README, from results of `run`, `plans` and `cancel` that were kept."""

from __future__ import annotations

import re

from bench.growth import SIZES
from bench.report import Finding, Result

FLOOR, PEER, FASTIFY = "of the floor", "times the peer", "times Fastify"
HEAD = """| | of the floor | goal | × the peer | goal | × Fastify | goal |
| --- | --- | --- | --- | --- | --- | --- |"""


def speed(run: Result, plans: Result | None, cancel: Result | None) -> str:
    """Markdown: a line for each question of `run`, then what the other two found."""
    lines = [HEAD]
    for finding in run.findings:
        question, of_floor, _ = finding.what.partition(f": {FLOOR}")
        if of_floor and finding.what.endswith(FLOOR):
            compared = [run.find(f"{question}: {with_}") for with_ in (FLOOR, PEER, FASTIFY)]
            lines.append(f"| {question} | {' | '.join(map(_cells, compared))} |")
    sentences = [*(_plans(plans) if plans else []), *(_cancel(cancel) if cancel else [])]
    documents = SIZES.get(run.size, run.size)
    made = f"Measured on {run.day} with {documents} documents, commit {run.commit}."
    return "\n".join([*lines, "", *sentences, made])


def _cells(finding: Finding | None) -> str:
    if finding is None or finding.value is None:
        return " | "
    sign = "%" if FLOOR in finding.what else "×"
    # Where a small size loosens a goal, the goal itself stands first.
    return f"{finding.value:.3g} {sign} | {finding.target.partition(' (')[0]}"


def _plans(plans: Result) -> list[str]:
    any_list = plans.values("6", "clients")
    week, deep = plans.values("5", ": buffers"), plans.values("7", ": time")
    token = plans.values("8", ": buffers")
    if not (any_list and week and deep and token):
        return []
    return [
        "In the database, any list of 1 to 5,000 clients over any window of two years takes "
        f"{min(any_list):.2f} to {max(any_list):.1f} ms (goal 50).",
        f"A page of seven days reads {min(week):.0f} to {max(week):.0f} buffers (goal 150), and "
        f"page 500 costs at most {max(deep):.1f} × page 1.",
        f"One statement of {token[0]:.0f} buffers finds token and consent (goal 10).",
    ]


def _cancel(cancel: Result) -> list[str]:
    calls = cancel.find("calls begun after the commit")
    data = cancel.values("9", "answers with data, of")
    if calls is None or not data:
        return []
    made = re.sub(r"\D+$", "", calls.measured)
    return [f"After a cancel, {sum(data):,.0f} of {made} calls were answered with data."]
