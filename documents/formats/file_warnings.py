"""What is odd about a file that is taken all the same: a warning has a code, a line and words.

A file with a formal flaw is still the document that an office needs. Its reader takes it and keeps
one warning of each code, for the first line where the flaw shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

LONGEST_DETAIL = 100


class Code(StrEnum):
    """The flaws that readers know; the codes are stored with the document."""

    BLANK_LINE = "blank_line"
    LINE_WIDTH = "line_width"
    CHARSET = "charset"
    CONTROL_CHARACTER = "control_character"
    SPELLING = "spelling"
    UNKNOWN_CODE = "unknown_code"
    ENTERPRISE_NUMBER = "enterprise_number"
    ACCOUNT = "account"
    STATEMENT_NUMBER = "statement_number"
    DAY = "day"
    COUNTER = "counter"
    RECORD_ORDER = "record_order"
    COMMUNICATION = "communication"
    TRAILER_CODE = "trailer_code"
    SPECIFICATION = "specification"
    MISSING_PART = "missing_part"
    UNKNOWN_PART = "unknown_part"
    LINE_AMOUNT = "line_amount"
    DECIMALS = "decimals"
    ATTACHMENT = "attachment"


# `detail` is what the file says, never a sentence: it stands the same in every language.
SENTENCES: dict[Code, str | Promise] = {
    Code.BLANK_LINE: _("Blank lines or end marks stand between the lines of the file."),
    Code.LINE_WIDTH: _("Lines are not 128 characters long: only blanks are missing or too many."),
    Code.CHARSET: _("The letters are written in another charset than they should be: %(detail)s."),
    Code.CONTROL_CHARACTER: _("A character that cannot be printed was read as a blank."),
    Code.SPELLING: _("A field is written in another way than it should be: %(detail)s."),
    Code.UNKNOWN_CODE: _("The file has a code that is not known here: %(detail)s."),
    Code.ENTERPRISE_NUMBER: _("An enterprise number is wrong or oddly written: %(detail)s."),
    Code.ACCOUNT: _("The account is written in another way than the file says: %(detail)s."),
    Code.STATEMENT_NUMBER: _("The number of the statement cannot be read: %(detail)s."),
    Code.DAY: _("A day is missing: the day of the file or of the balance was taken."),
    Code.COUNTER: _("The numbers of the movements do not follow each other: %(detail)s."),
    Code.RECORD_ORDER: _("Records stand in an unusual order or are not announced: %(detail)s."),
    Code.COMMUNICATION: _("A structured communication is wrong and was read as text: %(detail)s."),
    Code.TRAILER_CODE: _("The trailer does not say rightly whether another statement follows."),
    Code.SPECIFICATION: _("The file does not say that it follows EN 16931: %(detail)s."),
    Code.MISSING_PART: _("A part that belongs in the file is missing or empty: %(detail)s."),
    Code.UNKNOWN_PART: _("The file has a part that is not known here: %(detail)s."),
    Code.LINE_AMOUNT: _("The amount of a line is not what its parts make: %(detail)s."),
    Code.DECIMALS: _("An amount of a line has more than two decimals: %(detail)s."),
    Code.ATTACHMENT: _("An attachment is not what it should be: %(detail)s."),
}  # fmt: skip


@dataclass(frozen=True)
class FileWarning:
    """One flaw; `line` is 1-based, None where there is no line to name."""

    code: Code
    line: int | None = None
    detail: str = ""

    def stored(self) -> dict[str, str | int | None]:
        """The warning as it is stored with the document."""
        return {"code": self.code.value, "line": self.line, "detail": self.detail}

    @property
    def words(self) -> str:
        """The sentence in the reader's language."""
        return str(SENTENCES[self.code]) % {"detail": self.detail}


class WarningList:
    """Collects the warnings of one document while it is read, the first of each code."""

    def __init__(self) -> None:
        self._first: dict[Code, FileWarning] = {}

    def add(self, code: Code, line: int | None, detail: str = "") -> None:
        if code not in self._first:
            plain = "".join(letter if letter.isprintable() else "?" for letter in detail)
            self._first[code] = FileWarning(code, line, plain.strip()[:LONGEST_DETAIL])

    def __contains__(self, code: object) -> bool:
        return code in self._first

    def found(self) -> tuple[FileWarning, ...]:
        return tuple(self._first.values())
