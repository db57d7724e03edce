"""The OpenID provider at which operators may log in, beside their password: its settings."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from codabox_portal.environment import Environment, Wrong

PREFIX = "PORTAL_OPERATOR_OIDC_"


def check(env: Environment, found: Mapping[str, object]) -> None:
    """Note what is wrong if there is a provider and no credentials for it."""
    if found[f"{PREFIX}ISSUER"] and not (
        found[f"{PREFIX}CLIENT_ID"] and found[f"{PREFIX}CLIENT_SECRET"]
    ):
        env.wrong.append(f"{PREFIX}ISSUER needs {PREFIX}CLIENT_ID and {PREFIX}CLIENT_SECRET.")


def host_of(issuer: str) -> str:
    """What the button calls the provider, unless a setting says it: "Log in with …"."""
    return str(urlsplit(issuer).hostname or "")


def issuer(text: str) -> str:
    """An OpenID issuer, as it writes itself; without TLS only on this machine."""
    parts = urlsplit(text)
    is_here = parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1")
    if not (parts.scheme == "https" or is_here) or not parts.hostname:
        raise Wrong("must be an https address like https://login.example/realm")
    if parts.query or parts.fragment or "/.well-known/" in text:
        raise Wrong("must be the issuer alone, like https://login.example/realm")
    return text
