"""ZIPs that are meant to keep the portal busy: refused, or read as fast as an honest one."""

from __future__ import annotations

import io
import os
import struct
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from documents.formats import Reason
from documents.ingest import sources
from documents.ingest.sources import (
    MOST_BROKEN,
    MOST_DEPTH,
    MOST_ENTRIES,
    DeliveredFile,
    files_in,
)

pytestmark = pytest.mark.requirement(112)

END = struct.Struct("<4s4H2LH")
LOCAL = struct.Struct("<4s5H3L2H")
ENTRY = struct.Struct("<4s6H3L5H2L")


def archive_of(entries: int, *, filler: int = 0, crc: int = 0, say: int | None = None) -> bytes:
    """A ZIP of empty files, written by hand, behind a filler that no entry names."""
    body, directory = bytearray(os.urandom(filler)), bytearray()
    body[:4] = b"PK\x03\x04"
    for number in range(entries):
        name = f"{number:06}.xml".encode()
        sizes = crc, 0, 0, len(name)
        directory += ENTRY.pack(
            *(b"PK\x01\x02", 20, 20, 0, 0, 0, 0, *sizes), 0, 0, 0, 0, 0, len(body)
        )
        directory += name
        body += LOCAL.pack(b"PK\x03\x04", 20, 0, 0, 0, 0, *sizes, 0) + name
    said = (say if say is not None else entries) & 0xFFFF
    end = END.pack(b"PK\x05\x06", 0, 0, said, said, len(directory), len(body), 0)
    return bytes(body + directory) + end


def with_zip64(data: bytes) -> bytes:
    """The same ZIP with a larger end record behind its directory, and 10 entries in the old one."""
    *_, length, start, _note = END.unpack(data[-END.size :])
    place = len(data) - END.size
    large = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 10, 10, length, start)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, place, 1)
    end = END.pack(b"PK\x05\x06", 0, 0, 10, 10, 470, 0xFFFFFFFF, 0)
    return data[:place] + large + locator + end


def read(data: bytes) -> tuple[list[DeliveredFile], float]:
    began = time.process_time()
    return list(files_in("a.zip", io.BytesIO(data))), time.process_time() - began


@pytest.fixture(scope="module")
def honest() -> float:
    """What 30 MB of it cost that hold as many files as there may be, all of them right."""
    data = archive_of(MOST_ENTRIES, filler=30_000_000, say=0xFFFF)
    data = data[: -END.size] + END.pack(
        *(b"PK\x05\x06", 0, 0, MOST_ENTRIES, MOST_ENTRIES),
        *END.unpack(data[-END.size :])[5:],
    )
    delivered, seconds = read(data)
    assert len(delivered) == MOST_ENTRIES
    assert not any(file.refused for file in delivered)
    return seconds


@pytest.mark.parametrize("disguise", [with_zip64, bytes], ids=["zip64", "plain end"])
def test_500_000_entries_behind_an_honest_end_are_refused(
    honest: float, disguise: Callable[[bytes], bytes]
) -> None:
    (delivered,), seconds = read(disguise(archive_of(500_000, say=10)))
    assert delivered.refused is not None
    assert delivered.refused.reason == Reason.TOO_LARGE
    assert seconds <= 2 * honest


def test_a_zip64_that_is_honest_is_read() -> None:
    delivered, _seconds = read(with_zip64(archive_of(10)))
    assert [file.name for file in delivered] == [f"a.zip/{n:06}.xml" for n in range(10)]
    assert not any(file.refused for file in delivered)


def test_50_000_broken_entries_cost_no_more_than_honest_ones(honest: float) -> None:
    """Each of them is refused, and the ZIP of 30 MB is stored and hashed once."""
    delivered, seconds = read(archive_of(MOST_ENTRIES, filler=30_000_000, crc=1, say=MOST_ENTRIES))
    assert len(delivered) == MOST_BROKEN + 1
    assert {file.refused.reason for file in delivered if file.refused} == {Reason.CUT_OFF}
    assert len({file.stored for file in delivered}) == 1
    assert seconds <= 2 * honest


def test_entries_that_share_their_bytes_are_refused(honest: float) -> None:
    """Thousands of names for the same compressed megabytes."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("0.xml", b" " * 20_000_000)
        (info,) = archive.infolist()
        for number in range(1, 1_000):
            again = zipfile.ZipInfo("0.xml")
            for name in ("CRC", "compress_size", "file_size", "compress_type", "header_offset"):
                setattr(again, name, getattr(info, name))
            again.filename = f"{number}.xml"
            archive.filelist.append(again)
    (delivered,), seconds = read(target.getvalue())
    assert delivered.refused is not None
    assert delivered.refused.reason == Reason.CUT_OFF
    assert "overlap" in str(delivered.refused)
    assert seconds <= 2 * honest


# --- what is delivered is accounted for ----------------------------------------------------------


def zipped(*files: tuple[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in files:
            archive.writestr(name, data)
    return target.getvalue()


def delivered(data: bytes) -> list[tuple[str, bytes, Reason | None]]:
    return [
        (file.name, file.data, file.refused.reason if file.refused else None)
        for file in files_in("a.zip", io.BytesIO(data))
    ]


def test_a_zip_in_a_zip_is_opened() -> None:
    inner = zipped(("b.cod", b"0b"), ("c.xml", b"<c/>"))
    assert delivered(zipped(("one.zip", inner), ("d.cod", b"0d"), ("two.zip", inner))) == [
        ("a.zip/one.zip/b.cod", b"0b", None), ("a.zip/one.zip/c.xml", b"<c/>", None),
        ("a.zip/d.cod", b"0d", None),
        ("a.zip/two.zip/b.cod", b"0b", None), ("a.zip/two.zip/c.xml", b"<c/>", None),
    ]  # fmt: skip


def test_zips_in_zips_end_at_their_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    deep = zipped(("a.cod", b"0a"))
    for _ in range(MOST_DEPTH):
        deep = zipped(("a.zip", deep))
    assert [reason for _name, _data, reason in delivered(deep)] == [Reason.TOO_LARGE]
    monkeypatch.setattr(sources, "MOST_ENTRIES", 18)
    many = zipped(*((f"{place}.cod", b"0") for place in range(8)))
    wide = zipped(*((f"{place}.zip", many) for place in range(4)))
    reasons = [reason for _name, _data, reason in delivered(wide)]
    assert reasons == [None] * 8 + [Reason.TOO_LARGE] * 3
    monkeypatch.setattr(sources, "MOST_UNPACKED", 100 * len(many))
    bombs = zipped(*((f"{place}.zip", zipped(("a.xml", b"<" * 60_000))) for place in range(8)))
    assert [reason for *_, reason in delivered(bombs)][-1] == Reason.TOO_LARGE


def test_two_files_of_one_name_are_both_delivered() -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        data = zipped(("a.cod", b"01"), ("a.cod", b"02"))
    assert [data for _name, data, _reason in delivered(data)] == [b"01", b"02"]


@pytest.mark.parametrize("name", ["./a.cod", "../a.cod", "..\\a.cod", "x/./a.cod", "/a.cod", "a"])
def test_a_file_of_an_odd_name_is_delivered(name: str) -> None:
    assert [data for _name, data, _reason in delivered(zipped((name, b"0a")))] == [b"0a"]


@pytest.mark.parametrize("name", ["__MACOSX/._a.cod", "x\\.a.cod", ".hidden/a.cod", "a.cod.part"])
def test_what_systems_leave_behind_is_not(name: str) -> None:
    assert delivered(zipped(("b.cod", b"0b"), (name, b"0a"))) == [("a.zip/b.cod", b"0b", None)]


@pytest.mark.parametrize(
    "data",
    [
        zipped(("[Content_Types].xml", b"<x/>"), ("xl/workbook.xml", b"<x/>")),
        zipped(("mimetype", b"application/vnd.oasis.opendocument.text"), ("content.xml", b"<x/>")),
        zipped(),
        zipped(("folder/", b"")),
    ],
    ids=["spreadsheet", "text", "nothing", "folder"],
)
def test_a_zip_that_is_no_delivery_is_one_file_that_waits(data: bytes) -> None:
    assert delivered(data) == [("a.zip", b"", Reason.UNKNOWN_FORMAT)]


def test_a_signed_container_is_opened() -> None:
    data = zipped(("mimetype", b"application/vnd.etsi.asic-e+zip"), ("a.xml", b"<a/>"))
    assert ("a.zip/a.xml", b"<a/>", None) in delivered(data)


def test_a_paper_that_cannot_be_read_keeps_no_file_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "MOST_BYTES", 1_000)
    files = {"a.cod": b"0a", "a.pdf": b"%PDF-" + b"x" * 2_000}
    found = delivered(zipped(*files.items()))
    assert sorted(found, key=str) == [
        ("a.zip/a.cod", b"0a", None), ("a.zip/a.pdf", b"", Reason.TOO_LARGE),
    ]  # fmt: skip
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    reasons = {
        file.name: file.refused.reason if file.refused else None
        for file in sources.files_in_paths([tmp_path])
    }
    assert reasons == {"a.cod": None, "a.cod (PDF)": Reason.TOO_LARGE}
