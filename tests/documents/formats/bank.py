"""A bank that writes every CODA our reader reads: more than the demo's banks do.

It writes the very `BankStatement` that a reader should give back. A movement's communication is
its own text, and below it a line for each information (record 3).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from documents.formats import BankStatement, Movement

TEXT = (53, 53, 43)
NOTE = (73, 105, 90)


@dataclass
class Bank:
    """How this bank writes: the structure of accounts, and what ends a line."""

    structure: str = "2"
    line_end: str = "\r\n"
    # Whether a record 2.2 or 2.3 that would be blank is written all the same.
    wordy: bool = False
    lines: list[str] = field(default_factory=list)
    sequence: int = 0
    detail: int = 0

    def write(self, facts: BankStatement, *, last: bool = True) -> tuple[bytes, BankStatement]:
        """The file, and the statement with the numbers that its movements were given."""
        self.lines, self.sequence, self.detail = [], 0, 0
        number = f"0{facts.holder.company_number}" if facts.holder.company_number else "0" * 11
        self.add(f"00000{day(facts.dated_on)}00005{'':8}{'':10}{facts.holder.name[:26]:26}"
                 f"{facts.bic:11}{number} 00000{'':39}2")  # fmt: skip
        account = self.account(facts)
        name = facts.holder.name[:26]
        self.add(f"1{self.structure}000{account}{signed(facts.opening)}{day(facts.previous_on)}"
                 f"{name:26}{'Compte':35}{facts.number:03d}")  # fmt: skip
        movements = []
        for movement in facts.movements:
            self.sequence, self.detail = self.sequence + 1, -1
            movements.append(replace(self.movement(movement), number=self.sequence))
        link = "1" if facts.messages else "0"
        self.add(f"8000{account}{signed(facts.closing)}{day(facts.dated_on)}{'':64}{link}")
        counted = len(self.lines) - 1
        for place, message in enumerate(facts.messages):
            more = int(place + 1 < len(facts.messages))
            self.add(f"4 {place + 1:04d}0000{'':22}{message:80}{'':15}{more}")
        debit = sum((-m.amount for m in facts.movements if m.amount < 0), Decimal(0))
        credit = sum((m.amount for m in facts.movements if m.amount > 0), Decimal(0))
        self.add(
            f"9{'':15}{counted:06d}{thousandths(debit)}{thousandths(credit)}{'':75}{2 - (not last)}"
        )
        text = "".join(f"{line}{self.line_end}" for line in self.lines)
        return text.encode("latin-1"), replace(facts, movements=tuple(movements))

    def add(self, line: str) -> None:
        assert len(line) == 128, line
        self.lines.append(line)

    def account(self, facts: BankStatement) -> str:
        if self.structure == "0":
            return f"{facts.iban[4:]} {facts.currency}0BE{'':18}"
        return f"{facts.iban:34}{facts.currency}"

    def movement(self, movement: Movement) -> Movement:
        """Write a movement, its information and its lines."""
        self.detail += 1
        number, key = self.detail, f"{self.sequence:04d}{self.detail:04d}"
        text, *notes = movement.communication.split("\n")
        if movement.structured:
            digits = movement.structured.strip("+").replace("/", "")
            flag, parts = "1", cut("101" + digits, TEXT)
        else:
            flag, parts = "0", cut(text, TEXT)
        linked = int(bool(notes))
        third = self.wordy or bool((movement.iban + movement.name + parts[2]).strip())
        second = third or self.wordy or bool((movement.reference + movement.bic + parts[1]).strip())
        bank = f"BANK{key:17}"
        self.add(f"21{key}{bank}{signed(movement.amount)}{day(movement.value_on)}{movement.code}"
                 f"{flag}{parts[0]}{day(movement.booked_on)}0000{int(second)} "
                 f"{0 if second else linked}")  # fmt: skip
        if second:
            self.add(f"22{key}{parts[1]}{movement.reference:35}{movement.bic:11}{'':16}"
                     f"{int(third)} {0 if third else linked}")  # fmt: skip
        if third:
            self.add(f"23{key}{movement.iban:34}{'':3}{movement.name:35}{parts[2]}0 {linked}")
        for place, note in enumerate(notes):
            self.information(note, f"{bank}{movement.code}", more=int(place + 1 < len(notes)))
        lines = tuple(self.movement(line) for line in movement.details)
        return replace(movement, number=number, details=lines)

    def information(self, note: str, about: str, *, more: int) -> None:
        self.detail += 1
        key = f"{self.sequence:04d}{self.detail:04d}"
        first, second, third = cut(note, NOTE)
        has_third = int(bool(third.strip()))
        has_second = int(bool(second.strip()) or has_third)
        self.add(f"31{key}{about}0{first}{'':12}{has_second} {0 if has_second else more}")
        if has_second:
            self.add(f"32{key}{second}{'':10}{has_third} {0 if has_third else more}")
        if has_third:
            self.add(f"33{key}{third}{'':25}0 {more}")


def cut(text: str, widths: tuple[int, ...]) -> list[str]:
    assert len(text) <= sum(widths)
    parts, at = [], 0
    for width in widths:
        parts.append(text[at : at + width].ljust(width))
        at += width
    return parts


def day(day: date | None) -> str:
    return f"{day:%d%m%y}" if day else "000000"


def thousandths(amount: Decimal) -> str:
    return f"{int(amount * 1000):015d}"


def signed(amount: Decimal) -> str:
    return f"{int(amount < 0)}{thousandths(abs(amount))}"
