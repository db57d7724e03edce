"""Mutual TLS, where a deployment wants it: the proxy passes the fingerprint of the certificate.

The header counts only from the addresses of `PORTAL_CERTIFICATE_PROXIES`: everybody can write a
header. With no such address (the default) mutual TLS is off and the header is ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from typing import Any

from django.conf import settings

HEADER = "HTTP_X_CLIENT_CERTIFICATE_FINGERPRINT"


class NoCertificate(Exception):
    """The call came without the client certificate that this deployment asks for."""


def presented_fingerprint(meta: Mapping[str, Any]) -> str | None:
    """The fingerprint in lower-case hex; None when mutual TLS is off; raises NoCertificate."""
    if not settings.PORTAL_CERTIFICATE_PROXIES:
        return None
    if not _from_proxy(meta.get("REMOTE_ADDR", "")):
        raise NoCertificate("Call through the portal's public address, with a client certificate.")
    fingerprint = str(meta.get(HEADER, "")).replace(":", "").strip().lower()
    if not fingerprint:
        raise NoCertificate("Present the client certificate that is registered for your software.")
    return fingerprint


def _from_proxy(address: str) -> bool:
    try:
        caller = ip_address(address)
    except ValueError:
        return False
    return any(caller in ip_network(proxy) for proxy in settings.PORTAL_CERTIFICATE_PROXIES)
