"""Hosts of our own on this machine: network namespaces (Linux, root), joined by two switches.

Nothing of it is seen from outside: no address of this machine leads into it, or out of it.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

IP = shutil.which("ip") or shutil.which("ip", path="/usr/sbin:/sbin")
CLONE_NEWNET = 0x40000000
# The public side, with nginx and the web processes, and the side of the database.
NETS = ("front", "data")
ADDRESSES = {
    "edge": {"front": "10.77.1.10", "data": "10.77.2.10"},
    "a": {"front": "10.77.1.11", "data": "10.77.2.11"},
    "b": {"front": "10.77.1.12", "data": "10.77.2.12"},
    "db1": {"data": "10.77.2.21"},
    "db2": {"data": "10.77.2.22"},
}


def why_not() -> str:
    """Why there can be no such hosts here; empty when there can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if IP is None:
        return "no ip (Debian: apt install iproute2)"
    tried = subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False)
    return "" if tried.returncode == 0 else "this machine lets nobody make network namespaces"


class Network:
    """The hosts of ADDRESSES and the switches between them."""

    def __init__(self) -> None:
        self.mark = f"portal-{os.getpid()}"
        self._ip("netns", "add", f"{self.mark}-hub")
        for net in NETS:
            self._hub("link", "add", net, "type", "bridge")
            self._hub("link", "set", net, "up")
        for host, addresses in ADDRESSES.items():
            self._ip("netns", "add", f"{self.mark}-{host}")
            self._on(host, "link", "set", "lo", "up")
            for net, address in addresses.items():
                self._hub(
                    *("link", "add", f"{host}-{net}", "type", "veth"),
                    *("peer", "name", net, "netns", f"{self.mark}-{host}"),
                )
                self._hub("link", "set", f"{host}-{net}", "master", net, "up")
                self._on(host, "addr", "add", f"{address}/24", "dev", net)
                self._on(host, "link", "set", net, "up")

    def cut(self, host: str, *nets: str) -> None:
        """Pull its cable out of the switch: what is sent is lost, and nobody is told."""
        for net in nets or ADDRESSES[host]:
            self._hub("link", "set", f"{host}-{net}", "nomaster")

    def join(self, host: str, *nets: str) -> None:
        for net in nets or ADDRESSES[host]:
            self._hub("link", "set", f"{host}-{net}", "master", net)

    @contextmanager
    def inside(self, host: str) -> Iterator[None]:
        """What this thread starts and opens in the block, and its threads do, is on that host."""
        with (
            Path("/proc/thread-self/ns/net").open() as before,
            Path(f"/run/netns/{self.mark}-{host}").open() as there,
        ):
            _set_namespace(there.fileno())
            try:
                yield
            finally:
                _set_namespace(before.fileno())

    def remove(self) -> None:
        for host in ("hub", *ADDRESSES):
            command = [str(IP), "netns", "del", f"{self.mark}-{host}"]
            subprocess.run(command, capture_output=True, check=False)

    def _ip(self, *words: str) -> None:
        subprocess.run([str(IP), *words], check=True)

    def _hub(self, *words: str) -> None:
        self._ip("-n", f"{self.mark}-hub", *words)

    def _on(self, host: str, *words: str) -> None:
        self._ip("-n", f"{self.mark}-{host}", *words)


def _set_namespace(handle: int) -> None:
    if ctypes.CDLL(None, use_errno=True).setns(handle, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


@contextmanager
def hosts() -> Iterator[Network]:
    network = Network()
    try:
        yield network
    finally:
        network.remove()
