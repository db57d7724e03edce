"""The movements of a statement, put together from their records 2.1 to 2.3 and 3.1 to 3.3.

A record names its movement by the movement's number and a detail number. Records usually follow
each other; where they do not, the numbers say which movement a record belongs to.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from documents.formats import Movement, Reason, Refused
from documents.formats.communications import information, of_movement
from documents.formats.file_warnings import Code, WarningList
from documents.formats.lines import (
    Line,
    amount_at,
    counterparty_of,
    day_at,
    is_decimal,
    units,
)

# The types of a transaction code: the first four stand alone, the others are details of them.
ALONE, DETAILS = "0123", "56789"
# Details that make up the amount above them. Those of type 8 and 9 may also just explain it.
ADD_UP = "567"
WITH_DETAILS, BELOW = "7", "9"
HIGHEST = 9999
CONTINUED = ("22", "23", "32", "33")


@dataclass(slots=True)
class Information:
    """Records 3.1 to 3.3, which tell more about a movement."""

    detail: str
    line: int
    first: str = ""
    second: str = ""
    third: str = ""

    def words(self) -> str:
        words = self.first or "0".ljust(74)
        if self.second or self.third:
            words += self.second.ljust(105)
        return words + self.third


@dataclass(slots=True)
class Record:
    """A movement while its records are read; `amount` in thousandths."""

    line: Line
    sequence: str
    detail: str
    amount: int
    value_on: date | None
    booked_on: date | None
    code: str
    second: str = ""
    third: str = ""
    notes: list[Information] = field(default_factory=list)
    details: list[Record] = field(default_factory=list)


class Movements:
    """Collects the records 2 and 3 of a statement; `finish` gives the movements."""

    def __init__(self, warnings: WarningList) -> None:
        self.warnings = warnings
        self.all: list[Record] = []
        self.top: list[Record] = []
        # The newest movement of each number, and details that came before their movement.
        self.by_sequence: dict[str, Record] = {}
        self.early: list[Record] = []
        # Records that did not follow their movement, with how many movements were there.
        self.set_aside: list[tuple[Line, int]] = []
        # Movements whose details or information did not come in their order.
        self.unsorted: dict[int, Record] = {}
        self.numbers = (0, -1)
        self.announced = False

    def add(self, line: Line) -> None:
        kind = line.text[:2]
        if kind == "21":
            self._movement(line)
        elif kind in ("22", "23"):
            newest = self.all[-1] if self.all else None
            if newest and newest.line.text[2:10] == line.text[2:10]:
                _continue(newest, line)
            else:
                self.set_aside.append((line, len(self.all)))
        elif kind in ("31", "32", "33"):
            if kind == "31":
                self._count(line)
            if not self._informs(line, kind):
                self.set_aside.append((line, len(self.all)))
        else:
            detail = f"record {kind!r} is not known"
            raise Refused(Reason.STRUCTURE, detail, line.number)
        self._check_announced(line, kind)

    def finish(self) -> list[Record]:
        """The movements in their order, each with its details and its information."""
        if self.early or self.set_aside:
            self._put_in_place()
        for record in self.unsorted.values():
            record.details.sort(key=lambda detail: detail.detail)
            record.notes.sort(key=lambda note: note.detail)
        for record in self.top:
            if record.details:
                record.details = _nested(record.details)
                self._check_details(record)
        return self.top

    # --- one record ------------------------------------------------------------------------------

    def _movement(self, line: Line) -> None:
        text = line.text
        code = text[53:61]
        record = Record(
            line, text[2:6], text[6:10], amount_at(line, 31), day_at(line, 47), day_at(line, 115),
            code,
        )  # fmt: skip
        self._count(line)
        if text[124] not in "0123456789":
            self.warnings.add(Code.UNKNOWN_CODE, line.number, f"21 {text[124]!r}")
        if not is_decimal(code) or code[0] == "4":
            self.warnings.add(Code.UNKNOWN_CODE, line.number, f"21 {code!r}")
        self.all.append(record)
        if self._is_alone(record):
            self.top.append(record)
            self.by_sequence[record.sequence] = record
        elif parent := self.by_sequence.get(record.sequence):
            parent.details.append(record)
            if parent is not self.top[-1]:
                self._out_of_order(line)
                self.unsorted[id(parent)] = parent
        else:
            self.early.append(record)

    def _is_alone(self, record: Record) -> bool:
        kind = record.code[0]
        if kind in ALONE:
            if record.detail != "0000":
                self.warnings.add(Code.UNKNOWN_CODE, record.line.number, f"21 {record.code!r}")
            return True
        return kind not in DETAILS and record.detail == "0000"

    def _informs(self, line: Line, kind: str) -> bool:
        """Add the information to the newest movement; tell whether it belongs there."""
        newest = self.all[-1] if self.all else None
        if not newest or newest.sequence != line.text[2:6]:
            return False
        detail = line.text[6:10]
        if kind != "31":
            if newest.notes and newest.notes[-1].detail == detail:
                _inform(newest.notes[-1], line)
                return True
            return False
        if detail < (newest.notes[-1].detail if newest.notes else newest.detail):
            return False
        note = Information(detail, line.number)
        _inform(note, line)
        newest.notes.append(note)
        return True

    def _count(self, line: Line) -> None:
        """Numbers of movements go up by one, and so do their details, beginning again at 0."""
        text = line.text
        sequence, detail = text[2:6], text[6:10]
        before = self.numbers
        if not (is_decimal(sequence) and is_decimal(detail)):
            self.warnings.add(Code.COUNTER, line.number, f"{sequence} {detail}")
            return
        self.numbers = now = int(sequence), int(detail)
        if now != (before[0], before[1] + 1) and now != (before[0] + 1, 0):
            self.warnings.add(Code.COUNTER, line.number, f"{sequence} {detail}")

    def _check_announced(self, line: Line, kind: str) -> None:
        """Codes in its last columns say whether records of the same movement follow a record."""
        if (kind in CONTINUED or kind == "31") != self.announced and not self._is_detail(kind):
            self._out_of_order(line)
        text = line.text
        self.announced = text[125] == "1" or text[127] == "1"

    def _is_detail(self, kind: str) -> bool:
        """Some banks announce details in the same way as information."""
        return kind == "21" and self.announced and self.all[-1].detail != "0000"

    def _out_of_order(self, line: Line) -> None:
        text = line.text
        self.warnings.add(Code.RECORD_ORDER, line.number, f"{text[:2]} {text[2:6]} {text[6:10]}")

    # --- records that did not follow their movement ----------------------------------------------

    def _put_in_place(self) -> None:
        at = {id(record): place for place, record in enumerate(self.all)}
        alone = _Places((record.sequence, at[id(record)], record) for record in self.top)
        for record in self.early:
            self._out_of_order(record.line)
            parent = alone.nearest(record.sequence, at[id(record)])
            if parent:
                parent.details.append(record)
                self.unsorted[id(parent)] = parent
            elif record.detail == "0000":
                self.top.append(record)
            else:
                raise _of_no_movement(record.line)
        self.top.sort(key=lambda record: at[id(record)])
        self._set_in_place()

    def _set_in_place(self) -> None:
        by_key = _Places(
            (record.line.text[2:10], place, record) for place, record in enumerate(self.all)
        )
        by_sequence = _Places(
            (record.sequence, place, record) for place, record in enumerate(self.all)
        )
        notes = {(id(record), note.detail): note for record in self.all for note in record.notes}
        for line, place in self.set_aside:
            self._out_of_order(line)
            if line.text[0] == "2":
                record = by_key.nearest(line.text[2:10], place)
                if not record:
                    raise _of_no_movement(line)
                _continue(record, line)
            else:
                record = by_sequence.about(line.text[2:6], line.text[6:10], place)
                if not record:
                    raise _of_no_movement(line)
                self.unsorted[id(record)] = record
                _inform(self._note_of(record, line, notes), line)

    def _note_of(
        self, record: Record, line: Line, notes: dict[tuple[int, str], Information]
    ) -> Information:
        """The information that this record continues, or a new one."""
        detail = line.text[6:10]
        note = notes.get((id(record), detail))
        if note is None:
            note = notes[id(record), detail] = Information(detail, line.number)
            record.notes.append(note)
        return note

    def _check_details(self, record: Record) -> None:
        """The details of a sum make the sum."""
        amounts = [detail.amount for detail in record.details if detail.code[0] in ADD_UP]
        if amounts and sum(amounts) != record.amount:
            detail = (
                f"the details of movement {record.sequence} make {units(sum(amounts))},"
                f" not {units(record.amount)}"
            )
            raise Refused(Reason.TOTALS, detail, record.line.number)


class _Places:
    """Movements by what names them, and by their place among all."""

    def __init__(self, named: Iterator[tuple[str, int, Record]]) -> None:
        self.places: dict[str, list[int]] = {}
        self.records: dict[str, list[Record]] = {}
        for name, place, record in named:
            self.places.setdefault(name, []).append(place)
            self.records.setdefault(name, []).append(record)

    def nearest(self, name: str, place: int) -> Record | None:
        """The last one before this place, else the first after it."""
        if name not in self.places:
            return None
        return self.records[name][max(0, bisect_left(self.places[name], place) - 1)]

    def about(self, sequence: str, detail: str, place: int) -> Record | None:
        """The movement of this number whose detail number comes before that of the information."""
        if sequence not in self.places:
            return None
        records = self.records[sequence]
        last = max(0, bisect_left(self.places[sequence], place) - 1)
        # Numbers come twice where they wrap: only those around this place are meant.
        near = records[max(0, last - 50) : last + 50]
        before = [record for record in near if record.detail <= detail]
        return max(before, key=lambda record: record.detail) if before else records[last]


def _of_no_movement(line: Line) -> Refused:
    text = line.text
    detail = f"record {text[:2]} {text[2:6]} {text[6:10]} names no movement of the statement"
    return Refused(Reason.SEQUENCE, detail, line.number)


def _continue(record: Record, line: Line) -> None:
    """Records 2.2 and 2.3 of a movement."""
    name = "second" if line.text[1] == "2" else "third"
    if getattr(record, name):
        raise Refused(Reason.SEQUENCE, f"a second record {line.text[:2]}", line.number)
    setattr(record, name, line.text)


def _inform(note: Information, line: Line) -> None:
    text = line.text
    if text[1] == "1":
        note.first = text[39:113]
    elif text[1] == "2":
        note.second = text[10:115]
    else:
        note.third = text[10:100]


def _nested(details: list[Record]) -> list[Record]:
    """Details of type 9 below the detail of type 7 that they explain."""
    found: list[Record] = []
    for detail in details:
        if detail.code[0] == BELOW and found and found[-1].code[0] == WITH_DETAILS:
            found[-1].details.append(detail)
        else:
            found.append(detail)
    return found


# --- what a movement says ------------------------------------------------------------------------


def movement_of(record: Record, number: str, dated_on: date, warnings: WarningList) -> Movement:
    """The movement as others see it; the day of the statement where it has none of its own."""
    first, second, third = record.line.text, record.second, record.third
    place = record.line.number
    words = first[61:115]
    customer = bic = account = name = ""
    if second:
        words += second[10:63]
        customer, bic = second[63:98].strip(), second[98:109].strip()
    if third:
        # Without 2.2 its place in the communication stays blank.
        words = words.ljust(107) + third[82:125]
        account, name = counterparty_of(third[10:47]), third[47:82].strip()
    said = of_movement(words, place, warnings)
    texts = [said.text]
    for note in record.notes:
        more = information(note.words(), note.line, warnings)
        # The field of the name is short; the information has all of it.
        if more.name.startswith(" ".join(name.split())):
            name = more.name or name
        elif more.name:
            texts.append(more.name)
        texts.append(more.text)
    return Movement(
        number=int(number) if is_decimal(number) else 0,
        amount=units(record.amount),
        booked_on=record.booked_on or dated_on,
        value_on=record.value_on,
        name=name,
        iban=account,
        bic=bic,
        communication="\n".join(text for text in texts if text),
        structured=said.structured,
        reference=customer or first[10:31].strip(),
        code=record.code,
        details=tuple(
            movement_of(each, each.detail, dated_on, warnings) for each in record.details
        ),
    )
