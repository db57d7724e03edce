"""The web processes that are compared, and the CPU time and memory that they use."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench import node
from bench.calls import API, Asker, Call
from bench.database import KEPT, OWNER, ROOT

TICK = os.sysconf("SC_CLK_TCK")
ACCEL = "/protected"
NO_REDIS = "redis://127.0.0.1:1/0"
OURS, FLOOR, PEER = "codabox_portal.wsgi", "bench.floor", "bench.peer.wsgi"
FASTIFY = "bench/fastify"
# The application of each server, and the differences in its environment.
KNOWN: dict[str, tuple[str, dict[str, str]]] = {
    "ours": (OURS, {}),
    "ours by X-Accel": (OURS, {"PORTAL_NGINX_LOCATION": ACCEL}),
    # Without Redis nothing is counted: the difference is the cost of the limits.
    "ours without limits": (OURS, {"REDIS_URL": NO_REDIS}),
    "floor": (FLOOR, {}),
    "floor by X-Accel": (FLOOR, {"BENCH_ACCEL": ACCEL}),
    "floor without audit": (FLOOR, {"BENCH_AUDIT": "0"}),
    "peer": (PEER, {}),
    "Fastify": (FASTIFY, {}),
}


class Server:
    """One granian with its worker processes."""

    def __init__(self, name: str, *, workers: int, threads: int) -> None:
        self.name = name
        self.port = _free_port()
        application, environment = KNOWN[name]
        if application == FASTIFY:
            command = ["node", str(node.fastify())]
            environment = _for_node(self.port, threads)
        else:
            serve = _gunicorn if application == PEER else _granian
            command = [sys.executable, "-m", *serve(f"{application}:application", self.port)]
            command += ["--workers", str(workers)]
            if serve is _granian:
                command += ["--blocking-threads", str(threads)]
        # In production no web process is told of the owner of the tables either.
        environment = {
            key: value for key, value in os.environ.items() if key != OWNER
        } | environment
        self.log = KEPT / f"{name.replace(' ', '-')}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(  # noqa: S603  # our own words only
                command, cwd=ROOT, env=environment, stdout=log, stderr=log
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
        return cpu_seconds_of(self.process.pid)

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
    """gunicorn with its default, the sync worker: one call at a time on a new connection."""
    return ["gunicorn", application, "--bind", f"127.0.0.1:{port}"]


def _for_node(port: int, connections: int) -> dict[str, str]:
    return {
        "BENCH_PORT": str(port),
        "BENCH_CONNECTIONS": str(connections),
        "BENCH_STATEMENTS": str(KEPT / "statements.json"),
        "NODE_ENV": "production",
    }


def with_fastify(names: list[str]) -> list[str]:
    """These servers and Fastify, where it can be started."""
    return [*names, "Fastify"] if node.fastify() else names


@contextmanager
def serving(*names: str, workers: int = 1, threads: int) -> Iterator[dict[str, Server]]:
    """Start the named servers side by side; stop them at the end, also after an error."""
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
    return sum(_proportional_kilobytes(each) for each in tree_of(pid)) / 1024


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def tree_of(pid: int) -> list[int]:
    """The process and all its descendants."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += tree_of(int(child))
    return found


def cpu_seconds_of(pid: int) -> float:
    """User and system time of the process and its descendants until now."""
    return sum(_ticks(each) for each in tree_of(pid)) / TICK


def _ticks(pid: int) -> int:
    # The name of the process, in brackets, may contain spaces; the fields follow after it.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _proportional_kilobytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0
