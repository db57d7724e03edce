"""SSRF guard: webhooks reach addresses of the public internet only.

Without it, a webhook address could make this server call a machine of its own network. Every
address is checked at the moment of connecting.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterable
from ipaddress import ip_address
from typing import Any

import httpcore
from django.conf import settings

from core.public_address import is_public


class AddressRefused(httpcore.ConnectError):
    """The host name leads to an address that is not on the public internet."""


def addresses_of(host: str, port: int) -> list[str]:
    """Return the addresses of a host name. Raises AddressRefused if one of them is not public."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpcore.ConnectError(f"no such host: {error.strerror}") from error
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in addresses:
        loopback = settings.PORTAL_WEBHOOKS_ALLOW_LOOPBACK and ip_address(address).is_loopback
        if not loopback and not is_public(address):
            raise AddressRefused("address not public")
    return addresses


class DeadlineStream(httpcore.NetworkStream):
    """A stream that ends at a fixed time, however slowly the other side sends."""

    def __init__(self, inner: httpcore.NetworkStream, until: float) -> None:
        self._inner, self._until = inner, until

    def _left(self) -> float:
        left = self._until - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("too slow")
        return left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, self._left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, self._left())

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        return DeadlineStream(
            self._inner.start_tls(ssl_context, server_hostname, self._left()), self._until
        )

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class GuardedBackend(httpcore.SyncBackend):
    """Resolves a host name, checks the addresses and connects to exactly those.

    There is no second DNS lookup, so the answer cannot change after the check.
    """

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        last: httpcore.ConnectError | None = None
        for address in addresses_of(host, port):
            left = self._until - time.monotonic()
            if left <= 0:
                raise httpcore.ConnectTimeout("too slow")
            try:
                stream = super().connect_tcp(address, port, left, local_address, socket_options)
            except httpcore.ConnectError as error:
                last = error
            else:
                return DeadlineStream(stream, self._until)
        raise last or httpcore.ConnectError("no address")
