"""The OpenID provider at which operators may log in, beside their password: four settings."""

from __future__ import annotations

from urllib.parse import urlsplit

from codabox_portal.environment import Environment, Wrong

PREFIX = "PORTAL_OPERATOR_OIDC_"


def settings_of(env: Environment) -> dict[str, str]:
    """Read the four by their names; without an issuer all of it is off."""
    issuer = env.read(f"{PREFIX}ISSUER", issuer_of, "")
    client = env.text(f"{PREFIX}CLIENT_ID")
    secret = env.secret(f"{PREFIX}CLIENT_SECRET", str, "")
    # What the button calls it: "Log in with …".
    name = env.text(f"{PREFIX}NAME", str(urlsplit(issuer).hostname or ""))
    if issuer and not (client and secret):
        env.wrong.append(f"{PREFIX}ISSUER needs {PREFIX}CLIENT_ID and {PREFIX}CLIENT_SECRET.")
    values = {"ISSUER": issuer, "CLIENT_ID": client, "CLIENT_SECRET": secret, "NAME": name}
    return {f"{PREFIX}{name}": value for name, value in values.items()}


def issuer_of(text: str) -> str:
    """An OpenID issuer, as it writes itself; without TLS only on this machine."""
    parts = urlsplit(text)
    is_here = parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1")
    if not (parts.scheme == "https" or is_here) or not parts.hostname:
        raise Wrong("must be an https address like https://login.example/realm")
    if parts.query or parts.fragment or "/.well-known/" in text:
        raise Wrong("must be the issuer alone, like https://login.example/realm")
    return text
