"""Read delivered files, folders and ZIPs one file at a time, so that they fit in memory."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from documents.formats import Reason, Refused
from documents.formats.reading import MOST_BYTES
from documents.storage.blobs import StoredBlob, store_file

# A PDF belongs to the file of the same name beside it, when that has one of these endings.
STRUCTURED_ENDINGS = (".cod", ".xml", ".COD", ".XML")
PDF_ENDINGS = (".pdf", ".PDF")
ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
# A ZIP says how much it will be; these bounds hold whatever it says.
MOST_ENTRIES = 50_000
MOST_DIRECTORY = 32 * 1024 * 1024
MOST_UNPACKED = 4 * 1024 * 1024 * 1024
# Of a ZIP in which so many entries cannot be unpacked, the others are not tried.
MOST_BROKEN = 100
# A ZIP in a ZIP in a ZIP is opened, and none that lies deeper.
MOST_DEPTH = 3
# What the ZIP of an office program or of a program holds: it is one file, and none of ours.
PROGRAM_FILES = {"[Content_Types].xml", "META-INF/MANIFEST.MF"}
MEDIA_TYPE_FILE, CONTAINER = "mimetype", b"asic"
END_OF_ZIP = struct.Struct("<4s4H2LH")
# zip64: where the larger end record lies, and its size and place of the directory.
LOCATOR_64 = struct.Struct("<4s4xQ4x")
END_64 = struct.Struct("<4s36xQ8x")
# An entry of the directory: its sign, and the lengths of name, extra field and comment.
DIRECTORY_ENTRY = struct.Struct("<4s24x3H12x")
LOCAL_HEADER_BYTES = 30
# What operating systems leave in folders, and what is still being copied.
IGNORED = ("__MACOSX", "Thumbs.db", "desktop.ini")
UNFINISHED = (".part", ".tmp", ".filepart", ".crdownload")

BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, OSError)


@dataclass(frozen=True)
class DeliveredFile:
    """One delivered file with the PDF that lies beside it.

    A file that is `refused` before it is read (too large, a broken ZIP) is `stored` already.
    """

    name: str
    data: bytes = b""
    pdf: bytes | None = None
    refused: Refused | None = None
    stored: StoredBlob | None = None

    @property
    def size(self) -> int:
        return len(self.data) + len(self.pdf or b"")


def files_in_paths(paths: Iterable[Path]) -> Iterator[DeliveredFile]:
    """All files below the paths; a PDF comes with the file beside it, and not alone."""
    named = {Path(path) for path in paths}
    for path in sorted(named):
        if path.is_dir():
            yield from _files_in_folder(path, path)
        elif not (is_pdf_name(path.name) and _file_beside(str(path), lambda p: Path(p) in named)):
            yield from _files_in_path(path, path.name)


def files_in(name: str, file: BinaryIO) -> Iterator[DeliveredFile]:
    """The files in one open file: itself, or those inside it when it is a ZIP."""
    start = file.read(4)
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if start in ZIP_STARTS:
        yield from _files_in_zip(name, file, _Room())
    elif size > MOST_BYTES:
        detail = f"{size} bytes are more than {MOST_BYTES}"
        yield DeliveredFile(
            name, refused=Refused(Reason.TOO_LARGE, detail), stored=store_file(file)
        )
    else:
        yield DeliveredFile(name, file.read())


def count(paths: Iterable[Path]) -> int:
    """About how many files there are, for a progress bar."""
    return sum(_count(path) for path in paths)


def _count(path: Path) -> int:
    if path.is_dir():
        inside = (Path(top) / name for top, _folders, names in os.walk(path) for name in names)
        return sum(_count(each) for each in inside if not is_pdf_name(each.name))
    if path.suffix.lower() == ".zip" and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return sum(not is_pdf_name(name) for name in archive.namelist())
    return 1


def is_pdf_name(name: str) -> bool:
    return name.endswith(PDF_ENDINGS)


def is_ignored(name: str) -> bool:
    """Tell whether a file is hidden, unfinished, or made by an operating system."""
    parts = name.replace("\\", "/").split("/")
    last = parts[-1]
    return (
        last.endswith(UNFINISHED)
        or any(part in IGNORED for part in parts)
        or any(part.startswith(".") and part.strip(".") for part in parts)
    )


def pdf_beside(name: str, exists: Callable[[str], bool]) -> str | None:
    """The name of the PDF that belongs to this file, where there is one."""
    stem, ending = os.path.splitext(name)
    if ending not in STRUCTURED_ENDINGS:
        return None
    return next((stem + each for each in PDF_ENDINGS if exists(stem + each)), None)


def _file_beside(name: str, exists: Callable[[str], bool]) -> str | None:
    stem = os.path.splitext(name)[0]
    return next((stem + each for each in STRUCTURED_ENDINGS if exists(stem + each)), None)


def _files_in_folder(folder: Path, top: Path) -> Iterator[DeliveredFile]:
    """Classification by entry, as the disk gives them: a folder may hold millions."""
    with os.scandir(folder) as entries:
        for entry in entries:
            path = Path(entry.path)
            if is_ignored(entry.name):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _files_in_folder(path, top)
            elif entry.is_file(follow_symlinks=False) and not (
                is_pdf_name(entry.name) and _file_beside(entry.path, os.path.isfile)
            ):
                yield from _files_in_path(path, str(path.relative_to(top)))


def _files_in_path(path: Path, name: str) -> Iterator[DeliveredFile]:
    pdf = pdf_beside(str(path), os.path.isfile)
    with path.open("rb") as file:
        for delivered in files_in(name, file):
            if pdf is None or delivered.refused:
                yield delivered
            elif os.path.getsize(pdf) > MOST_BYTES:
                # It is no reason to keep its file waiting.
                yield delivered
                with open(pdf, "rb") as large_pdf:
                    yield from files_in(f"{name} (PDF)", large_pdf)
            else:
                yield DeliveredFile(name, delivered.data, Path(pdf).read_bytes())


# --- ZIP -----------------------------------------------------------------------------------------


@dataclass
class _Room:
    """What may still be unpacked of a delivered ZIP, with the ZIPs inside it."""

    left: int = field(default_factory=lambda: MOST_UNPACKED)
    entries: int = field(default_factory=lambda: MOST_ENTRIES)
    broken: int = 0
    depth: int = 1


def _files_in_zip(name: str, file: BinaryIO, room: _Room) -> Iterator[DeliveredFile]:
    try:
        _check_directory(file)
        archive = zipfile.ZipFile(file)
        _check_overlaps(archive)
        _check_content(archive, room)
    except Refused as refused:
        yield DeliveredFile(name, refused=refused, stored=store_file(file))
        return
    except BROKEN_ZIP as error:
        yield DeliveredFile(name, refused=_broken(error), stored=store_file(file))
        return
    with archive:
        yield from _files_in_archive(name, archive, file, room)


def _check_directory(file: BinaryIO) -> None:
    """Refuse a ZIP whose list of contents alone would fill the memory.

    The entries are counted: nothing keeps the end record from naming fewer.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - 65_536 - END_OF_ZIP.size, 0))
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    file.seek(0)
    if at < 0 or len(tail) - at < END_OF_ZIP.size:
        raise Refused(Reason.CUT_OFF, "a ZIP without its end")
    _sign, _disk, _start, _here, entries, length, _at, _note = END_OF_ZIP.unpack_from(tail, at)
    end = max(size - len(tail), 0) + at
    if at >= LOCATOR_64.size and tail.startswith(b"PK\x06\x07", at - LOCATOR_64.size):
        end, length = _directory_64(file, end - LOCATOR_64.size)
    if length > min(MOST_DIRECTORY, end) or entries > MOST_ENTRIES:
        raise Refused(Reason.TOO_LARGE, f"a ZIP of more than {MOST_ENTRIES} files")
    file.seek(end - length)
    if _entries_of(file.read(length)) > MOST_ENTRIES:
        raise Refused(Reason.TOO_LARGE, f"a ZIP of more than {MOST_ENTRIES} files")
    file.seek(0)


def _directory_64(file: BinaryIO, locator: int) -> tuple[int, int]:
    """Where the directory of a zip64 ends, which is where its end record begins, and its length."""
    end = locator - END_64.size
    file.seek(max(end, 0))
    record = file.read(END_64.size)
    if end < 0 or not record.startswith(b"PK\x06\x06"):
        raise Refused(Reason.CUT_OFF, "a ZIP without its end")
    return end, int(END_64.unpack(record)[1])


def _entries_of(directory: bytes) -> int:
    """How many entries there are; no more than one above the bound are counted."""
    at = entries = 0
    while at + DIRECTORY_ENTRY.size <= len(directory) and entries <= MOST_ENTRIES:
        sign, *lengths = DIRECTORY_ENTRY.unpack_from(directory, at)
        if sign != b"PK\x01\x02":
            raise Refused(Reason.CUT_OFF, "a broken ZIP: its list of contents is damaged")
        at += DIRECTORY_ENTRY.size + sum(lengths)
        entries += 1
    return entries


def _check_overlaps(archive: zipfile.ZipFile) -> None:
    """Refuse entries that share bytes: a small ZIP would unpack the same ones again and again."""
    free_from = 0
    for info in sorted(archive.infolist(), key=lambda info: info.header_offset):
        if info.header_offset < free_from:
            raise Refused(Reason.CUT_OFF, "a broken ZIP: its files overlap")
        free_from = info.header_offset + LOCAL_HEADER_BYTES + info.compress_size


def _check_content(archive: zipfile.ZipFile, room: _Room) -> None:
    """Refuse a ZIP that is a document of its own, and one with too many files in all."""
    names = archive.namelist()
    if all(name.endswith("/") for name in names):
        raise Refused(Reason.UNKNOWN_FORMAT, "a ZIP without files")
    room.entries -= len(names)
    if room.entries < 0 or room.depth > MOST_DEPTH:
        detail = f"ZIPs inside each other: more than {MOST_DEPTH}, or of {MOST_ENTRIES} files"
        raise Refused(Reason.TOO_LARGE, detail)
    if names[:1] == [MEDIA_TYPE_FILE] and CONTAINER not in archive.read(MEDIA_TYPE_FILE)[:100]:
        raise Refused(Reason.UNKNOWN_FORMAT, "a file of an office program")
    if not PROGRAM_FILES.isdisjoint(names):
        raise Refused(Reason.UNKNOWN_FORMAT, "a file of an office program")


def _files_in_archive(
    name: str, archive: zipfile.ZipFile, file: BinaryIO, room: _Room
) -> Iterator[DeliveredFile]:
    """One file at a time; when one cannot be unpacked, the ZIP itself is stored."""
    files = [info for info in archive.infolist() if not info.is_dir()]
    entries = {info.filename: info for info in files}
    # Stored once, however many of its entries are broken.
    stored: StoredBlob | None = None
    for info in files:
        # A name may be there twice: both are files that were delivered.
        inside = info.filename
        if is_ignored(inside) or (
            is_pdf_name(inside) and _file_beside(inside, entries.__contains__)
        ):
            continue
        pdf = pdf_beside(inside, entries.__contains__)
        try:
            if room.left <= 0:
                raise Refused(Reason.TOO_LARGE, f"unpacks to more than {MOST_UNPACKED} bytes")
            if room.broken >= MOST_BROKEN:
                detail = f"a broken ZIP: {room.broken} files cannot be unpacked"
                raise Refused(Reason.CUT_OFF, detail)
            data = _unpacked(archive, info)
        except (Refused, *BROKEN_ZIP) as error:
            refused = error if isinstance(error, Refused) else _broken(error)
            stored = stored or store_file(file)
            yield DeliveredFile(f"{name}/{inside}", refused=refused, stored=stored)
            if room.left <= 0 or room.broken >= MOST_BROKEN:
                return
            room.broken += 1
            room.left -= max(min(info.file_size, MOST_BYTES), info.compress_size)
        else:
            room.left -= max(len(data), info.compress_size)
            if data.startswith(ZIP_STARTS):
                room.depth += 1
                yield from _files_in_zip(f"{name}/{inside}", BytesIO(data), room)
                room.depth -= 1
                continue
            pdf_data = _pdf_in(archive, entries[pdf], room) if pdf else None
            if isinstance(pdf_data, Refused):
                # It is no reason to keep its file waiting.
                stored = stored or store_file(file)
                yield DeliveredFile(f"{name}/{pdf}", refused=pdf_data, stored=stored)
                pdf_data = None
            yield DeliveredFile(f"{name}/{inside}", data, pdf_data)


def _pdf_in(archive: zipfile.ZipFile, info: zipfile.ZipInfo, room: _Room) -> bytes | Refused:
    """The PDF beside a file, or why it cannot be unpacked."""
    room.left -= max(min(info.file_size, MOST_BYTES), info.compress_size)
    try:
        return _unpacked(archive, info)
    except Refused as refused:
        return refused
    except BROKEN_ZIP as error:
        return _broken(error)


def _broken(error: Exception) -> Refused:
    return Refused(Reason.CUT_OFF, f"a broken ZIP: {error}")


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """Unpack a file; never more than one byte above the bound."""
    with archive.open(info) as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise Refused(Reason.TOO_LARGE, f"more than {MOST_BYTES} bytes")
    return data
