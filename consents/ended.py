"""Consents that were cancelled, in a file outside the database: no restored backup revives one.

Each cancel appends a line after its commit; the worker adds what a killed process left out. After
a restore neither is the portal ready nor its API open before `manage.py end_again` has ended those
consents anew.
"""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db.models.functions import Now

from consents.actors import Actor, ActorKind

# The worker looks that far back for what is not in the file.
LOOK_BACK = timedelta(days=7)
CONSENT = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$", re.MULTILINE)
REASON = "Ended before a backup was restored"


def ended_file() -> Path:
    return Path(settings.PORTAL_ENDED_FILE)


def write_down(*consents: UUID) -> None:
    """Append consents that ended, and wait until the disk has them."""
    now = datetime.now(tz=UTC).isoformat(timespec="seconds")
    text = "".join(f"{now} {consent}\n" for consent in consents)
    ended_file().parent.mkdir(parents=True, exist_ok=True)
    # One write at the end of the file: several processes do not mix their lines.
    handle = os.open(ended_file(), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, text.encode("ascii"))
        os.fsync(handle)
    finally:
        os.close(handle)


def written_down() -> set[UUID]:
    """Every consent of the file; half a line, left by a crash, says nothing and hides nothing."""
    if not ended_file().exists():
        return set()
    text = ended_file().read_text(encoding="ascii")
    return {UUID(found) for found in CONSENT.findall(text)}


def write_down_missing() -> int:
    """Add the consents of the last days that a killed process did not write down; how many."""
    from consents.models import Consent, Status

    lately = Consent.objects.filter(
        status=Status.CANCELLED, cancelled_at__gt=Now() - LOOK_BACK
    ).values_list("uuid", flat=True)
    missing = sorted(set(lately) - written_down())
    if missing:
        write_down(*missing)
    return len(missing)


def revived() -> list[UUID]:
    """Consents that ended by the file and are allowed by the database: it was restored."""
    from consents.models import Consent, Status

    allowed = Consent.objects.filter(status=Status.ALLOWED, uuid__in=written_down())
    return list(allowed.order_by("pk").values_list("uuid", flat=True))


def reopens_what_ended() -> bool:
    """Tell whether serving now would give somebody what was ended before a restore."""
    if _came_back():
        _came_back.cache_clear()
        return True
    return False


@cache
def _came_back() -> bool:
    """Read until there is none: a database is restored while no portal runs on it."""
    return bool(revived())


def end_again() -> int:
    """Cancel what a restored backup revived, each with its event; return how many."""
    from consents.models import Consent

    restore = Actor(ActorKind.OPERATOR, name="Restore")
    ended = revived()
    for uuid in ended:
        Consent.objects.get(uuid=uuid).cancel(restore, REASON)
    return len(ended)
