"""The passwords of the servers that we start, and Django's secret key."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass

from devtools.files import write_private
from devtools.paths import VAR

FILE = VAR / "secrets.json"
NAMES = ("key", "superuser", "owner", "role", "redis")


@dataclass(frozen=True)
class Passwords:
    """The passwords of the servers: `role` is that of `portal`, `owner` that of `portal_owner`."""

    key: str
    superuser: str
    owner: str
    role: str
    redis: str


def new_passwords() -> Passwords:
    return Passwords(*(secrets.token_hex(24) for _ in NAMES))


def remembered_passwords() -> Passwords:
    """Return random passwords that stay the same after a restart."""
    known = json.loads(FILE.read_text()) if FILE.exists() else {}
    for name in NAMES:
        known.setdefault(name, secrets.token_hex(24))
    write_private(FILE, json.dumps(known))
    return Passwords(*(known[name] for name in NAMES))
