"""Which charset the letters of a file are in, where nothing in the file says it.

CODA is Latin-1 by its standard. Files also come in Windows-1252, in CP850 (of DOS) and in UTF-8. A
file is UTF-8 when it decodes as UTF-8, and Latin-1 when it has no byte that is a control character
there. Of the other two that one wins which gives letters where letters belong: inside words.
"""

from __future__ import annotations

LATIN_1, WINDOWS, DOS, UTF_8 = "Latin-1", "Windows-1252", "CP850", "UTF-8"
# CP858 is CP850 with the euro sign.
CODECS = {LATIN_1: "latin-1", WINDOWS: "cp1252", DOS: "cp858", UTF_8: "utf-8"}
# Latin-1 has control characters here, which no text has; the others have most of their letters.
SECOND_CONTROLS = [bytes([code]) for code in range(0x80, 0xA0)]
LETTERS = "àâäáãåæçéèêëíìîïñóòôöõøœúùûüÿßÀÂÄÁÃÅÆÇÉÈÊËÍÌÎÏÑÓÒÔÖÕØŒÚÙÛÜŸ"
# Signs that stand beside words and in them.
SIGNS = "€£§°²³µ–—…·´`"
QUOTES = "“”„«»"
APOSTROPHES = "’‘"
# Enough to tell a charset by.
MOST_LETTERS = 2_000


def charset_of(data: bytes) -> str:
    """The charset of these bytes; Latin-1 where all letters are ASCII."""
    if data.isascii():
        return LATIN_1
    try:
        data.decode()
    except UnicodeDecodeError:
        pass
    else:
        return UTF_8
    if not any(code in data for code in SECOND_CONTROLS):
        return LATIN_1
    if not _decodes(data, CODECS[WINDOWS]):
        return DOS
    return DOS if _score(data, DOS) > _score(data, WINDOWS) else WINDOWS


def _decodes(data: bytes, codec: str) -> bool:
    try:
        data.decode(codec)
    except UnicodeDecodeError:
        return False
    return True


def _score(data: bytes, charset: str) -> int:
    """How well the letters above ASCII fit where they stand."""
    text = f" {data.decode(CODECS[charset])} "
    places = [at for at, letter in enumerate(text) if letter > "\x7f"][:MOST_LETTERS]
    return sum(_fit(text[at - 1], text[at], text[at + 1]) for at in places)


def _fit(before: str, letter: str, after: str) -> int:
    inside = before.isalpha() and after.isalpha()
    if letter in LETTERS:
        if not (before.isalpha() or after.isalpha()):
            # Words of one letter: "à", and nothing else.
            return 1 if letter in "àÀ" else -1
        return -1 if _is_odd(before, letter, after) else 3
    if letter in APOSTROPHES:
        return 3 if inside else 0
    if letter in QUOTES:
        return 0 if inside else 3
    if letter in SIGNS:
        return 0 if inside else 2
    return 0 if letter.isalpha() else -2


def _is_odd(before: str, letter: str, after: str) -> bool:
    """Capitals stand at the beginning of a word or among capitals."""
    if letter.isupper():
        return before.islower() or (before.isalpha() and after.islower())
    return after.isupper()
