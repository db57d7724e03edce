"""The load: a separate process that keeps some connections busy for a while.

One thread waits on all sockets, so it takes little CPU time from the server on the same machine.
"""

from __future__ import annotations

import json
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PIECE = 1 << 18
LONGEST_WAIT = 30.0


class LoadResult(NamedTuple):
    """The results of the load: times in milliseconds, and the bytes of all answers."""

    calls: int
    errors: int
    received: int
    p50: float
    p99: float
    per_second: float


@dataclass
class Connection:
    """One connection that asks, reads the whole answer, and asks again if it is kept alive."""

    sock: socket.socket
    began: float = 0.0
    head: bytes = b""
    missing: int | None = None
    status: int = 0
    received: int = 0
    is_kept_alive: bool = True

    def send(self, request: bytes) -> None:
        self.began, self.head, self.missing = time.perf_counter(), b"", None
        self.sock.sendall(request)

    def is_complete(self) -> bool:
        """Read the available bytes; raise ConnectionError when the answer breaks off."""
        piece = self.sock.recv(PIECE)
        if not piece:
            raise ConnectionError
        self.received += len(piece)
        if self.missing is None:
            self.head += piece
            head, end, body = self.head.partition(b"\r\n\r\n")
            if not end:
                return False
            self.status, self.missing = int(head[9:12]), _length(head)
            self.is_kept_alive = b"\r\nconnection: close" not in head.lower()
            piece = body
        self.missing -= len(piece)
        return self.missing <= 0


@dataclass
class Load:
    """Send the requests in turn until the time is over, then wait for the last answers."""

    port: int
    requests: Iterator[bytes]
    deadline: float
    times: list[float] = field(default_factory=list)
    errors: int = 0
    received: int = 0
    selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    def run(self, connections: int) -> LoadResult:
        began = time.perf_counter()
        for _ in range(connections):
            self._open()
        while waiting := len(self.selector.get_map()):
            ready = self.selector.select(LONGEST_WAIT)
            if not ready:
                self.errors += waiting
                break
            for key, _ in ready:
                self._go_on(key.data)
        return self._summary(time.perf_counter() - began)

    def _open(self) -> None:
        sock = socket.create_connection(("127.0.0.1", self.port), timeout=LONGEST_WAIT)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(sock)
        self.selector.register(sock, selectors.EVENT_READ, connection)
        connection.send(next(self.requests))

    def _go_on(self, connection: Connection) -> None:
        try:
            if not connection.is_complete():
                return
        except (OSError, ValueError):
            self.errors += 1
            self._close(connection)
            return
        now = time.perf_counter()
        self.times.append((now - connection.began) * 1000)
        self.errors += connection.status not in (200, 201)
        if now < self.deadline and connection.is_kept_alive:
            connection.send(next(self.requests))
            return
        self._close(connection)
        if now < self.deadline:
            self._open()

    def _close(self, connection: Connection) -> None:
        self.received += connection.received
        self.selector.unregister(connection.sock)
        connection.sock.close()

    def _summary(self, took: float) -> LoadResult:
        times = sorted(self.times) or [0.0]
        rank = len(times) - 1
        return LoadResult(
            calls=len(self.times),
            errors=self.errors,
            received=self.received,
            p50=times[rank // 2],
            p99=times[round(rank * 0.99)],
            per_second=len(self.times) / took,
        )


def _length(head: bytes) -> int:
    """The length of the answer. All servers send it; an answer without it is an error."""
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise ValueError("no Content-Length")


def drive(port: int, requests: list[bytes], connections: int, seconds: float) -> LoadResult:
    """Run the load in another process and wait for its results."""
    order = {
        "port": port,
        "requests": [request.decode("latin-1") for request in requests],
        "connections": connections,
        "seconds": seconds,
    }
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"],
        cwd=ROOT,
        input=json.dumps(order).encode(),
        stdout=subprocess.PIPE,
        check=True,
    )
    return LoadResult(*json.loads(done.stdout))


def main() -> None:
    order = json.load(sys.stdin)
    requests = cycle([request.encode("latin-1") for request in order["requests"]])
    load = Load(order["port"], requests, time.perf_counter() + order["seconds"])
    json.dump(load.run(order["connections"]), sys.stdout)


if __name__ == "__main__":
    main()
