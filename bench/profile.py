"""`profile`: where the CPU time of a call goes, room by room: server, middleware, token, SQL, …

The WSGI application is called in this process under cProfile, whose own cost falls on every
function alike; so its shares are laid over the CPU time of a call without it. What a call costs
more in the web process than here is the server's.
"""

from __future__ import annotations

import argparse
import cProfile
import os
import pstats
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

from django.core.wsgi import get_wsgi_application

from bench import calls, participants
from bench.calls import Call
from bench.database import KEPT
from bench.load import drive
from bench.report import Report
from bench.servers import Server, serving

WARM_UP = 20
TIMES = 200
# The functions that are named, of each call.
LARGEST = 8
# A library's function counts for who called it, over so many calls at most.
DEEPEST = 12
OTHER = "the rest"
# The first that is found in the path or the name of a function says in which room it is.
ROOMS = [
    ("orjson", "JSON"),
    ("partner_api/hot_path/middleware", "middleware"),
    ("partner_api/hot_path/rate_limit", "limits"),
    ("/redis/", "limits"),
    ("partner_api/hot_path/authentication", "token"),
    ("oauth2_provider/", "token"),
    ("oauthlib/", "token"),
    ("partner_api/oauth", "token"),
    ("partners/", "token"),
    ("consents/", "scope"),
    ("core/row_security", "scope"),
    ("documents/access_log", "audit"),
    ("core/prepared_sql", "SQL"),
    ("/psycopg", "SQL"),
    ("/django/db/", "SQL"),
    ("/django/contrib/postgres/", "SQL"),
    ("documents/", "SQL"),
    ("partner_api/", "view"),
    ("/rest_framework/", "REST framework"),
    ("/structlog/", "log"),
    ("codabox_portal/logs", "log"),
    ("/django/", "Django"),
]

Function = tuple[str, int, str]
# Of each function: calls twice, its own time, its time with what it calls, and the same by caller.
Stats = dict[Function, tuple[int, int, float, float, dict[Function, tuple[int, int, float, float]]]]


def measure(size: str, options: argparse.Namespace) -> bool:
    report = Report("profile", size)
    application = get_wsgi_application()
    with serving("ours", threads=options.threads) as servers, _lines_to(KEPT / "profile.log"):
        for what, call in _calls().items():
            _report(report, what, call, application, servers["ours"], options)
    return report.finish()


@contextmanager
def _lines_to(log: Path) -> Iterator[None]:
    """Every call writes a line, as in production; not to the terminal."""
    terminal = os.dup(2)
    with log.open("wb") as file:
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)


def _calls() -> dict[str, Call]:
    who = participants.credentials()
    office = participants.office(participants.OF_RUN)
    file = participants.files(office)["50 kB"]
    hundred = participants.numbers(office, 100)
    return {
        "search": calls.search(who, office.uuid, hundred, calls.last(728), 100),
        "document": calls.document(who, office.uuid, file.number, file.uuid),
        "token": calls.token(who),
    }


def _report(
    report: Report,
    what: str,
    call: Call,
    application: Callable[..., Any],
    server: Server,
    options: argparse.Namespace,
) -> None:
    _asked(application, call, WARM_UP)
    began = time.thread_time()
    _asked(application, call, TIMES)
    plain = (time.thread_time() - began) / TIMES * 1e6
    profiler = cProfile.Profile(time.thread_time)
    profiler.runcall(_asked, application, call, TIMES)
    stats: Stats = pstats.Stats(profiler).stats  # type: ignore[attr-defined]  # not in its stubs
    rooms = by_room(stats)
    before = server.cpu_seconds()
    result = drive(server.port, [call.raw()], 8, options.seconds)
    whole = (server.cpu_seconds() - before) / max(result.calls, 1) * 1e6
    report.note("", f"{what}: a call in the web process", f"{whole:,.0f} µs", whole)
    # Below zero where the machine was busier with this process than with that one.
    report.note("", f"{what}: server", f"{whole - plain:,.0f} µs", whole - plain)
    total = sum(rooms.values())
    for room, seconds in sorted(rooms.items(), key=lambda one: -one[1]):
        spent, share = plain * seconds / total, 100 * seconds / total
        report.note("", f"{what}: {room}", f"{spent:,.0f} µs, {share:.0f} %", spent)
    for function, (times, _, own, *_) in sorted(stats.items(), key=lambda one: -one[1][2])[
        :LARGEST
    ]:
        spent = plain * own / total
        told = f"{spent:,.0f} µs in {times / TIMES:g} calls"
        report.note("", f"{what}: itself `{_name(function)}`", told, spent)


def _name(function: Function) -> str:
    path, line, name = function
    return f"{'/'.join(path.split('/')[-3:])}:{line} {name}" if line else name


def _asked(application: Callable[..., Any], call: Call, times: int) -> None:
    """Call the application as a server does; it must answer with data."""
    statuses: list[str] = []
    for _ in range(times):
        answer = application(_environ(call), lambda status, headers: statuses.append(status))
        b"".join(answer)
        answer.close()
    if {status[0] for status in statuses} != {"2"}:
        raise RuntimeError(f"{call.path} was answered {sorted(set(statuses))}")


def _environ(call: Call) -> dict[str, Any]:
    headers = {
        f"HTTP_{name.upper().replace('-', '_')}": value for name, value in call.headers.items()
    }
    environ: dict[str, Any] = {
        "REQUEST_METHOD": call.method,
        "PATH_INFO": call.path,
        "QUERY_STRING": "",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": call.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(call.body)),
        "wsgi.input": BytesIO(call.body),
        **headers,
    }
    setup_testing_defaults(environ)
    return environ


def by_room(stats: Stats) -> dict[str, float]:
    """The own time of every function, in its room or in those of who called it."""
    rooms: dict[str, float] = defaultdict(float)

    @cache
    def shares(function: Function, deep: int) -> tuple[tuple[str, float], ...]:
        if (room := room_of(function)) is not None:
            return ((room, 1.0),)
        callers = stats[function][4]
        whole = sum(times[3] for times in callers.values())
        if deep > DEEPEST or not whole:
            return ((OTHER, 1.0),)
        found: dict[str, float] = defaultdict(float)
        for caller, times in callers.items():
            for room, share in shares(caller, deep + 1):
                found[room] += share * times[3] / whole
        return tuple(found.items())

    for function, (_calls, _primitive, own, _whole, _callers) in stats.items():
        for room, share in shares(function, 0):
            rooms[room] += own * share
    return rooms


def room_of(function: Function) -> str | None:
    path, _line, name = function
    return next((room for part, room in ROOMS if part in path or part in name), None)
