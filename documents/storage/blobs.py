"""Store and read the bytes of files. A file lies under its SHA-256, and nothing is ever changed."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO, NamedTuple, cast

from django.core.files.storage import storages

from documents.storage.filesystem import FilesystemStorage

PIECE = 64 * 1024
# A cancel must cut a running download within 2 s and let at most 1 MiB more pass: ask again
# twice a second, and on a fast line every half MiB (100 µs, beside a millisecond of sending).
ASK_EVERY = 0.5
ASK_EVERY_BYTES = 512 * 1024


class DownloadCut(ConnectionAbortedError):
    """Access ended during a download: the connection breaks off before the file is complete."""


class Damaged(Exception):
    """The stored bytes are missing or have changed: nobody gets them."""


class Part(NamedTuple):
    """The part of a file of `size` bytes that a download asks for."""

    start: int
    length: int
    size: int

    @property
    def is_whole(self) -> bool:
        return self.length == self.size


def storage() -> FilesystemStorage:
    """The storage of the settings: a `FilesystemStorage`, or an `S3Storage` that works alike."""
    return cast(FilesystemStorage, storages["documents"])


def name_of(sha256: str) -> str:
    """The name of the file with this digest in the storage."""
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"


class StoredBlob(NamedTuple):
    """The SHA-256 and the size in bytes of a file that is stored."""

    sha256: str
    size: int


def store(data: bytes) -> str:
    """Store a file and return its SHA-256; the same bytes are stored once."""
    sha256 = hashlib.sha256(data).hexdigest()
    store_many({sha256: data})
    return sha256


def store_many(files: Mapping[str, bytes]) -> None:
    """Store many files, each by its SHA-256, in one go, which is much faster.

    After a crash each of them is complete or not there.
    """
    storage().put({name_of(sha256): data for sha256, data in files.items()})


def store_file(file: BinaryIO) -> StoredBlob:
    """Store a file that is too long for the memory, piece by piece."""
    file.seek(0)
    digest, size = hashlib.sha256(), 0
    while piece := file.read(PIECE):
        digest.update(piece)
        size += len(piece)
    file.seek(0)
    storage().put_file(name_of(digest.hexdigest()), file)
    return StoredBlob(digest.hexdigest(), size)


def load(sha256: str) -> bytes:
    """The whole file; raises Damaged when its bytes have changed or are gone."""
    try:
        with storage().open(name_of(sha256)) as file:
            data = bytes(file.read())
    except FileNotFoundError as error:
        raise Damaged(sha256) from error
    if hashlib.sha256(data).hexdigest() != sha256:
        raise Damaged(sha256)
    return data


def first_bytes(sha256: str, most: int) -> bytes:
    """The first bytes of a file, unchecked; raises Damaged when it is gone."""
    try:
        with storage().open(name_of(sha256)) as file:
            return bytes(file.read(most))
    except FileNotFoundError as error:
        raise Damaged(sha256) from error


def remove(sha256: str) -> None:
    """Remove a file; do nothing when there is none."""
    storage().delete(name_of(sha256))


def pieces(
    sha256: str, part: Part, may_go_on: Callable[[], bool], on_cut: Callable[[int], None]
) -> Iterator[bytes]:
    """Yield the part, and ask `may_go_on` again while it runs; on no, raise DownloadCut.

    The last piece of a whole file is sent only when the digest is right, so a damaged file breaks
    off and no client takes it for complete. A range cannot be checked: it is sent as it is stored,
    and a client that joins ranges compares them with the ETag, which is the digest.
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
