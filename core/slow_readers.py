"""Cut the connections of readers that are too slow.

No Python code runs while an answer waits for its reader. So a thread of each web process asks the
kernel once a second how many of the sent bytes each reader has confirmed.
"""

from __future__ import annotations

import os
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

import structlog

# Over how many seconds the rate is measured, and how often.
WINDOW, LOOK_EVERY = 10.0, 1.0
SOCKETS = "/proc/self/fd"
# Two members of `struct tcp_info` (linux/tcp.h): tcpi_bytes_acked and tcpi_notsent_bytes.
ACKED, NOT_SENT = struct.Struct("120xQ"), struct.Struct("144xI")
TCP_INFO_BYTES = NOT_SENT.size
# A socket closed with this drops the bytes that it has not sent; the reader sees a reset.
RESET_AT_CLOSE = struct.pack("ii", 1, 0)
log = structlog.get_logger("web")


class Since(NamedTuple):
    """The moment since which we wait for a reader, and the bytes confirmed at that moment."""

    moment: float
    acked: int


class SlowReaders:
    """The readers for whom this process waits."""

    def __init__(self, bytes_per_second: int, window: float = WINDOW) -> None:
        self.bytes_per_second, self.window = bytes_per_second, window
        self._ports: set[int] = set()
        # The key is the inode of the connection, because the next connection reuses the descriptor.
        self._waiting: dict[int, Since] = {}

    def cut(self) -> int:
        """Check each connection once, cut the ones that are too slow, and return their number."""
        self._ports = self._ports or _listening_ports()
        before, self._waiting, cut = self._waiting, {}, 0
        for inode, connection in _connections(self._ports):
            now, acked = time.monotonic(), _acked_while_waiting(connection)
            if acked is None:
                continue
            since = before.get(inode, Since(now, acked))
            seconds = now - since.moment
            if seconds < self.window:
                self._waiting[inode] = since
            elif acked - since.acked >= self.bytes_per_second * seconds:
                self._waiting[inode] = Since(now, acked)
            else:
                _reset(connection)
                cut += 1
        if cut:
            log.warning("slow_readers_cut", connections=cut)
        return cut


def cut_slow_readers(bytes_per_second: int) -> None:
    """Start the thread in this process, if the system lists its open sockets (Linux)."""
    if not bytes_per_second or not os.path.isdir(SOCKETS):
        return
    readers = SlowReaders(bytes_per_second)

    def look() -> None:
        while True:
            time.sleep(LOOK_EVERY)
            try:
                readers.cut()
            except Exception:
                log.exception("slow_readers_crash")

    threading.Thread(target=look, name="slow readers", daemon=True).start()


def _listening_ports() -> set[int]:
    return {opened.getsockname()[1] for _inode, opened, listens in _sockets() if listens}


def _connections(ports: set[int]) -> Iterator[tuple[int, socket.socket]]:
    """The connections that readers opened: their port is one on which this process listens."""
    for inode, opened, listens in _sockets():
        if not listens and opened.getsockname()[1] in ports:
            yield inode, opened


def _acked_while_waiting(connection: socket.socket) -> int | None:
    """The number of bytes that the reader has confirmed; None if no bytes wait to be sent."""
    tcp_info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO_BYTES)
    if len(tcp_info) < TCP_INFO_BYTES or not NOT_SENT.unpack_from(tcp_info)[0]:
        return None
    return int(ACKED.unpack_from(tcp_info)[0])


def _sockets() -> Iterator[tuple[int, socket.socket, bool]]:
    """A copy of each TCP socket of this process, with its inode, and whether it listens."""
    for name in os.listdir(SOCKETS):
        with suppress(OSError), _copy(int(name)) as opened:
            if opened.family in (socket.AF_INET, socket.AF_INET6):
                listens = bool(opened.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
                yield os.fstat(opened.fileno()).st_ino, opened, listens


@contextmanager
def _copy(descriptor: int) -> Iterator[socket.socket]:
    """A copy of the socket: the server may close its own, and another one may get the number."""
    copy = os.dup(descriptor)
    try:
        opened = socket.socket(fileno=copy)
    except OSError:
        os.close(copy)
        raise
    with opened:
        yield opened


def _reset(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
        connection.shutdown(socket.SHUT_RDWR)
