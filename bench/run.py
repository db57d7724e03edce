"""`run`: our server, the floor and the peers take turns; each round asks every question.

The figure is the CPU time of the web processes per call. On a shared machine it varies much less
than calls per second. Each ratio is the median of the ratios of all rounds.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from statistics import median
from typing import NamedTuple

from bench import calls, participants, statements
from bench.calls import Call
from bench.load import LoadResult, drive
from bench.report import Report
from bench.servers import Server, serving, with_fastify

THREE = ["ours", "floor", "peer"]
LIGHT = "one document's JSON"
BY_ACCEL = ["ours by X-Accel", "floor by X-Accel", "peer"]
WARM_UP, WARM_CONNECTIONS = 0.4, 16


class Question(NamedTuple):
    """The requests, the servers, the number of connections, and the goals.

    The first server is ours. `of_floor` is a share of the floor's speed, `of_peer` a multiple of
    the peer's; both in CPU time. `most_p99` is a multiple of the floor's.
    """

    goal: str
    what: str
    calls: list[Call]
    servers: list[str]
    connections: int = 8
    of_floor: float | None = None
    of_peer: float | None = None
    most_cpu: float | None = None
    most_p99: float | None = None


class Measured(NamedTuple):
    """One server in one round; times in milliseconds."""

    cpu: float
    result: LoadResult


Rounds = dict[str, list[Measured]]


def measure(size: str, options: argparse.Namespace) -> bool:
    statements.write()
    questions = _questions(participants.credentials())
    report = Report("run", size)
    names = {name: None for question in questions for name in question.servers}
    found: dict[str, Rounds] = defaultdict(lambda: defaultdict(list))
    with serving(*names, threads=options.threads) as servers:
        _warm_up(servers, questions)
        for _ in range(options.rounds):
            for question in questions:
                _ask(question, servers, found[question.what], options.seconds)
    for question in questions:
        _report(report, question, found[question.what])
    _report_features(report, found)
    _report_errors(report, found)
    return report.finish()


def _warm_up(servers: dict[str, Server], questions: list[Question]) -> None:
    """Every thread opens its connection to the database before anything is counted."""
    light = next(question for question in questions if question.what == LIGHT)
    for server in servers.values():
        drive(server.port, [call.raw() for call in light.calls], WARM_CONNECTIONS, WARM_UP)


def _questions(who: participants.Credentials) -> list[Question]:
    medium, big = (
        participants.office(participants.OF_RUN),
        participants.office(f"{participants.BIG}-0"),
    )
    two_years, week = calls.last(728), calls.last(7)
    hundred = [calls.search(who, medium.uuid, participants.numbers(medium, 100), two_years, 100)]
    thousand = [calls.search(who, big.uuid, participants.numbers(big), week, 1000)]
    files = participants.files(medium)
    json, bytes_ = [], {}
    for name, file in files.items():
        json.append(calls.document(who, medium.uuid, file.number, file.uuid))
        bytes_[name] = [calls.content(who, medium.uuid, file.number, file.uuid)]
    more = ["floor without audit", "ours without limits"]
    four = with_fastify(THREE)
    return [
        Question("1", "search, 100 clients, 100 rows", hundred, four + more, 8, 0.70, 16),
        Question("2", "search, 5,000 clients, 1,000 rows", thousand, four, 8, 1.00, 17),
        Question("3", LIGHT, json, four + more, 8, 0.65, 8),
        Question("3", "one document's JSON, 100 connections", json, four, 100),
        Question("4", "content 50 kB, streamed", bytes_["50 kB"], THREE),
        Question("4", "content 50 kB by X-Accel", bytes_["50 kB"], BY_ACCEL, 8, 0.60),
        Question("4", "content 200 kB by X-Accel", bytes_["200 kB"], BY_ACCEL, 8, 0.60),
        Question("11", "token endpoint", [calls.token(who)], THREE[:2], 8, None, None, 2.0),
        Question(
            "12", "herd: 100 clients, 100 connections", hundred, four, 100, 0.65, most_p99=1.3
        ),
    ]


def _ask(question: Question, servers: dict[str, Server], found: Rounds, seconds: float) -> None:
    raw = [call.raw() for call in question.calls]
    for name in question.servers:
        server = servers[name]
        before = server.cpu_seconds()
        result = drive(server.port, raw, question.connections, seconds)
        cpu = (server.cpu_seconds() - before) * 1000 / max(result.calls, 1)
        found[name].append(Measured(cpu, result))


def _report(report: Report, question: Question, found: Rounds) -> None:
    ours, floor, *peer = question.servers[:3]
    of_floor = 100 * _ratio(found[floor], found[ours])
    what = f"{question.what}: of the floor"
    if question.of_floor is None:
        report.note(question.goal, what, f"{of_floor:.0f} %", of_floor)
    else:
        report.at_least(question.goal, what, of_floor, 100 * question.of_floor, " %")
    if peer:
        _report_peer(report, question, _ratio(found[peer[0]], found[ours]))
    if "Fastify" in found:
        ratio = _ratio(found["Fastify"], found[ours])
        report.at_least(question.goal, f"{question.what}: times Fastify", ratio, 1, " ×")
    if question.most_cpu is not None:
        cpu = median(one.cpu for one in found[ours])
        report.at_most(question.goal, f"{question.what}: CPU", cpu, question.most_cpu, " ms")
    if question.most_p99 is not None:
        pairs = zip(found[ours], found[floor], strict=True)
        p99 = median(one.result.p99 / other.result.p99 for one, other in pairs)
        what = f"{question.what}: p99, times the floor's"
        report.at_most(question.goal, what, p99, question.most_p99, " ×")
    for name in question.servers:
        report.note("", f"{question.what}: {name}", _figures(found[name]))


def _report_peer(report: Report, question: Question, times: float) -> None:
    what = f"{question.what}: times the peer"
    if question.of_peer is None:
        report.note(question.goal, what, f"{times:.1f} ×", times)
    else:
        report.at_least(question.goal, what, times, question.of_peer, " ×")


def _report_features(report: Report, found: dict[str, Rounds]) -> None:
    """Report what each feature costs a call, so that we know how the margin is spent."""
    for what, rounds in found.items():
        if "floor without audit" not in rounds:
            continue
        bare = 100 * _ratio(rounds["floor without audit"], rounds["ours"])
        report.note("", f"{what}: of a floor that writes no audit row", f"{bare:.0f} %", bare)
        audit = _difference(rounds["floor"], rounds["floor without audit"])
        report.note("", f"{what}: cost of audit", f"{audit:+.0f} µs", audit)
        limits = _difference(rounds["ours"], rounds["ours without limits"])
        report.note("", f"{what}: cost of limits", f"{limits:+.0f} µs", limits)


def _report_errors(report: Report, found: dict[str, Rounds]) -> None:
    every = [
        one.result for rounds in found.values() for server in rounds.values() for one in server
    ]
    calls_made, errors = (
        sum(result.calls for result in every),
        sum(result.errors for result in every),
    )
    report.count("12", f"errors among {calls_made:,} calls", errors, 0)


def _ratio(one: list[Measured], other: list[Measured]) -> float:
    return median(a.cpu / max(b.cpu, 1e-6) for a, b in zip(one, other, strict=True))


def _difference(one: list[Measured], other: list[Measured]) -> float:
    """In microseconds."""
    return median((a.cpu - b.cpu) * 1000 for a, b in zip(one, other, strict=True))


def _figures(rounds: list[Measured]) -> str:
    cpu = median(one.cpu for one in rounds)
    p50, p99 = median(one.result.p50 for one in rounds), median(one.result.p99 for one in rounds)
    speed = median(one.result.per_second for one in rounds)
    size = rounds[0].result.received / max(rounds[0].result.calls, 1)
    return f"{cpu:.2f} ms CPU, {speed:,.0f}/s, p50 {p50:.1f}, p99 {p99:.1f} ms, {size:,.0f} bytes"
