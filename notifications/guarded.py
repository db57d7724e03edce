"""Connections to the outside that never end inside: every address is checked where we connect."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

import httpcore
from django.conf import settings

# NAT64 (RFC 6052) and 6to4 (RFC 3056) carry an IPv4 address within.
NAT64 = 0x0064_FF9B << 96
SIX_TO_FOUR = 0x2002


class AddressRefused(httpcore.ConnectError):
    """The name leads to an address that is not on the public internet."""


def is_public(text: str) -> bool:
    """Tell whether an address is one of the public internet, also when IPv6 wraps IPv4."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        inner = _wrapped(address)
        if inner is not None:
            return is_public(str(inner))
    return address.is_global and not address.is_multicast and not address.is_reserved


def _wrapped(address: IPv6Address) -> IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    number = int(address)
    if number >> 32 == NAT64 >> 32 or number >> 32 == 0:
        return IPv4Address(number & 0xFFFF_FFFF)
    if number >> 112 == SIX_TO_FOUR:
        return IPv4Address(number >> 80 & 0xFFFF_FFFF)
    return None


def addresses_of(host: str, port: int) -> list[str]:
    """What the name leads to now. Raises AddressRefused if any of it is not public."""
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


class Hurried(httpcore.NetworkStream):
    """A stream that ends at a fixed time, however slowly the other side drips."""

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
        return Hurried(
            self._inner.start_tls(ssl_context, server_hostname, self._left()), self._until
        )

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class Guard(httpcore.SyncBackend):
    """Resolves, checks and connects to what was checked: no second look-up comes between."""

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
                return Hurried(stream, self._until)
        raise last or httpcore.ConnectError("no address")
