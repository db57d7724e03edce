"""TCP ports of this machine."""

from __future__ import annotations

import errno
import socket

from devtools.console import CannotContinueError


def free_port() -> int:
    """Return a port that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def refuse_taken_port(port: int) -> None:
    if not 0 < port < 65536:
        raise CannotContinueError(f"{port} is no port; choose one between 1 and 65535.")
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            probe = socket.socket(family)
        except OSError:
            continue  # this machine has no IPv6
        with probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError as error:
                if error.errno != errno.EADDRNOTAVAIL:
                    raise CannotContinueError(
                        f"Port {port} is taken; choose others with --port, --software-port."
                    ) from None
