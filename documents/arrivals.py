"""What is delivered: files, folders and ZIPs, one file at a time and never more than fits."""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from documents.formats import Reason, Refused
from documents.formats.reading import MOST_BYTES
from documents.storage import keep_file

# A paper belongs to the file of the same name beside it, when that has one of these endings.
SHEETS = (".cod", ".xml", ".COD", ".XML")
PAPERS = (".pdf", ".PDF")
ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")
# A ZIP says how much it will be; these bounds hold whatever it says.
MOST_ENTRIES = 50_000
MOST_DIRECTORY = 32 * 1024 * 1024
MOST_UNPACKED = 4 * 1024 * 1024 * 1024
END_OF_ZIP = struct.Struct("<4s4H2LH")
# What operating systems leave in folders, and what is still being copied.
LEFT_OUT = ("__MACOSX", "Thumbs.db", "desktop.ini")
UNFINISHED = (".part", ".tmp", ".filepart", ".crdownload")

BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, OSError)


@dataclass(frozen=True)
class Arrival:
    """One delivered file with the paper that lies beside it.

    Where it is `refused` before anybody read it, its bytes may be `kept` already: digest and size.
    """

    name: str
    data: bytes = b""
    paper: bytes | None = None
    refused: Refused | None = None
    kept: tuple[str, int] | None = None

    @property
    def size(self) -> int:
        return len(self.data) + len(self.paper or b"")


def of_paths(paths: Iterable[Path]) -> Iterator[Arrival]:
    """All files below the paths. A paper is brought by its file, so it does not come alone."""
    named = {Path(path) for path in paths}
    for path in sorted(named):
        if path.is_dir():
            yield from _of_folder(path, path)
        elif not (is_paper(path.name) and _sheet_of(str(path), lambda p: Path(p) in named)):
            yield from _of_path(path, path.name)


def of_file(name: str, file: BinaryIO) -> Iterator[Arrival]:
    """What one open file holds: a document, or many in a ZIP."""
    start = file.read(4)
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if start in ZIP_STARTS:
        yield from _of_zip(name, file)
    elif size > MOST_BYTES:
        detail = f"{size} bytes are more than {MOST_BYTES}"
        yield Arrival(name, refused=Refused(Reason.TOO_LARGE, detail), kept=keep_file(file))
    else:
        yield Arrival(name, file.read())


def count(paths: Iterable[Path]) -> int:
    """About how many files there are, for a bar that shows how far it is."""
    return sum(_count_of(path) for path in paths)


def _count_of(path: Path) -> int:
    if path.is_dir():
        inside = (Path(top) / name for top, _folders, names in os.walk(path) for name in names)
        return sum(_count_of(each) for each in inside if not is_paper(each.name))
    if path.suffix.lower() == ".zip" and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return sum(not is_paper(name) for name in archive.namelist())
    return 1


def is_paper(name: str) -> bool:
    return name.endswith(PAPERS)


def is_left_out(name: str) -> bool:
    """Tell hidden files, unfinished ones and those of the operating system."""
    parts = name.split("/")
    last = parts[-1]
    return (
        last.endswith(UNFINISHED)
        or any(part in LEFT_OUT for part in parts)
        or any(part.startswith(".") for part in parts)
    )


def paper_of(name: str, exists: Callable[[str], bool]) -> str | None:
    """The paper that belongs to this file, where there is one."""
    stem, ending = os.path.splitext(name)
    if ending not in SHEETS:
        return None
    return next((stem + each for each in PAPERS if exists(stem + each)), None)


def _sheet_of(name: str, exists: Callable[[str], bool]) -> str | None:
    stem = os.path.splitext(name)[0]
    return next((stem + each for each in SHEETS if exists(stem + each)), None)


def _of_folder(folder: Path, top: Path) -> Iterator[Arrival]:
    """Entry by entry, as the disk gives them: a folder may hold millions."""
    with os.scandir(folder) as entries:
        for entry in entries:
            path = Path(entry.path)
            if is_left_out(entry.name):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _of_folder(path, top)
            elif entry.is_file(follow_symlinks=False) and not (
                is_paper(entry.name) and _sheet_of(entry.path, os.path.isfile)
            ):
                yield from _of_path(path, str(path.relative_to(top)))


def _of_path(path: Path, name: str) -> Iterator[Arrival]:
    paper = paper_of(str(path), os.path.isfile)
    with path.open("rb") as file:
        for arrival in of_file(name, file):
            if paper is None or arrival.refused or os.path.getsize(paper) > MOST_BYTES:
                yield arrival
            else:
                yield Arrival(name, arrival.data, Path(paper).read_bytes())


# --- ZIP -----------------------------------------------------------------------------------------


def _of_zip(name: str, file: BinaryIO) -> Iterator[Arrival]:
    try:
        _check_directory(file)
        archive = zipfile.ZipFile(file)
    except Refused as refused:
        yield Arrival(name, refused=refused, kept=keep_file(file))
        return
    except BROKEN_ZIP as error:
        yield Arrival(name, refused=_broken(error), kept=keep_file(file))
        return
    with archive:
        yield from _of_entries(name, archive, file)


def _check_directory(file: BinaryIO) -> None:
    """Refuse what would fill the memory by its list of contents alone."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - 65_536 - END_OF_ZIP.size, 0))
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    file.seek(0)
    if at < 0 or len(tail) - at < END_OF_ZIP.size:
        raise Refused(Reason.CUT_OFF, "a ZIP without its end")
    _sign, _disk, _start, _here, entries, directory, _at, _note = END_OF_ZIP.unpack_from(tail, at)
    if entries > MOST_ENTRIES or directory > MOST_DIRECTORY:
        raise Refused(Reason.TOO_LARGE, f"a ZIP of more than {MOST_ENTRIES} files")


def _of_entries(name: str, archive: zipfile.ZipFile, file: BinaryIO) -> Iterator[Arrival]:
    """File by file; of one that cannot be unpacked the ZIP itself is what is kept."""
    entries = {info.filename: info for info in archive.infolist() if not info.is_dir()}
    left = MOST_UNPACKED
    for inside, info in entries.items():
        if is_left_out(inside) or (is_paper(inside) and _sheet_of(inside, entries.__contains__)):
            continue
        paper = paper_of(inside, entries.__contains__)
        try:
            if left <= 0:
                raise Refused(Reason.TOO_LARGE, f"unpacks to more than {MOST_UNPACKED} bytes")
            data = _unpacked(archive, info)
            arrival = Arrival(
                f"{name}/{inside}", data, _unpacked(archive, entries[paper]) if paper else None
            )
        except (Refused, *BROKEN_ZIP) as error:
            refused = error if isinstance(error, Refused) else _broken(error)
            yield Arrival(f"{name}/{inside}", refused=refused, kept=keep_file(file))
            if left <= 0:
                return
        else:
            left -= max(arrival.size, info.compress_size)
            yield arrival


def _broken(error: Exception) -> Refused:
    return Refused(Reason.CUT_OFF, f"a broken ZIP: {error}")


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """No more than one byte over the bound is ever unpacked."""
    with archive.open(info) as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise Refused(Reason.TOO_LARGE, f"more than {MOST_BYTES} bytes")
    return data
