"""The web processes that are compared, and what they cost the machine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.calls import API, Asker, Call
from bench.database import KEPT, ROOT

TICK = os.sysconf("SC_CLK_TCK")
ACCEL = "/protected"
NOBODY = "redis://127.0.0.1:1/0"
OURS, FLOOR, PEER = "codabox_portal.wsgi", "bench.floor", "bench.peer.wsgi"
# Name: the application, and what is different in its environment.
KNOWN: dict[str, tuple[str, dict[str, str]]] = {
    "ours": (OURS, {}),
    "ours by X-Accel": (OURS, {"PORTAL_ACCEL": ACCEL}),
    # Without Redis nothing is counted: the difference is what limits cost.
    "ours without limits": (OURS, {"REDIS_URL": NOBODY}),
    "floor": (FLOOR, {}),
    "floor by X-Accel": (FLOOR, {"BENCH_ACCEL": ACCEL}),
    "floor without audit": (FLOOR, {"BENCH_AUDIT": "0"}),
    "peer": (PEER, {}),
}


class Server:
    """One granian with its worker processes."""

    def __init__(self, name: str, *, workers: int, threads: int) -> None:
        self.name = name
        self.port = _free_port()
        application, environment = KNOWN[name]
        serve = _gunicorn if application == PEER else _granian
        command = [sys.executable, "-m", *serve(f"{application}:application", self.port)]
        command += ["--workers", str(workers)]
        if serve is _granian:
            command += ["--blocking-threads", str(threads)]
        self.log = KEPT / f"{name.replace(' ', '-')}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(  # noqa: S603  # our own words only
                command, cwd=ROOT, env=os.environ | environment, stdout=log, stderr=log
            )

    def wait_until_it_answers(self) -> None:
        asker = Asker(self.port)
        for _ in range(300):
            if self.process.poll() is not None:
                break
            if asker.ask(Call("GET", API)).status:
                return
            time.sleep(0.1)
        raise RuntimeError(f"{self.name} did not start:\n{self.log.read_text()[-4000:]}")

    def cpu_seconds(self) -> float:
        """User and system time of the whole tree until now."""
        return sum(_ticks(pid) for pid in _tree(self.process.pid)) / TICK

    def megabytes(self) -> float:
        return megabytes_of(self.process.pid)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(20)


def _granian(application: str, port: int) -> list[str]:
    return [
        "granian",
        "--interface",
        "wsgi",
        application,
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]


def _gunicorn(application: str, port: int) -> list[str]:
    """Its default is the sync worker: one call after another, each over a connection of its own."""
    return ["gunicorn", application, "--bind", f"127.0.0.1:{port}"]


@contextmanager
def serving(*names: str, workers: int = 1, threads: int) -> Iterator[dict[str, Server]]:
    """Start the named servers side by side, and stop them whatever happens."""
    with ExitStack() as stack:
        servers = {}
        for name in names:
            servers[name] = Server(name, workers=workers, threads=threads)
            stack.callback(servers[name].stop)
        for server in servers.values():
            server.wait_until_it_answers()
        yield servers


def megabytes_of(pid: int) -> float:
    """Memory of the whole tree; shared pages are divided among those who share them."""
    return sum(_proportional_kilobytes(each) for each in _tree(pid)) / 1024


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _tree(pid: int) -> list[int]:
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += _tree(int(child))
    return found


def _ticks(pid: int) -> int:
    # The name of the process, in brackets, may contain spaces: what counts stands behind it.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _proportional_kilobytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0
