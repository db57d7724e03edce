"""Check the hash chains of the offices, and the log against the checkpoints outside."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

from django.db.models import F

from accounts.anonymisation import pseudonym
from consents.evidence.checkpoints import read_checkpoints
from consents.evidence.merkle import Tree
from consents.models import ChainHead, ConsentEvent, Evidence, LogEntry
from consents.models.hash_chain import (
    PERSONAL,
    canonical,
    event_hash_of,
    fingerprint,
    personal_text,
)


class Fault(NamedTuple):
    """Something in the hash chain is not as it was written."""

    office: str
    number: int
    what: str

    def __str__(self) -> str:
        return f"{self.office}, event {self.number}: {self.what}"


def faults(office_id: int) -> Iterator[Fault]:
    """Walk the chain of an office."""
    head = ChainHead.objects.select_related("office").filter(office_id=office_id).first()
    name = str(head.office.uuid) if head else str(office_id)
    rows = ConsentEvent.objects.filter(office_id=office_id).order_by("number")
    previous_hash, last = "", 0
    related = rows.select_related("office", "consent__partner", "evidence__terms")
    for event in related.iterator(chunk_size=1000):
        if event.number != last + 1:
            yield Fault(name, last + 1, f"missing; the next one is {event.number}")
        yield from (Fault(name, event.number, what) for what in _wrong(event, previous_hash))
        previous_hash, last = event.event_hash, event.number
    # An office that was never asked has neither a chain nor a head.
    if (head.length if head else 0, head.event_hash if head else "") != (last, previous_hash):
        yield Fault(name, last, "the chain does not end where its head says")


def _wrong(event: ConsentEvent, previous_hash: str) -> Iterator[str]:
    evidence = getattr(event, "evidence", None)
    if event.office_id != event.consent.office_id:
        yield "its consent belongs to another office"
    if event.previous_hash != previous_hash:
        yield "does not follow the event before it"
    as_hashed = event.event_hash == event_hash_of(event.previous_hash, event, evidence)
    if not (as_hashed and _people_as_written(event, evidence)):
        yield "changed after it was written"
    if event.kind == "allowed" and evidence is None:
        yield "its evidence is gone"
    if evidence is not None:
        text = hashlib.sha256(evidence.terms.body.encode()).hexdigest()
        if text != evidence.terms_sha256:
            yield "the terms are not the text that was shown"


def _people_as_written(event: ConsentEvent, evidence: Evidence | None) -> bool:
    """Whether the names are those that were hashed, or were erased in the one allowed way."""
    text = personal_text(event, evidence)
    if event.salt or event.person_id is None:
        return event.personal_hash == fingerprint(event.salt, text)
    name = pseudonym(event.person_id)
    nothing = {"name": name, "reason": ""}
    if evidence is not None:
        nothing |= dict.fromkeys(PERSONAL, "") | {"person_name": name}
    return text == canonical(nothing)


def log_faults() -> Iterator[Fault]:
    """Walk the log of all events; compare it with the checkpoints outside the database."""
    expected: dict[int, list[tuple[str, bytes]]] = {}
    for name, checkpoint in read_checkpoints():
        if checkpoint is None:
            yield Fault("log", 0, f"{name} is not signed by a key of the place")
        else:
            expected.setdefault(checkpoint.size, []).append((name, checkpoint.root))
    tree = Tree()
    entries = LogEntry.objects.order_by("position").values_list("position", "event__event_hash")
    for position, event_hash in entries.iterator():
        if position != tree.size + 1:
            yield Fault("log", tree.size + 1, f"missing; the next one is {position}")
            break
        tree.add(bytes.fromhex(event_hash))
        for name, root in expected.pop(tree.size, []):
            if root != tree.root:
                yield Fault("log", tree.size, f"not what the checkpoint {name} says")
    for size in sorted(expected):
        for name, _root in expected[size]:
            what = f"the checkpoint {name} has it, but the log ends after {tree.size}"
            yield Fault("log", size, what)
    left_out = ConsentEvent.objects.filter(
        log_entry=None, number__lte=F("office__chain_head__logged")
    )
    for event in left_out.select_related("office").order_by("pk"):
        yield Fault(str(event.office.uuid), event.number, "missing in the log")
