"""A ZIP that is sent while it is made: files are stored as they are, so its length is known before.

Each file needs its checksum before its bytes, so a file is read twice. There is no ZIP64: the whole
is less than 4 GiB.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from zlib import crc32

LOCAL = struct.Struct("<4s5H3I2H")
CENTRAL = struct.Struct("<4s6H3I5H2I")
END = struct.Struct("<4s4H2IH")
LONGEST = 2**32 - 1
# Version 2.0, names in UTF-8, stored, and the first day that the format knows.
NEEDED, UTF_8, STORED, MIDNIGHT, FIRST_DAY = 20, 0x800, 0, 0, 0x21


@dataclass(frozen=True)
class ZipEntry:
    """A file of the archive; `read` is called once for its checksum and once for its bytes."""

    name: str
    size: int
    read: Callable[[], Iterable[bytes]]


def length_of(entries: Sequence[ZipEntry]) -> int:
    """How many bytes the archive has."""
    names = sum(2 * len(entry.name.encode()) + LOCAL.size + CENTRAL.size for entry in entries)
    return names + sum(entry.size for entry in entries) + END.size


def zip_pieces(entries: Sequence[ZipEntry], checksum: Callable[[ZipEntry], int]) -> Iterator[bytes]:
    """The bytes of the archive, file by file."""
    directory, offset = [], 0
    for entry in entries:
        name, crc = entry.name.encode(), checksum(entry)
        stated = (
            NEEDED,
            UTF_8,
            STORED,
            MIDNIGHT,
            FIRST_DAY,
            crc,
            entry.size,
            entry.size,
            len(name),
        )
        yield LOCAL.pack(b"PK\x03\x04", *stated, 0) + name
        yield from entry.read()
        directory.append(CENTRAL.pack(b"PK\x01\x02", NEEDED, *stated, 0, 0, 0, 0, 0, offset) + name)
        offset += LOCAL.size + len(name) + entry.size
    listed = b"".join(directory)
    number = len(directory)
    yield listed + END.pack(b"PK\x05\x06", 0, 0, number, number, len(listed), offset, 0)


def checksum_of(pieces: Iterable[bytes]) -> int:
    """The CRC-32 of a file."""
    crc = 0
    for piece in pieces:
        crc = crc32(piece, crc)
    return crc
