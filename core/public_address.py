"""Whether an address is on the public internet."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

# NAT64 (RFC 6052) and 6to4 (RFC 3056) addresses contain an IPv4 address.
NAT64 = 0x0064_FF9B << 96
SIX_TO_FOUR = 0x2002


# IPv6 addresses outside of this block are not global unicast addresses (RFC 4291, section 2.4).
GLOBAL_UNICAST = ip_network("2000::/3")
# Special ranges that the `ipaddress` module of Python 3.11 considers global.
OTHER_SPECIAL_RANGES = (
    ip_network("3fff::/20"),  # documentation, RFC 9637
    ip_network("192.0.0.0/24"),  # protocol assignments, RFC 6890
    ip_network("192.88.99.0/24"),  # former 6to4 relays, RFC 7526
)


def is_public(text: str) -> bool:
    """Return whether an address is on the public internet, also where IPv6 contains IPv4."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        inner = _contained_ipv4(address)
        if inner is not None:
            return is_public(str(inner))
        if address.is_site_local or address not in GLOBAL_UNICAST:
            return False
    special = (
        address.is_private,
        address.is_loopback,
        address.is_link_local,
        address.is_multicast,
        address.is_reserved,
        address.is_unspecified,
        any(address in ranges for ranges in OTHER_SPECIAL_RANGES),
    )
    return address.is_global and not any(special)


def _contained_ipv4(address: IPv6Address) -> IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    number = int(address)
    if number >> 32 == NAT64 >> 32 or number >> 32 == 0:
        return IPv4Address(number & 0xFFFF_FFFF)
    if number >> 112 == SIX_TO_FOUR:
        return IPv4Address(number >> 80 & 0xFFFF_FFFF)
    return None


def address_in(host: str) -> str | None:
    """The address that a host of a URL is by itself, however it is written; None for a name."""
    try:
        return str(ip_address(host.partition("%")[0]))
    except ValueError:
        pass
    try:
        # Also one number, octal and hexadecimal numbers, as systems read them.
        return socket.inet_ntoa(socket.inet_aton(host.rstrip(".")))
    except OSError:
        return None
