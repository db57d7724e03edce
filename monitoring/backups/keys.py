"""Which keys a backup needs: what is encrypted or signed in it cannot be read with others."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.crypto import salted_hmac

from consents.evidence.receipt import public_key


def keys_in_use() -> dict[str, Any]:
    """The list of keys of a backup. It shows no secret."""
    return {"secretKeys": fingerprints(), "receiptKey": public_key()}


def fingerprints() -> list[str]:
    """What tells PORTAL_SECRET_KEY and the former ones from others, the newest first."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [_fingerprint(key) for key in keys]


def _fingerprint(key: str) -> str:
    return salted_hmac("monitoring.backups", "key", key, algorithm="sha256").hexdigest()[:16]
