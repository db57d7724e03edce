"""Mutual TLS, an option: the proxy passes the fingerprint of the certificate in a header.

The header counts only if it comes from an address of `PORTAL_CERTIFICATE_PROXIES`, because
everybody can send a header. Without such an address (the default) mutual TLS is off.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from typing import Any

from django.conf import settings

HEADER = "HTTP_X_CLIENT_CERTIFICATE_FINGERPRINT"


class NoCertificate(Exception):
    """The call came without the client certificate that this deployment asks for."""


def plain_fingerprint(text: str) -> str:
    """Turn a fingerprint of openssl or nginx into lower-case hex without colons.

    openssl writes `sha256 Fingerprint=AB:CD:…`.
    """
    return text.rpartition("=")[2].replace(":", "").strip().lower()


def presented_fingerprint(meta: Mapping[str, Any]) -> str | None:
    """The fingerprint in lower-case hex; None when mutual TLS is off; raises NoCertificate."""
    if not settings.PORTAL_CERTIFICATE_PROXIES:
        return None
    if not _from_proxy(meta.get("REMOTE_ADDR", "")):
        raise NoCertificate("Call through the portal's public address, with a client certificate.")
    fingerprint = plain_fingerprint(str(meta.get(HEADER, "")))
    if not fingerprint:
        raise NoCertificate("Present the client certificate that is registered for your software.")
    return fingerprint


def _from_proxy(address: str) -> bool:
    try:
        caller = ip_address(address)
    except ValueError:
        return False
    return any(caller in ip_network(proxy) for proxy in settings.PORTAL_CERTIFICATE_PROXIES)
