"""A reader of CODA, version 2: the statements of accounts as Belgian banks deliver them.

Source: Febelfin, "Coded statement of account (CODA) 2.6". A file is lines of 128 characters in
Latin-1: header (0), old balance (1), movements (2.1 to 2.3) with their information (3.1 to 3.3),
new balance (8), free messages (4), trailer (9); a file may hold several statements.

The reader is strict about money: balances, movements, totals and counts must agree, and the file
must be whole. It is lenient about form: what can be read is read, with a warning.
"""

from __future__ import annotations

import hashlib
from dataclasses import fields, is_dataclass, replace
from datetime import date
from typing import Any, NamedTuple

from core.document_kinds import CODA
from core.enterprise_number import is_company_number
from documents.formats import BankStatement, ParsedDocument, Party, Reason, Refused
from documents.formats.file_warnings import Code, WarningList
from documents.formats.lines import (  # fmt: skip
    FILLING,
    Account,
    Line,
    Part,
    account_of,
    amount_at,
    check_end,
    day_at,
    is_decimal,
    lines_of,
    number_at,
    parts_of,
    thousandths_at,
    units,
    wrong,
)
from documents.formats.movements import Movements, Record, movement_of

VERSION, APPLICATION = "2", "05"
COUNTED = "1238"
ENDS, GOES_ON = "2", "1"
# The field of the trailer that counts the records has six digits.
MOST_COUNTED = 10**6


def read(data: bytes) -> list[ParsedDocument]:
    """The statements of the file, in its order, each with its own bytes."""
    check_end(data)
    parts = parts_of(data)
    return [_parsed(part, is_last=place == len(parts)) for place, part in enumerate(parts, start=1)]


def _parsed(part: Part, *, is_last: bool) -> ParsedDocument:
    warnings = WarningList()
    lines = lines_of(part, warnings)
    _check_frame(lines, part, is_last=is_last)
    statement = _Statement(lines, warnings)
    facts = statement.read(is_last=is_last)
    if Code.CHARSET in warnings:
        facts = _without_filling(facts)
    # The header tells when and how a copy was made; the rest is the same in every copy.
    copied = "\n".join(_in_columns(line.text) for line in lines[1:-1])
    counted = lines[-1].text[:127]
    fingerprint = hashlib.sha256(f"{facts.dated_on}\n{copied}\n{counted}".encode()).hexdigest()
    return ParsedDocument(CODA, part.data, facts, warnings.found(), fingerprint)


def _in_columns(text: str) -> str:
    """The line as it is where columns count letters: the filling goes to the end of its field."""
    while (at := text.find(FILLING)) >= 0:
        before, after = text[:at], text[at + 1 :]
        field, blanks, rest = after.partition("  ")
        text = f"{before}{field}{blanks} {rest}" if blanks else f"{before}{after} "
    return text


def _without_filling(facts: Any) -> Any:
    """The same without the filling that kept the columns of UTF-8 in place."""
    if isinstance(facts, str):
        return facts.replace(FILLING, "")
    if isinstance(facts, tuple):
        return tuple(_without_filling(each) for each in facts)
    if is_dataclass(facts) and not isinstance(facts, type):
        changed = {each.name: _without_filling(getattr(facts, each.name)) for each in fields(facts)}
        return replace(facts, **changed)
    return facts


def _check_frame(lines: list[Line], part: Part, *, is_last: bool) -> None:
    """A statement begins with its header and ends with its trailer."""
    last = part.first + len(part.raw) - 1
    if not lines:
        raise Refused(Reason.CUT_OFF, "the file has no lines", last)
    for line in lines[:1]:
        _check_kind(line, "0", "header")
    trailers = [line for line in lines if line.text[0] == "9"]
    if not trailers and is_last:
        raise Refused(Reason.CUT_OFF, "the file ends before the trailer", lines[-1].number)
    if not trailers:
        raise Refused(Reason.STRUCTURE, "record '0' where the trailer belongs", last + 1)
    if trailers[0] is not lines[-1]:
        behind = lines[lines.index(trailers[0]) + 1]
        raise Refused(Reason.STRUCTURE, "lines behind the trailer", behind.number)
    _check_kind(lines[1], "1", "old balance")


def _check_kind(line: Line, kind: str, name: str) -> None:
    if line.text[0] != kind:
        detail = f"record {line.text[:2].strip()!r} where the {name} belongs"
        raise Refused(Reason.STRUCTURE, detail, line.number)


def company_number_in(field: str) -> str:
    """The enterprise number in its field of a header; empty where it cannot be one."""
    plain = field.strip()
    digits = plain[1:] if len(plain) == 11 and plain[0] == "0" else plain.zfill(10)
    return digits if is_company_number(digits) else ""


class _Header(NamedTuple):
    created_on: date | None
    is_copy: bool
    addressee: str
    bic: str
    company_number: str


class _Statement:
    """Reads the lines of one statement."""

    def __init__(self, lines: list[Line], warnings: WarningList) -> None:
        self.header_line, self.old_line, *self.lines, self.trailer_line = lines
        self.warnings = warnings
        self.new_line: Line | None = None
        self.messages: list[str] = []
        self.movements = Movements(warnings)

    def read(self, *, is_last: bool) -> BankStatement:
        header = self._header()
        account = account_of(self.old_line, self.warnings)
        opening = amount_at(self.old_line, 42)
        self._sort()
        records = self.movements.finish()
        closing, dated_on = self._new_balance(account, opening, header, has_movements=bool(records))
        self._trailer(records, is_last=is_last)
        moved = sum(record.amount for record in records)
        if opening + moved != closing:
            detail = f"{units(opening)} and {units(moved)} do not make {units(closing)}"
            raise Refused(Reason.TOTALS, detail, (self.new_line or self.old_line).number)
        return BankStatement(
            iban=account.number,
            bic=header.bic,
            currency=account.currency,
            holder=Party(self.old_line.text[64:90].strip() or header.addressee,
                         header.company_number),
            number=self._number(),
            dated_on=dated_on,
            previous_on=day_at(self.old_line, 58),
            opening=units(opening),
            closing=units(closing),
            movements=tuple(
                movement_of(each, each.sequence, dated_on, self.warnings) for each in records
            ),
            messages=tuple(text for text in self.messages if text),
            is_copy=header.is_copy,
        )  # fmt: skip

    def _sort(self) -> None:
        """Give each line to what reads it."""
        message_announced = False
        for line in self.lines:
            kind = line.text[0]
            if kind in "23":
                self.movements.add(line)
            elif kind == "8" and self.new_line is None:
                self.new_line = line
                message_announced = line.text[127] == "1"
            elif kind == "4":
                if not message_announced:
                    self.warnings.add(Code.RECORD_ORDER, line.number, "4")
                message_announced = line.text[127] == "1"
                self.messages.append(line.text[32:112].rstrip())
            else:
                detail = f"record {line.text[:2].strip()!r} where no such record belongs"
                raise Refused(Reason.STRUCTURE, detail, line.number)
        if message_announced:
            self.warnings.add(Code.RECORD_ORDER, self.trailer_line.number, "4")

    # --- header and balances ---------------------------------------------------------------------

    def _header(self) -> _Header:
        line = self.header_line
        text = line.text
        if text[127] not in (VERSION, " "):
            raise wrong(line, 128, f"version {text[127]!r}: only version 2 is read")
        for at, field, usual in [
            (1, text[1:5], ("0000",)),
            (14, text[14:16], (APPLICATION,)),
            (16, text[16], (" ", "D")),
            (83, text[83:88], ("00000",)),
            (127, text[127], (VERSION,)),
        ]:
            if field not in usual:
                self.warnings.add(Code.UNKNOWN_CODE, line.number, f"0 {at + 1} {field!r}")
        return _Header(
            day_at(line, 5), text[16] == "D", text[34:60].strip(), text[60:71].strip(),
            self._company_number(text[71:82]),
        )  # fmt: skip

    def _company_number(self, field: str) -> str:
        """Ten digits; empty where the field names no company that could exist."""
        plain, right = field.strip(), company_number_in(field)
        if plain.strip("0") and field != f"0{right}":
            self.warnings.add(Code.ENTERPRISE_NUMBER, self.header_line.number, plain)
        return right

    def _number(self) -> int:
        """The number of the statement, 0 where it has none."""
        text = self.old_line.text
        for field in (text[125:128], text[2:5]):
            if is_decimal(field) and int(field):
                return int(field)
            if field.strip("0 "):
                self.warnings.add(Code.STATEMENT_NUMBER, self.old_line.number, field)
        return 0

    def _new_balance(
        self, old: Account, opening: int, header: _Header, *, has_movements: bool
    ) -> tuple[int, date]:
        """Amount and day; where nothing happened the old balance is also the new one."""
        line = self.new_line
        if line is None:
            if has_movements:
                raise Refused(
                    Reason.STRUCTURE, "the new balance is missing", self.trailer_line.number
                )
            return opening, self._day_of(self.header_line, header.created_on)
        self._check_account(line, old)
        day = day_at(line, 57)
        if day is None or header.created_on is None:
            self.warnings.add(Code.DAY, (self.header_line if day else line).number)
        return amount_at(line, 41), day or self._day_of(line, header.created_on)

    def _day_of(self, line: Line, created_on: date | None) -> date:
        if created_on is None:
            raise wrong(line, 6 if line is self.header_line else 58, "the day is missing")
        return created_on

    def _check_account(self, line: Line, old: Account) -> None:
        """Both balances are of one account, however it is written."""
        field = line.text[4:41]
        if field == self.old_line.text[5:42]:
            return
        if not field.strip():
            self.warnings.add(Code.ACCOUNT, line.number)
            return
        # The structure of the account stands in record 1 alone.
        same = Line(f"1{self.old_line.text[1]}   {field}", line.number)
        try:
            new = account_of(same, self.warnings)
        except Refused:
            new = None
        if new != old:
            raise wrong(line, 5, f"another account than {old.number} in {old.currency}")
        self.warnings.add(Code.ACCOUNT, line.number, field[:34])

    # --- the end ---------------------------------------------------------------------------------

    def _trailer(self, records: list[Record], *, is_last: bool) -> None:
        line = self.trailer_line
        counted = 1 + sum(each.text[0] in COUNTED for each in self.lines)
        named = number_at(line, 16, 6)
        if named != counted % MOST_COUNTED:
            detail = f"the trailer counts {named} records, the statement has {counted}"
            raise Refused(Reason.TOTALS, detail, line.number)
        amounts = [record.amount for record in records]
        for name, at, total in [
            ("debit", 22, -sum(amount for amount in amounts if amount < 0)),
            ("credit", 37, sum(amount for amount in amounts if amount > 0)),
        ]:
            if (stated := thousandths_at(line, at)) != total:
                detail = f"{name} of {units(stated)}, but the movements make {units(total)}"
                raise Refused(Reason.TOTALS, detail, line.number)
        if line.text[127] != (ENDS if is_last else GOES_ON):
            self.warnings.add(Code.TRAILER_CODE, line.number)
