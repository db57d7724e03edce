"""Text for searches: without capitals and accents, with one kind of apostrophe."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from django.db.models import Func, TextField

# Letters and signs that Unicode does not split, and what replaces them.
OTHER = {"œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "đ": "d", "ł": "l"} | dict.fromkeys(
    "’‘ʼ`´ʹ＇", "'"
)


@lru_cache(maxsize=4096)
def _plain(letter: str) -> str:
    apart = unicodedata.normalize("NFKD", OTHER.get(letter, letter))
    bare = "".join(OTHER.get(one, one) for one in apart if not unicodedata.combining(one))
    return bare.lower()


def plain(text: str) -> str:
    """The text in small letters, without accents: *L’Œuvre Noël* is "l'oeuvre noel"."""
    return "".join(map(_plain, text.lower()))


class Plain(Func):
    """The same as a database function, for names that are stored as people write them."""

    template = (
        r"regexp_replace(normalize(replace(replace(translate(lower(%(expressions)s),"
        r" '’‘ʼ`´øđł', '''''''''''odl'), 'œ', 'oe'), 'ß', 'ss'), NFKD),"
        r" '[\u0300-\u036f]', '', 'g')"
    )
    output_field = TextField()


class Piece(NamedTuple):
    """A part of a text, and whether it matches the search."""

    text: str
    marked: bool


def marked(text: str, wanted: Iterable[str]) -> list[Piece]:
    """The text in pieces: those that equal one of the `wanted` plain words are marked."""
    words = sorted({re.escape(word) for word in wanted if word}, key=len, reverse=True)
    if not words or not text:
        return [Piece(text, False)] if text else []
    letters = [_plain(letter.lower()) for letter in text]
    # The position in the text from which each plain letter comes.
    places = [place for place, letter in enumerate(letters) for _one in letter]
    pieces, end = [], 0
    for found in re.finditer("|".join(words), "".join(letters)):
        first, last = places[found.start()], places[found.end() - 1] + 1
        if first > end:
            pieces.append(Piece(text[end:first], False))
        if last > end:
            pieces.append(Piece(text[max(first, end) : last], True))
            end = last
    if end < len(text):
        pieces.append(Piece(text[end:], False))
    return pieces
