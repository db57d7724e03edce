"""Redirect addresses: a browser is only sent to an address that equals a registered one exactly.

Source: RFC 9700 §2.1 and §4.1. Browsers repair addresses in many ways (back-slashes, tabs, letter
case, user info), so an address that could be read in two ways is refused.
"""

import re
from urllib.parse import SplitResult, urlsplit

from django.utils.translation import gettext as _

LOOPBACK = {"localhost", "127.0.0.1", "[::1]"}
PLAIN_HOST = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:.]+\]"
)
PORT = re.compile(r"[1-9][0-9]{0,4}")
# RFC 3986 characters only: no space, no control, no back-slash, no raw non-ASCII.
PLAIN = re.compile(r"[A-Za-z0-9._~:/?\[\]@!$&'()*+,;=%-]+")
MAX_LENGTH = 2000


def origin_of(uri: str) -> str | None:
    """Return scheme://host[:port] of an address that every browser reads alike, else None."""
    if len(uri) > MAX_LENGTH or not PLAIN.fullmatch(uri):
        return None
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    host, separator, port = _host_and_port(parts)
    if parts.scheme not in ("https", "http") or not uri.startswith(f"{parts.scheme}://"):
        return None
    if not PLAIN_HOST.fullmatch(host) or (separator and not PORT.fullmatch(port)):
        return None
    if parts.scheme == "http" and host not in LOOPBACK:
        return None
    return f"{parts.scheme}://{parts.netloc}"


def _host_and_port(parts: SplitResult) -> tuple[str, str, str]:
    """Split the authority by hand: `urlsplit().hostname` would lower-case and drop user info."""
    if parts.netloc.startswith("["):
        host, bracket, rest = parts.netloc.partition("]")
        return host + bracket, rest[:1], rest[1:] if rest.startswith(":") else rest
    return parts.netloc.partition(":")


def lies_on_origin(uri: str, origin: str) -> bool:
    """Tell whether `uri` is an address on exactly this scheme, host and port."""
    found = origin_of(uri)
    if found != origin:
        return False
    rest = uri[len(origin) :]
    # A proxy could change a dot segment or an encoded slash, and so lead elsewhere.
    path = rest.partition("?")[0].lower()
    return rest[:1] in ("", "/", "?") and not any(
        sign in path for sign in ("..", "%2e", "%2f", "%5c", "//")
    )


def fault_of_registration(uri: str, *, is_origin: bool) -> str:
    """Say in a sentence why `uri` cannot be registered; empty when it can."""
    origin = origin_of(uri)
    if origin is None:
        return _(
            "Enter a full https address (http is allowed only for localhost), without"
            " a user name or fragment."
        )
    if is_origin and uri != origin:
        return _("An origin consists of scheme, host and port only, without a path.")
    return ""
