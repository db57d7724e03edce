"""The bytes: private, content-addressed, written before the row that tells of them."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, NamedTuple, cast

from django.core.files.storage import storages

from documents.folder import Folder

PIECE = 64 * 1024
# A cancel must cut a running download within 2 s and let at most 1 MiB more pass: ask again
# twice a second, and on a fast line every half MiB (100 µs, beside a millisecond of sending).
ASK_EVERY = 0.5
ASK_EVERY_BYTES = 512 * 1024


class DownloadCut(ConnectionAbortedError):
    """Access ended while the download ran: the connection breaks off, short of its length."""


class Damaged(Exception):
    """The stored bytes are not those that were kept: they are given to nobody as the file."""


class Part(NamedTuple):
    """What is asked of a file of `size` bytes."""

    start: int
    length: int
    size: int

    @property
    def is_whole(self) -> bool:
        return self.length == self.size


def storage() -> Folder:
    """A `Folder`, or a `Bucket`, which speaks alike."""
    return cast(Folder, storages["documents"])


def name_of(sha256: str) -> str:
    """Where the content with this digest lies."""
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"


def keep(data: bytes) -> str:
    """Store the bytes under their SHA-256 and return it; the same bytes are stored once."""
    return keep_all([data])[0]


def keep_all(many: Iterable[bytes]) -> list[str]:
    """Store many files at once, which is much faster; after a crash each is whole or not there."""
    digests, blobs = [], {}
    for data in many:
        digest = hashlib.sha256(data).hexdigest()
        digests.append(digest)
        blobs[name_of(digest)] = data
    storage().put(blobs)
    return digests


def keep_file(file: BinaryIO) -> tuple[str, int]:
    """Store a file that is too long for the memory; return its SHA-256 and its size in bytes."""
    file.seek(0)
    digest, size = hashlib.sha256(), 0
    while piece := file.read(PIECE):
        digest.update(piece)
        size += len(piece)
    file.seek(0)
    storage().put_file(name_of(digest.hexdigest()), file)
    return digest.hexdigest(), size


def load(sha256: str) -> bytes:
    """The whole file; raises Damaged when it is not what was kept, or is gone."""
    try:
        with storage().open(name_of(sha256)) as file:
            data = bytes(file.read())
    except FileNotFoundError as error:
        raise Damaged(sha256) from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise Damaged(sha256)
    return data


def remove(sha256: str) -> None:
    """Remove the bytes; nothing happens where there are none."""
    storage().delete(name_of(sha256))


def pieces(
    sha256: str, part: Part, may_go_on: Callable[[], bool], on_cut: Callable[[int], None]
) -> Iterator[bytes]:
    """Yield the part; asks again while it runs and raises DownloadCut on no.

    Of a whole file the last piece leaves only after the digest was found right, so a damaged file
    breaks off and no client takes it for whole. A range cannot be proved: it is sent as it lies
    there, and who puts ranges together compares them with the ETag, which is the digest.
    """
    asked, asked_at = time.monotonic(), 0
    sent, digest = 0, hashlib.sha256()
    with storage().part(name_of(sha256), part.start, part.length) as stream:
        while sent < part.length:
            if sent - asked_at >= ASK_EVERY_BYTES or time.monotonic() - asked > ASK_EVERY:
                asked, asked_at = time.monotonic(), sent
                if not may_go_on():
                    on_cut(sent)
                    raise DownloadCut
            piece = stream.read(min(PIECE, part.length - sent))
            if not piece:
                raise DownloadCut
            if part.is_whole:
                digest.update(piece)
                if sent + len(piece) == part.size and digest.hexdigest() != sha256:
                    on_cut(sent)
                    raise Damaged(sha256)
            sent += len(piece)
            yield piece
