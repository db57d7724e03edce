"""The ledger: the events of an office in one chain, each sealed with the one before.

Every event carries its place in the office's chain and a seal: the SHA-256 of the seal before, the
event, and the evidence written with it. Whoever edits, deletes, inserts or swaps a row afterwards
breaks the chain at that place. A tail that was cut off shows against the anchors: the heads of the
chains, written each day to a file outside the database.

Names and the like are sealed by their fingerprint only, mixed with a random salt. So they can be
erased for good (consents.erasing) and every seal still holds.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings
from django.db import connection, models

from accounts.erasing import pseudonym
from consents.evidence import Evidence

if TYPE_CHECKING:
    from consents.models import ConsentEvent


class LedgerHead(models.Model):
    """The end of an office's chain: how many events it has, and the seal of the last one."""

    office = models.OneToOneField("accounts.Office", models.PROTECT, related_name="ledger")
    length = models.BigIntegerField(default=0)
    seal = models.CharField(max_length=64, blank=True, default="")

    def __str__(self) -> str:
        return f"{self.office}: {self.length}"


# Holds the chain of the office until this transaction ends, and tells the database's time.
HOLD = """
    insert into consents_ledgerhead (office_id, length, seal) values (%s, 0, '')
    on conflict (office_id) do update set length = consents_ledgerhead.length
    returning length, seal, statement_timestamp()
"""


class Place(NamedTuple):
    """Where the next event of an office goes; `at` is its time by the database's clock."""

    number: int
    before: str
    at: datetime


def next_place(office_id: int) -> Place:
    """Hold the chain and give the next place; others of this office wait for this transaction."""
    with connection.cursor() as cursor:
        cursor.execute(HOLD, [office_id])
        length, seal, at = cursor.fetchone()
    return Place(length + 1, seal, at)


def move_head(office_id: int, place: Place, seal: str) -> None:
    LedgerHead.objects.filter(office_id=office_id).update(length=place.number, seal=seal)


# What tells of a person, beside the name and the words of the event itself.
PERSONAL = ("person_name", "person_email", "address", "browser")
# What evidence did not have from the start: empty it is in no seal, so older seals hold.
LATER = ("partner_logo",)


def personal_text(event: ConsentEvent, evidence: Evidence | None) -> str:
    """All that an event tells of people."""
    told = {"name": event.actor_name, "reason": event.reason}
    if evidence is not None:
        told |= {name: getattr(evidence, name) for name in PERSONAL}
    return _canonical(told)


def fingerprint(salt: str, personal: str) -> str:
    """What a seal knows of people. Once the salt is gone nobody can guess a name by trying."""
    return hashlib.sha256(f"{salt}{personal}".encode()).hexdigest()


def seal_of(before: str, event: ConsentEvent, evidence: Evidence | None) -> str:
    """The seal of an event: the SHA-256 of its sealed text."""
    return hashlib.sha256(sealed_text(before, event, evidence).encode()).hexdigest()


def sealed_text(before: str, event: ConsentEvent, evidence: Evidence | None) -> str:
    """What a seal is over: the seal before it, the event's own fields and its evidence."""
    return _canonical({"before": before, "event": _event(event), "evidence": _evidence(evidence)})


def _canonical(content: dict[str, Any]) -> str:
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
        "personal": event.personal,
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


class Fault(NamedTuple):
    """Something in the ledger is not as it was written."""

    office: str
    number: int
    what: str

    def __str__(self) -> str:
        return f"{self.office}, event {self.number}: {self.what}"


def faults(office_id: int, anchors: list[tuple[int, str]]) -> Iterator[Fault]:
    """Walk an office's chain; `anchors` are earlier heads of it (length, seal)."""
    from consents.models import ConsentEvent

    head = LedgerHead.objects.select_related("office").filter(office_id=office_id).first()
    name = str(head.office.uuid) if head else str(office_id)
    rows = ConsentEvent.objects.filter(office_id=office_id).order_by("number")
    before, last, seals = "", 0, {}
    related = rows.select_related("office", "consent__partner", "evidence__terms")
    for event in related.iterator(chunk_size=1000):
        if event.number != last + 1:
            yield Fault(name, last + 1, f"missing; the next one is {event.number}")
        yield from (Fault(name, event.number, what) for what in _wrong(event, before))
        before, last = event.seal, event.number
        seals[event.number] = event.seal
    # An office that was never asked has neither a chain nor a head.
    if (head.length if head else 0, head.seal if head else "") != (last, before):
        yield Fault(name, last, "the chain does not end where its head says")
    for length, seal in anchors:
        if seals.get(length) != seal:
            yield Fault(name, length, "not what the anchor outside the database says")


def _wrong(event: ConsentEvent, before: str) -> Iterator[str]:
    evidence = getattr(event, "evidence", None)
    if event.office_id != event.consent.office_id:
        yield "its consent belongs to another office"
    if event.before != before:
        yield "does not follow the event before it"
    sealed = event.seal == seal_of(event.before, event, evidence)
    if not (sealed and _people_as_written(event, evidence)):
        yield "changed after it was written"
    if event.kind == "allowed" and evidence is None:
        yield "its evidence is gone"
    if evidence is not None:
        text = hashlib.sha256(evidence.terms.body.encode()).hexdigest()
        if text != evidence.terms_sha256:
            yield "the terms are not the text that was shown"


def _people_as_written(event: ConsentEvent, evidence: Evidence | None) -> bool:
    """What the event tells of people is what was sealed, or it is erased and tells nothing."""
    told = personal_text(event, evidence)
    if event.salt or event.person_id is None:
        return event.personal == fingerprint(event.salt, told)
    name = pseudonym(event.person_id)
    nothing = {"name": name, "reason": ""}
    if evidence is not None:
        nothing |= dict.fromkeys(PERSONAL, "") | {"person_name": name}
    return told == _canonical(nothing)


def anchor_file() -> Path:
    return Path(settings.PORTAL_ANCHOR_FILE)


def write_anchors() -> int:
    """Append the head of every chain to the anchor file; return how many."""
    heads = LedgerHead.objects.select_related("office").order_by("office_id")
    now = datetime.now(tz=UTC).isoformat(timespec="seconds")
    lines = [f"{now} {head.office.uuid} {head.length} {head.seal}\n" for head in heads]
    anchor_file().parent.mkdir(parents=True, exist_ok=True)
    with anchor_file().open("a", encoding="ascii") as file:
        file.writelines(lines)
    return len(lines)


def newest_anchor_age() -> timedelta | None:
    """How long ago the anchors were last written; None where there are none."""
    try:
        with anchor_file().open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 500))  # a line has less than 200 bytes
            at = file.read().decode("ascii", "replace").strip().rpartition("\n")[2].split(" ")[0]
        return datetime.now(tz=UTC) - datetime.fromisoformat(at)
    except (OSError, ValueError, TypeError):
        return None


def read_anchors() -> dict[str, list[tuple[int, str]]]:
    """The heads of former days, by the identifier of the office."""
    found: dict[str, list[tuple[int, str]]] = {}
    if not anchor_file().exists():
        return found
    for line in anchor_file().read_text(encoding="ascii").splitlines():
        _at, office, length, seal = line.split()
        found.setdefault(office, []).append((int(length), seal))
    return found
