"""What a movement is for, as CODA tells it: free words, or the fields of a structured message.

Source: Febelfin, "Coded statement of account (CODA) 2.6", annex III. Types 101 and 102 are the
structured communication of Belgian transfers. The others become words, field by field where the
fields matter to a reader, else as they stand.
"""

from __future__ import annotations

from typing import NamedTuple

from documents.formats import Reason, Refused
from documents.formats.fields import between_pluses

# Per type the fields that are told, with their places behind the type: words, an amount of
# fifteen digits, a rate of twelve, a day.
WORDS, AMOUNT, RATE, DAY = "words", "amount", "rate", "day"
LAYOUTS: dict[str, tuple[tuple[str, int, int], ...]] = {
    # Original amount and its currency, the rate.
    "105": ((AMOUNT, 15, 30), (WORDS, 42, 45), (RATE, 30, 42)),
    # A share in percent, of what, how much.
    "106": ((RATE, 30, 42), (AMOUNT, 15, 30), (AMOUNT, 0, 15)),
    # Number of a direct debit, its day, what for.
    "107": ((WORDS, 0, 12), (DAY, 12, 18), (WORDS, 18, 48)),
    # Terminal: its place, first and last day of the sum.
    "111": ((WORDS, 36, 62), (DAY, 16, 22), (DAY, 28, 34)),
    # Card, day, place, original amount and its currency.
    "113": ((WORDS, 0, 16), (DAY, 29, 35), (WORDS, 40, 66), (AMOUNT, 66, 81), (WORDS, 93, 96)),
    # Day and place of a terminal, reference.
    "114": ((DAY, 16, 22), (WORDS, 27, 53), (WORDS, 53, 69)),
    # Card, number of the bill, its day.
    "124": ((WORDS, 0, 20), (WORDS, 21, 33), (DAY, 48, 54)),
    # SEPA direct debit: what for, mandate, creditor.
    "127": ((WORDS, 79, 141), (WORDS, 44, 79), (WORDS, 9, 44)),
}
BELGIAN = ("101", "102")
# 105 repeats the structured communication of the payer.
REPEATED = slice(45, 57)
COUNTERPARTY = "001"
NAME = slice(0, 70)


class Communication(NamedTuple):
    """Words, the structured communication between pluses, and a name where one is told."""

    text: str
    structured: str = ""
    name: str = ""


def of_movement(words: str, line: int) -> Communication:
    """What records 2.1 to 2.3 say; the first character tells whether it is structured."""
    if words[0] == "0":
        return Communication(words[1:].strip())
    kind, body = _kind(words, line), words[4:]
    if kind in BELGIAN:
        digits = body[:12]
        structured = between_pluses(digits) if digits.isascii() and digits.isdecimal() else None
        if not structured:
            detail = f"{digits!r} is no structured communication"
            raise Refused(Reason.FIELD, detail, line)
        return Communication(body[12:].strip(), structured)
    structured = None
    if kind == "105" and (digits := body[REPEATED]).isascii() and digits.isdecimal():
        structured = between_pluses(digits)
    return Communication(_told(kind, body), structured or "")


def information(words: str, line: int) -> Communication:
    """What records 3.1 to 3.3 add: words, or the full name of the counterparty."""
    if words[0] == "0":
        return Communication(words[1:].strip())
    kind, body = _kind(words, line), words[4:]
    if kind == COUNTERPARTY:
        return Communication(_plain(body[NAME.stop :]), name=_plain(body[NAME]))
    return Communication(_plain(body))


def _kind(words: str, line: int) -> str:
    kind = words[1:4]
    if not (kind.isascii() and kind.isdecimal()):
        raise Refused(Reason.FIELD, f"{kind!r} is no type of communication", line)
    return kind


def _told(kind: str, body: str) -> str:
    if kind not in LAYOUTS:
        return _plain(body)
    told = (_field(body[start:end], what) for what, start, end in LAYOUTS[kind])
    return " ".join(field for field in told if field)


def _field(text: str, what: str) -> str:
    """The field as people write it; nothing where it is blank or zero."""
    if what == WORDS or not text.isdecimal():
        return _plain(text)
    if not text.strip("0"):
        return ""
    if what == AMOUNT:
        return f"{int(text[:-3])}.{text[-3:-1]}"
    if what == RATE:
        return f"{int(text[:4])}.{text[4:]}".rstrip("0").rstrip(".")
    return f"{text[:2]}/{text[2:4]}/20{text[4:6]}"


def _plain(text: str) -> str:
    """Without the blanks that fill the fields up."""
    return " ".join(text.split())
