"""Marks: words and numbers that stand nowhere else, and who may read each of them.

Every text, number, file and e-mail of the world holds marks. Whatever a person or software gets is
unpacked and searched for them, so a mark of somebody else is a leak, wherever it stands.
"""

from __future__ import annotations

import io
import itertools
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import pypdf

LETTERS = "abcdefghijklmnop"
WORD = re.compile(r"zq[a-p]{6}")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
COMPANY_NUMBER = re.compile(r"(?<!\d)[01]\d{3}\.?\d{3}\.?\d{3}(?!\d)")
IBAN = re.compile(r"be\d{2}(?: ?\d{4}){3}")
# An amount with whatever stands between thousands and before cents.
AMOUNT = re.compile(r"(?<!\d)\d{1,3}(?:[., \u00a0\u202f]?\d{3}){2}[.,]\d{2}(?!\d)")
SEPARATORS = re.compile(r"[\s.,\u00a0\u202f]")
FORMS = (WORD, UUID, COMPANY_NUMBER, IBAN, AMOUNT)

_numbers = itertools.count(1)


def new_word() -> str:
    """A word of eight letters that stands nowhere else."""
    number, letters = next(_numbers), ""
    for _ in range(6):
        number, digit = divmod(number, len(LETTERS))
        letters += LETTERS[digit]
    return f"zq{letters}"


@dataclass(frozen=True)
class Readers:
    """Who may read a mark: the people of these offices, and these partners.

    Operators may read what is no document.
    """

    offices: frozenset[int] = frozenset()
    partners: frozenset[int] = frozenset()
    operators: bool = True


@dataclass
class Marks:
    """Every mark of the world with its readers."""

    readers: dict[str, Readers] = field(default_factory=dict)

    def add(
        self,
        *texts: object,
        offices: Iterable[int] = (),
        partners: Iterable[int] = (),
        operators: bool = True,
    ) -> None:
        """Register marks; who may read one already may go on to read it."""
        for text in texts:
            mark = plain(str(text).lower())
            known = self.readers.get(mark, Readers(operators=False))
            self.readers[mark] = Readers(
                known.offices | frozenset(offices),
                known.partners | frozenset(partners),
                known.operators or operators,
            )

    def word(self, **readers: Any) -> str:
        """Return a new word for these readers."""
        word = new_word()
        self.add(word, **readers)
        return word

    def found_in(self, texts: Iterable[str]) -> set[str]:
        """Return every mark that stands in the texts."""
        return {
            mark
            for text in texts
            for form in FORMS
            for shown in form.findall(text)
            if (mark := plain(shown)) in self.readers
        }


def plain(shown: str) -> str:
    """The mark as it is registered: numbers without what is put between their digits."""
    return SEPARATORS.sub("", shown)


def texts_of(data: bytes) -> Iterator[str]:
    """The text of a file, and of each file that is packed in it, in lower case."""
    if data.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            for member in packed.namelist():
                yield member.lower()
                yield from texts_of(packed.read(member))
    elif data.startswith(b"%PDF"):
        for page in pypdf.PdfReader(io.BytesIO(data)).pages:
            yield page.extract_text().lower()
    else:
        yield unquote(data.decode("utf-8", "replace")).lower()


def kind_of(data: bytes, media_type: str) -> str:
    """The kind of a file that is no page: `zip`, `pdf`, `csv` or the empty text."""
    if data.startswith(b"PK\x03\x04"):
        return "zip"
    if data.startswith(b"%PDF"):
        return "pdf"
    return "csv" if media_type.startswith("text/csv") else ""
