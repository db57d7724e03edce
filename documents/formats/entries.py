"""A movement of an account while its lines are read, and what it becomes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from documents.formats import Movement, Reason, Refused
from documents.formats.communications import Communication, of_movement
from documents.formats.lines import Line, wrong

# The types of a transaction code: the first four stand alone, the others are lines of them.
ALONE = "0123"
PARENTS = {"5": "1", "6": "2", "7": "2", "8": "3", "9": "7"}
# Lines that make up the sum above them. Those of type 8 and 9 may also just explain it.
ADD_UP = "567"


@dataclass
class Entry:
    """A movement while its lines are read."""

    line: Line
    sequence: int
    detail: int
    amount: Decimal
    value_on: date | None
    booked_on: date | None
    code: str
    reference: str
    communication: str
    has_information: bool = False
    customer: str = ""
    bic: str = ""
    account: str = ""
    name: str = ""
    notes: list[Communication] = field(default_factory=list)
    details: list[Entry] = field(default_factory=list)


def file(entry: Entry, entries: list[Entry]) -> None:
    """Put the entry under the movement whose line it is; the type in its code says which."""
    kind = entry.code[0]
    if kind in ALONE:
        if entry.detail:
            raise wrong(entry.line, 54, f"type {kind} on a line with a detail number")
        entries.append(entry)
        return
    parent = entries[-1] if entries else None
    if kind == "9" and parent:
        parent = parent.details[-1] if parent.details else None
    if kind not in PARENTS or not parent or parent.code[0] != PARENTS[kind] or not entry.detail:
        raise wrong(entry.line, 54, f"type {kind} under no movement that has such lines")
    parent.details.append(entry)


def check_details(entry: Entry) -> None:
    """The lines of a sum make the sum."""
    lines = [line for line in entry.details if line.code[0] in ADD_UP]
    total = sum((line.amount for line in lines), Decimal(0))
    if lines and total != entry.amount:
        detail = f"the lines of movement {entry.sequence} make {total}, not {entry.amount}"
        raise Refused(Reason.TOTALS, detail, entry.line.number)


def movement_of(entry: Entry, place: int, dated_on: date) -> Movement:
    """The movement as it is told; the day of the statement where it has none of its own."""
    said = of_movement(entry.communication, entry.line.number)
    name, texts = entry.name, [said.text]
    for note in entry.notes:
        # The field of the name is short; the information has all of it.
        if note.name.startswith(" ".join(name.split())):
            name = note.name
        elif note.name:
            texts.append(note.name)
        texts.append(note.text)
    return Movement(
        number=place,
        amount=entry.amount,
        booked_on=entry.booked_on or dated_on,
        value_on=entry.value_on,
        name=name,
        iban=entry.account,
        bic=entry.bic,
        communication="\n".join(text for text in texts if text),
        structured=said.structured,
        reference=entry.customer or entry.reference,
        code=entry.code,
        details=tuple(movement_of(line, line.detail, dated_on) for line in entry.details),
    )
