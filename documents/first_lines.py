"""The first lines of a file that belongs to nobody: enough for operators to tell what it is."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from documents.formats.charsets import CODECS, charset_of
from documents.models import QuarantinedFile
from documents.storage.blobs import first_bytes

MOST_LINES, MOST_COLUMNS = 20, 128
MOST_BYTES = MOST_LINES * MOST_COLUMNS * 2
WIDE = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


def first_lines_of(file: QuarantinedFile) -> list[str]:
    """The lines, cut to a width; none where the file is no text. Raises Damaged."""
    return first_lines(first_bytes(file.sha256, MOST_BYTES))


def first_lines(data: bytes) -> list[str]:
    """What cannot be printed becomes a dot, also what would turn the direction of the line."""
    data = data[:MOST_BYTES]
    if not (codec := WIDE.get(data[:2])):
        if b"\0" in data.rstrip(b"\0") or data.startswith(b"%PDF-"):
            return []
        codec = CODECS[charset_of(data)]
    text = data.decode(codec, errors="replace").removeprefix("\ufeff")
    return list(islice(_cut(text), MOST_LINES))


def _cut(text: str) -> Iterator[str]:
    for line in text.splitlines():
        plain = "".join(letter if letter.isprintable() else "·" for letter in line)
        for at in range(0, max(len(plain), 1), MOST_COLUMNS):
            yield plain[at : at + MOST_COLUMNS]
