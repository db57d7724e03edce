"""The hash chain of an office: each consent event is hashed together with the event before it.

Every event has its number in the office's chain and its event hash: the SHA-256 of the hash before
it, the event, and the evidence written with it. Whoever edits, deletes, inserts or swaps a row
breaks the chain at that place. A tail that was cut off shows at the checkpoints, which are signed
every five minutes and stored outside the database (consents.evidence.checkpoints).

Names and other personal words go into the hash only as a fingerprint, mixed with a random salt. So
they can be erased (consents.evidence.anonymisation), and every event hash still holds.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import connection

from consents.models.chain_head import ChainHead
from consents.models.evidence import Evidence

if TYPE_CHECKING:
    from consents.models import ConsentEvent


# Locks the chain of the office until this transaction ends, and reads the database's time.
HOLD = """
    insert into consents_chainhead (office_id, length, event_hash) values (%s, 0, '')
    on conflict (office_id) do update set length = consents_chainhead.length
    returning length, event_hash, statement_timestamp()
"""


class Place(NamedTuple):
    """Where the next event of an office goes; `at` is its time by the database's clock."""

    number: int
    previous_hash: str
    at: datetime


def next_place(office_id: int) -> Place:
    """Lock the chain and give its next place; other events of this office wait for the commit."""
    with connection.cursor() as cursor:
        cursor.execute(HOLD, [office_id])
        length, event_hash, at = cursor.fetchone()
    return Place(length + 1, event_hash, at)


def move_head(office_id: int, place: Place, event_hash: str) -> None:
    ChainHead.objects.filter(office_id=office_id).update(length=place.number, event_hash=event_hash)


# The fields of evidence that tell about a person, beside those of the event itself.
PERSONAL = ("person_name", "person_email", "address", "browser")
# Columns that were added later: an empty value is not hashed, so older hashes hold.
LATER = ("partner_logo",)


def personal_text(event: ConsentEvent, evidence: Evidence | None) -> str:
    """The text of all that an event and its evidence tell about people."""
    personal = {"name": event.actor_name, "reason": event.reason}
    if evidence is not None:
        personal |= {name: getattr(evidence, name) for name in PERSONAL}
    return canonical(personal)


def fingerprint(salt: str, personal: str) -> str:
    """What an event hash contains of people. Without the salt nobody finds a name by trying."""
    return hashlib.sha256(f"{salt}{personal}".encode()).hexdigest()


def event_hash_of(previous_hash: str, event: ConsentEvent, evidence: Evidence | None) -> str:
    """The hash of an event: the SHA-256 of its hashed text."""
    return hashlib.sha256(hashed_text(previous_hash, event, evidence).encode()).hexdigest()


def hashed_text(previous_hash: str, event: ConsentEvent, evidence: Evidence | None) -> str:
    """What the hash is made of: the hash before it, the event's own fields and its evidence."""
    return canonical(
        {"before": previous_hash, "event": _event(event), "evidence": _evidence(evidence)}
    )


def canonical(content: dict[str, Any]) -> str:
    """RFC 8785 in small: sorted members, no spaces, UTF-8; there are neither floats nor dates."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _event(event: ConsentEvent) -> dict[str, Any]:
    return {
        "office": str(event.office.uuid),
        "number": event.number,
        "id": str(event.uuid),
        "consent": str(event.consent.uuid),
        "partner": str(event.consent.partner.uuid),
        "kind": event.kind,
        "at": event.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": event.actor_kind,
        "person": event.person_id,
        "personal": event.personal_hash,
        "asked": event.asked,
        "scope": event.scope,
        "until": event.until and event.until.astimezone(UTC).isoformat(timespec="microseconds"),
    }


def _evidence(evidence: Evidence | None) -> dict[str, Any] | None:
    if evidence is None:
        return None
    left_out = {"id", "event", "terms", *PERSONAL}
    left_out |= {name for name in LATER if not getattr(evidence, name)}
    names = [field.name for field in Evidence._meta.concrete_fields]
    return {name: getattr(evidence, name) for name in names if name not in left_out}
