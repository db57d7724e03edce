"""A reader of CODA, version 2: the statements of accounts as Belgian banks deliver them.

Source: Febelfin, "Coded statement of account (CODA) 2.6". A file is lines of 128 characters in
Latin-1: header (0), old balance (1), movements (2.1 to 2.3) with their information (3.1 to 3.3),
new balance (8), free messages (4), trailer (9); a file may hold several statements. Every field
that other lines or amounts depend on is checked; the first that is wrong is named by its line.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from accounts.company_number import is_company_number
from documents.formats import BankStatement, Movement, Party, Reason, Refused, Sheet
from documents.formats.communications import Communication, information, of_movement
from documents.formats.lines import (  # fmt: skip
    Line,
    account_of,
    amount_at,
    counterparty_of,
    day_at,
    flag_at,
    is_decimal,
    lines_of,
    number_at,
    thousandths_at,
    wrong,
)

MEDIA_TYPE = "application/vnd.coda.v1+cod"
# The types of a transaction code: the first four stand alone, the others are lines of them.
ALONE = "0123"
PARENTS = {"5": "1", "6": "2", "7": "2", "8": "3", "9": "7"}
# Lines that make up the sum above them. Those of type 8 and 9 may also just explain it.
ADD_UP = "567"


def read(data: bytes) -> list[Sheet]:
    """The statements of the file, in its order, each with its own bytes."""
    lines = list(lines_of(data))
    sheets: list[Sheet] = []
    at = 0
    while at < len(lines):
        reader = _Reader(lines, at)
        paper = reader.statement()
        start, end = lines[at].starts, lines[reader.at - 1].ends
        sheets.append(Sheet(MEDIA_TYPE, data[start:end], paper))
        at = reader.at
        if reader.is_last and at < len(lines):
            raise Refused(Reason.STRUCTURE, "lines after the last statement", at + 1)
        if not reader.is_last and at == len(lines):
            raise Refused(Reason.CUT_OFF, "the trailer promises another statement", at)
    return sheets


class _OldBalance(NamedTuple):
    account: str
    currency: str
    number: int
    amount: Decimal
    day: date | None
    holder: str


@dataclass
class _Entry:
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
    details: list[_Entry] = field(default_factory=list)


@dataclass
class _Reader:
    """Reads one statement, from the line at `at`; afterwards `at` is behind its trailer."""

    lines: list[Line]
    at: int
    is_last: bool = False
    records: int = 0
    sequence: int = 0
    detail: int = 0

    def statement(self) -> BankStatement:
        """The whole of one statement, checked against its own trailer."""
        created, bic, addressee, number = self._header()
        old = self._old_balance()
        entries = self._movements()
        new = self._new_balance(old, has_movements=bool(entries)) or (old.amount, created)
        messages = self._messages()
        self._trailer(entries)
        closing, dated_on = new
        moved = sum((entry.amount for entry in entries), Decimal(0))
        if old.amount + moved != closing:
            detail = f"{old.amount} and movements of {moved} do not make {closing}"
            raise Refused(Reason.TOTALS, detail, self._balance_line)
        return BankStatement(
            iban=old.account,
            bic=bic,
            currency=old.currency,
            holder=Party(old.holder or addressee, number),
            number=old.number,
            dated_on=dated_on,
            previous_on=old.day,
            opening=old.amount,
            closing=closing,
            movements=tuple(_movement(entry, entry.sequence, dated_on) for entry in entries),
            messages=messages,
        )

    # --- lines ---------------------------------------------------------------------------------

    def _next(self, kind: str) -> Line | None:
        """The line at hand if it is of this kind, else None."""
        if self.at < len(self.lines) and self.lines[self.at].text.startswith(kind):
            line = self.lines[self.at]
            self.at += 1
            if kind[0] in "1238":
                self.records += 1
            return line
        return None

    def _must(self, kind: str, name: str) -> Line:
        line = self._next(kind)
        if line:
            return line
        if self.at == len(self.lines):
            raise Refused(Reason.CUT_OFF, f"the file ends before the {name}", self.at)
        found = self.lines[self.at].text[:2].strip()
        raise Refused(Reason.STRUCTURE, f"record {found!r} where the {name} belongs", self.at + 1)

    # --- header and balances -------------------------------------------------------------------

    def _header(self) -> tuple[date, str, str, str]:
        """Day, BIC of the bank, addressee and enterprise number."""
        line = self._must("0", "header")
        text = line.text
        if text[127] != "2":
            raise wrong(line, 128, f"version {text[127]!r}: only version 2 is read")
        if text[1:5] != "0000":
            raise wrong(line, 2, "four zeros are missing")
        if text[14:16] != "05":
            raise wrong(line, 15, f"application {text[14:16]!r} is not 05")
        if text[16] not in " D":
            raise wrong(line, 17, f"{text[16]!r} is no mark of a duplicate")
        if text[83:88] != "00000":
            detail = f"part {text[83:88]!r} of a statement, for a separate application"
            raise Refused(Reason.STRUCTURE, detail, line.number)
        identity = text[71:82]
        number = "" if identity.strip(" 0") == "" else identity[1:]
        if number and (identity[0] != "0" or not is_company_number(number)):
            raise wrong(line, 72, f"{identity!r} is no enterprise number")
        created = day_at(line, 5)
        if created is None:
            raise wrong(line, 6, "the day is missing")
        return created, text[60:71].strip(), text[34:60].strip(), number

    def _old_balance(self) -> _OldBalance:
        line = self._must("1", "old balance")
        text = line.text
        self._account = text[5:42]
        account, currency = account_of(line)
        paper, coded = number_at(line, 2, 3), number_at(line, 125, 3)
        amount, day = amount_at(line, 42), day_at(line, 58)
        return _OldBalance(account, currency, coded or paper, amount, day, text[64:90].strip())

    def _new_balance(self, old: _OldBalance, *, has_movements: bool) -> tuple[Decimal, date] | None:
        """Amount and day; None in a statement of a day on which nothing happened."""
        line = self._must("8", "new balance") if has_movements else self._next("8")
        if not line:
            self._balance_line, self._link = self.at, "1"
            return None
        self._balance_line, self._link = line.number, flag_at(line, 127)
        if line.text[4:41] != self._account:
            raise wrong(line, 5, f"another account than {old.account}")
        number_at(line, 1, 3)
        day = day_at(line, 57)
        if day is None:
            raise wrong(line, 58, "the day is missing")
        return amount_at(line, 41), day

    # --- movements -----------------------------------------------------------------------------

    def _movements(self) -> list[_Entry]:
        """The movements, each with its lines and what the bank tells of it."""
        entries: list[_Entry] = []
        newest: _Entry | None = None
        linked = False
        while self.at < len(self.lines) and self.lines[self.at].text[0] in "23":
            line = self.lines[self.at]
            if line.text[:2] == "21" and not linked:
                newest = self._entry()
                self._file(newest, entries)
                linked = newest.has_information
            elif line.text[:2] == "31" and linked and newest:
                linked = self._information(newest)
            elif linked:
                raise Refused(Reason.SEQUENCE, "the information promised is missing", line.number)
            else:
                detail = f"record {line.text[:2]!r} that nothing before it promises"
                raise Refused(Reason.SEQUENCE, detail, line.number)
        if linked:
            if self.at == len(self.lines):
                raise Refused(Reason.CUT_OFF, "the file ends before a movement's end", self.at)
            raise Refused(Reason.SEQUENCE, "the information promised is missing", self.at + 1)
        for entry in entries:
            _check_details(entry)
        return entries

    def _key(self, line: Line) -> tuple[int, int]:
        """Sequence and detail number: both go up by one, details begin again at each movement."""
        sequence, detail = number_at(line, 2, 4), number_at(line, 6, 4)
        due = {(self.sequence + 1, 0)}
        if self.sequence:
            due.add((self.sequence, self.detail + 1))
        if (sequence, detail) not in due:
            words = f"number {line.text[2:6]} {line.text[6:10]} does not follow"
            words += f" {self.sequence:04d} {self.detail:04d}"
            raise Refused(Reason.SEQUENCE, words, line.number)
        self.sequence, self.detail = sequence, detail
        return sequence, detail

    def _continues(self, first: Line, promised: str, *kinds: str) -> Line | None:
        """The next record of the same movement, where the one before promises it."""
        line = next((found for kind in kinds if (found := self._next(kind))), None)
        if promised == "1" and not line:
            if self.at == len(self.lines):
                raise Refused(Reason.CUT_OFF, "the file ends inside a movement", self.at)
            detail = f"record {kinds[0]} is promised and missing"
            raise Refused(Reason.SEQUENCE, detail, self.at + 1)
        if line and promised == "0":
            raise Refused(Reason.SEQUENCE, "a record that is not promised", line.number)
        if line and line.text[2:10] != first.text[2:10]:
            raise Refused(Reason.SEQUENCE, "the number of another movement", line.number)
        return line

    def _entry(self) -> _Entry:
        """Records 2.1, 2.2 and 2.3 of one movement."""
        first = self._must("21", "movement")
        text = first.text
        sequence, detail = self._key(first)
        if not is_decimal(text[53:61]):
            raise wrong(first, 54, f"{text[53:61]!r} is no transaction code")
        flag_at(first, 61)
        number_at(first, 121, 3)
        number_at(first, 124, 1)
        entry = _Entry(
            first, sequence, detail, amount_at(first, 31), day_at(first, 47), day_at(first, 115),
            code=text[53:61], reference=text[10:31].strip(), communication=text[61:115],
        )  # fmt: skip
        last = first
        if second := self._continues(first, flag_at(first, 125), "22", "23"):
            last = second
            if second.text[1] == "2":
                self._second(entry, second)
                third = self._continues(first, flag_at(second, 125), "23")
            else:
                third = second
            if third:
                last = third
                self._third(entry, third)
        entry.has_information = flag_at(last, 127) == "1"
        return entry

    def _second(self, entry: _Entry, line: Line) -> None:
        text = line.text
        entry.communication += text[10:63]
        entry.customer, entry.bic = text[63:98].strip(), text[98:109].strip()

    def _third(self, entry: _Entry, line: Line) -> None:
        text = line.text
        if flag_at(line, 125) == "1":
            raise wrong(line, 126, "nothing can follow record 2.3")
        # Without 2.2 its place in the communication stays blank.
        entry.communication = entry.communication.ljust(107) + text[82:125]
        entry.account, entry.name = counterparty_of(text[10:47]), text[47:82].strip()

    def _file(self, entry: _Entry, entries: list[_Entry]) -> None:
        """Under the movement whose line it is; the type in its code says which."""
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

    def _information(self, entry: _Entry) -> bool:
        """Records 3.1, 3.2 and 3.3; tells whether more follow."""
        first = self._must("31", "information")
        text = first.text
        sequence, _detail = self._key(first)
        if sequence != entry.sequence:
            raise Refused(Reason.SEQUENCE, "the number of another movement", first.number)
        flag_at(first, 39)
        words, last = text[39:113], first
        if second := self._continues(first, flag_at(first, 125), "32"):
            words, last = words + second.text[10:115], second
            if third := self._continues(first, flag_at(second, 125), "33"):
                words, last = words.ljust(179) + third.text[10:100], third
        entry.notes.append(information(words, first.number))
        return flag_at(last, 127) == "1"

    # --- the end -------------------------------------------------------------------------------

    def _messages(self) -> tuple[str, ...]:
        """The free messages, a text a line."""
        texts = []
        link = self._link
        while line := self._next("4"):
            if link == "0":
                raise Refused(Reason.SEQUENCE, "a message that is not promised", line.number)
            number_at(line, 2, 8) if line.text[2:10].strip() else None
            link = flag_at(line, 127)
            texts.append(line.text[32:112].rstrip())
        return tuple(text for text in texts if text)

    def _trailer(self, entries: list[_Entry]) -> None:
        line = self._must("9", "trailer")
        counted = number_at(line, 16, 6)
        if counted != self.records:
            detail = f"{counted} records are told, {self.records} are there"
            raise Refused(Reason.TOTALS, detail, line.number)
        out = sum((-entry.amount for entry in entries if entry.amount < 0), Decimal(0))
        in_ = sum((entry.amount for entry in entries if entry.amount > 0), Decimal(0))
        for name, at, total in [("debit", 22, out), ("credit", 37, in_)]:
            told = thousandths_at(line, at)
            if told != total:
                detail = f"{name} of {told} is told, the movements make {total}"
                raise Refused(Reason.TOTALS, detail, line.number)
        if line.text[127] not in "12":
            raise wrong(line, 128, f"{line.text[127]!r} does not say whether more follows")
        self.is_last = line.text[127] == "2"


def _check_details(entry: _Entry) -> None:
    """The lines of a sum make the sum."""
    lines = [line for line in entry.details if line.code[0] in ADD_UP]
    total = sum((line.amount for line in lines), Decimal(0))
    if lines and total != entry.amount:
        detail = f"the lines of movement {entry.sequence} make {total}, not {entry.amount}"
        raise Refused(Reason.TOTALS, detail, entry.line.number)


def _movement(entry: _Entry, place: int, dated_on: date) -> Movement:
    """The movement as it is told; the day of the statement where it has none of its own."""
    said = of_movement(entry.communication, entry.line.number)
    name, texts = entry.name, [said.text]
    for note in entry.notes:
        # The field of the name is short; the information has all of it.
        if note.name.startswith(name):
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
        details=tuple(_movement(line, line.detail, dated_on) for line in entry.details),
    )
