"""What a movement is for, as CODA tells it: free words, or the fields of a structured message.

Source: Febelfin, "Coded statement of account (CODA) 2.6", annex III. Types 101 and 102 are the
structured communication of Belgian transfers. The others become words, field by field where the
fields matter to a reader, else as they stand.
"""

from __future__ import annotations

from typing import NamedTuple

from documents.formats.fields import between_pluses
from documents.formats.file_warnings import Code, WarningList

# Per type the fields that are shown, with their places behind the type: words, an amount of
# fifteen digits, a rate of twelve, a day.
WORDS, AMOUNT, RATE, PERCENT, DAY = "words", "amount", "rate", "percent", "day"
LAYOUTS: dict[str, tuple[tuple[str, int, int], ...]] = {
    # Original amount and its currency, the rate.
    "105": ((AMOUNT, 15, 30), (WORDS, 42, 45), (RATE, 30, 42)),
    # A share in percent, of what, how much.
    "106": ((PERCENT, 30, 42), (AMOUNT, 15, 30), (AMOUNT, 0, 15)),
    # Number of a direct debit, its day, what for.
    "107": ((WORDS, 0, 12), (DAY, 12, 18), (WORDS, 18, 48)),
    # Terminal: its name and town, first and last day of the sum.
    "111": ((WORDS, 35, 51), (WORDS, 51, 61), (DAY, 16, 22), (DAY, 28, 34)),
    # Card, day, name and town of the terminal, original amount and its currency.
    "113": (
        (WORDS, 0, 16), (DAY, 29, 35), (WORDS, 40, 56), (WORDS, 56, 66), (AMOUNT, 66, 81),
        (WORDS, 93, 96),
    ),
    # Day, name and town of the terminal, reference.
    "114": ((DAY, 16, 22), (WORDS, 27, 43), (WORDS, 43, 53), (WORDS, 53, 69)),
    # Card, number of the bill, its day.
    "124": ((WORDS, 0, 20), (WORDS, 21, 33), (DAY, 48, 54)),
    # SEPA direct debit: what for, mandate, creditor.
    "127": ((WORDS, 79, 141), (WORDS, 44, 79), (WORDS, 9, 44)),
}  # fmt: skip
BELGIAN = ("101", "102")
# 105 repeats the structured communication of the payer.
REPEATED = slice(45, 57)
COUNTERPARTY = "001"
NAME = slice(0, 70)


class Communication(NamedTuple):
    """Words, the structured communication between pluses, and a name where there is one."""

    text: str
    structured: str = ""
    name: str = ""


def of_movement(words: str, line: int, warnings: WarningList) -> Communication:
    """What records 2.1 to 2.3 say; the first character tells whether it is structured."""
    if words[0] != "1":
        return _free(words, line, warnings)
    kind, body = words[1:4], words[4:]
    if kind in BELGIAN:
        return _belgian(body, line, warnings)
    if not _is_kind(kind, line, warnings):
        return Communication(_plain(words[1:]))
    structured = None
    if kind == "105" and (digits := body[REPEATED]).isascii() and digits.isdecimal():
        structured = between_pluses(digits)
    return Communication(_layout(kind, body), structured or "")


def _free(words: str, line: int, warnings: WarningList) -> Communication:
    if words[0] != "0":
        warnings.add(Code.UNKNOWN_CODE, line, f"{words[0]!r}")
    return Communication(words[1:].strip())


def _belgian(body: str, line: int, warnings: WarningList) -> Communication:
    """Twelve digits of which the last two are a check; where they fail they are text."""
    digits = body[:12]
    structured = between_pluses(digits) if digits.isascii() and digits.isdecimal() else None
    if structured:
        return Communication(body[12:].strip(), structured)
    warnings.add(Code.COMMUNICATION, line, digits)
    return Communication(_plain(body))


def information(words: str, line: int, warnings: WarningList) -> Communication:
    """What records 3.1 to 3.3 add: words, or the full name of the counterparty."""
    if words[0] != "1":
        return _free(words, line, warnings)
    kind, body = words[1:4], words[4:]
    if not _is_kind(kind, line, warnings):
        return Communication(_plain(words[1:]))
    if kind == COUNTERPARTY:
        return Communication(_plain(body[NAME.stop :]), name=_plain(body[NAME]))
    return Communication(_plain(body))


def _is_kind(kind: str, line: int, warnings: WarningList) -> bool:
    """Tell whether this is a type of communication; where it is none, all of it is text."""
    if kind.isascii() and kind.isdecimal():
        return True
    warnings.add(Code.UNKNOWN_CODE, line, f"{kind!r}")
    return False


def _layout(kind: str, body: str) -> str:
    if kind not in LAYOUTS:
        return _plain(body)
    fields = (_field(body[start:end], what) for what, start, end in LAYOUTS[kind])
    return " ".join(field for field in fields if field)


def _field(text: str, what: str) -> str:
    """The field as people write it; nothing where it is blank or zero."""
    if what == WORDS or not text.isdecimal():
        return _plain(text)
    if not text.strip("0"):
        return ""
    if what == AMOUNT:
        return f"{int(text[:-3])}.{text[-3:-1]}"
    if what in (RATE, PERCENT):
        rate = f"{int(text[:4])}.{text[4:]}".rstrip("0").rstrip(".")
        return f"{rate} %" if what == PERCENT else rate
    return f"{text[:2]}/{text[2:4]}/20{text[4:6]}"


def _plain(text: str) -> str:
    """Without the blanks that fill the fields up."""
    return " ".join(text.split())
