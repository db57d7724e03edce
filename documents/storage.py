"""The bytes: private, content-addressed, written before the row that tells of them."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from typing import BinaryIO, cast

from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages

PIECE = 64 * 1024
# A cancel must cut a running download within 2 s and let at most 1 MiB more pass: ask again
# twice a second, and on a fast line every half MiB (100 µs, beside a millisecond of sending).
ASK_EVERY = 0.5
ASK_EVERY_BYTES = 512 * 1024


class DownloadCut(ConnectionAbortedError):
    """Access ended while the download ran: the connection breaks off, short of its length."""


class Damaged(Exception):
    """The stored bytes are not those that were kept: they are given to nobody as the file."""


def storage() -> Storage:
    return storages["documents"]


def name_of(sha256: str) -> str:
    """Where the content with this digest lies."""
    return f"{sha256[:2]}/{sha256[2:4]}/{sha256}"


def keep(data: bytes) -> str:
    """Store the bytes under their SHA-256 and return it; the same bytes are stored once."""
    digest = hashlib.sha256(data).hexdigest()
    if not storage().exists(name_of(digest)):
        storage().save(name_of(digest), ContentFile(data))
    return digest


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


def pieces(
    sha256: str,
    start: int,
    length: int,
    may_go_on: Callable[[], bool],
    on_cut: Callable[[int], None],
) -> Iterator[bytes]:
    """Yield `length` bytes from `start`; asks again while it runs and raises DownloadCut on no."""
    asked, asked_at = time.monotonic(), 0
    sent = 0
    with storage().open(name_of(sha256)) as file:
        stream = cast(BinaryIO, file)
        stream.seek(start)
        while sent < length:
            if sent - asked_at >= ASK_EVERY_BYTES or time.monotonic() - asked > ASK_EVERY:
                asked, asked_at = time.monotonic(), sent
                if not may_go_on():
                    on_cut(sent)
                    raise DownloadCut
            piece = stream.read(min(PIECE, length - sent))
            if not piece:
                raise DownloadCut
            sent += len(piece)
            yield piece
