"""Bytes are whole under their digest, or not there: in a folder and in a bucket alike."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core.files.storage import storages
from django.core.management import call_command
from django.test import override_settings
from moto.server import ThreadedMotoServer

from codabox_portal.addresses import documents_in_bucket, documents_in_folder
from codabox_portal.environment import Wrong
from documents.storage import blobs
from documents.storage.blobs import (
    Damaged,
    DownloadCut,
    Part,
    load,
    pieces,
    store,
    store_file,
    store_many,
)
from documents.storage.filesystem import FilesystemStorage
from tests import factories
from tests.conftest import Cast, Software, free_port, running_portal
from tests.factories import CODA, allow

KEY = {"AWS_ACCESS_KEY_ID": "portal", "AWS_SECRET_ACCESS_KEY": "not a secret"}


@pytest.fixture(scope="module")
def bucket_address() -> Iterator[str]:
    """An S3-speaking server on loopback, with one bucket; its address as the setting wants it."""
    port = free_port()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    httpx.put(f"http://127.0.0.1:{port}/documents").raise_for_status()
    yield f"http://portal:not%20a%20secret@127.0.0.1:{port}/documents?region=us-east-1"
    server.stop()


@pytest.fixture(params=["folder", "bucket"])
def place(request: Any, tmp_path: Path, bucket_address: str) -> Iterator[str]:
    """Both kinds of blobs, each empty of what the test keeps."""
    folder = documents_in_folder(str(tmp_path / "documents"))
    chosen = documents_in_bucket(bucket_address) if request.param == "bucket" else folder
    with override_settings(STORAGES={"documents": chosen}):
        yield request.param


def whole(sha256: str, size: int) -> bytes:
    return b"".join(pieces(sha256, Part(0, size, size), lambda: True, lambda sent: None))


def overwrite(sha256: str, data: bytes) -> None:
    """Damage the stored bytes behind the portal's back."""
    name = blobs.name_of(sha256)
    where = storages["documents"]
    if hasattr(where, "bucket"):
        where.bucket.Object(name).put(Body=data)
    else:
        Path(where.path(name)).write_bytes(data)


def synced_by(put: Callable[[], object], monkeypatch: pytest.MonkeyPatch, top: Path) -> list[str]:
    """What a call made durable, below `top`, folders by their names and files as a dot."""
    found: list[str] = []
    real = os.fsync

    def fsync(handle: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{handle}"))
        found.append(str(path.relative_to(top)) if path.is_dir() else "file")
        real(handle)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fsync)
        put()
    return sorted(found)


def test_a_folder_is_made_durable_once_and_again_when_it_is_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    top = tmp_path / "documents"
    first, second, third, fourth = (f"ab/cd/abcd{n}" for n in range(4))
    here, other = FilesystemStorage(location=top), FilesystemStorage(location=top)

    def synced(where: FilesystemStorage, name: str) -> list[str]:
        return synced_by(lambda: where.put({name: b"x"}), monkeypatch, top)

    with_parents = [".", "ab", "ab/cd", "file"]
    assert synced(here, first) == with_parents
    assert synced(here, second) == ["ab/cd", "file"]
    assert synced(other, third) == with_parents, "who knows whether the first one came so far"
    shutil.rmtree(top / "ab")
    assert synced(here, fourth) == with_parents


def test_what_is_kept_is_read_again_byte_for_byte(place: str) -> None:
    many = [os.urandom(n) for n in (0, 1, 70_000, 300_000)]
    files = {hashlib.sha256(data).hexdigest(): data for data in many}
    store_many(files)
    for digest, data in files.items():
        assert load(digest) == data
        assert whole(digest, len(data)) == data
        assert store(data) == digest


def test_a_range_is_just_that_part(place: str) -> None:
    data = os.urandom(200_000)
    digest = store(data)
    for start, length in ((0, 1), (100, 65_536), (199_999, 1), (0, 199_999), (70_000, 130_000)):
        part = Part(start, length, len(data))
        got = b"".join(pieces(digest, part, lambda: True, lambda sent: None))
        assert got == data[start : start + length]


def test_a_long_file_is_kept_piece_by_piece(place: str, tmp_path: Path) -> None:
    data = os.urandom(3_000_000)
    (tmp_path / "long").write_bytes(data)
    with (tmp_path / "long").open("rb") as file:
        digest, size = store_file(file)
    assert (digest, size) == (hashlib.sha256(data).hexdigest(), len(data))
    assert load(digest) == data


@pytest.mark.parametrize("damage", ["flipped", "gone"])
def test_damaged_bytes_are_never_given_as_the_file(place: str, damage: str) -> None:
    data = os.urandom(150_000)
    digest = store(data)
    if damage == "gone":
        blobs.remove(digest)
    else:
        overwrite(digest, data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(Damaged):
        load(digest)
    got: list[bytes] = []
    with pytest.raises((Damaged, FileNotFoundError)):
        got.extend(pieces(digest, Part(0, 150_000, 150_000), lambda: True, lambda sent: None))
    assert sum(map(len, got)) < len(data)


def test_a_file_that_lost_its_end_is_cut_and_written_again_when_it_comes_again(place: str) -> None:
    data = os.urandom(90_000)
    digest = store(data)
    overwrite(digest, data[:50_000])
    with pytest.raises(DownloadCut):
        whole(digest, len(data))
    assert store(data) == digest
    assert load(digest) == data


def test_many_writers_of_the_same_bytes_leave_one_whole_file(place: str) -> None:
    data = os.urandom(500_000)
    writers = [threading.Thread(target=store, args=(data,)) for _ in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    digest = hashlib.sha256(data).hexdigest()
    assert load(digest) == data
    # The bucket keeps what other tests put there, sometimes under the same two digits.
    assert list(blobs.storage().older_than(digest[:2], 0)).count(digest) == 1


def test_files_are_for_the_portals_account_alone(tmp_path: Path) -> None:
    chosen = documents_in_folder(str(tmp_path / "documents"))
    with override_settings(STORAGES={"documents": chosen}):
        digest = store(b"private")
        path = Path(storages["documents"].path(blobs.name_of(digest)))
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700
        assert not list((tmp_path / "documents" / "incoming").iterdir())


def test_a_download_from_a_bucket_has_ranges_and_its_digest(
    people: Cast, tmp_path: Path, bucket_address: str
) -> None:
    allow(people.consent, people.anna)
    data = os.urandom(400_000)
    chosen = documents_in_bucket(bucket_address)
    with override_settings(STORAGES={"documents": chosen}):
        document = factories.make_document(people.bakery, contents={CODA: data})
    with running_portal(tmp_path, PORTAL_STORAGE_S3=bucket_address) as url:
        software = Software(url, people.ledgerly)
        number = people.bakery.company_number
        answer = software.document(people.janssens, number, document.uuid, CODA)
        assert answer.content == data
        assert answer.headers["ETag"].strip('"') == hashlib.sha256(data).hexdigest()
        part = software.document(
            people.janssens, number, document.uuid, CODA, headers={"Range": "bytes=1000-1999"}
        )
        assert (part.status_code, part.content) == (206, data[1000:2000])
        software.http.close()


def test_damaged_bytes_break_the_download_off(people: Cast, ledgerly: Software) -> None:
    allow(people.consent, people.anna)
    data = os.urandom(400_000)
    document = factories.make_document(people.bakery, contents={CODA: data})
    overwrite(hashlib.sha256(data).hexdigest(), data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(httpx.TransportError):
        ledgerly.document(people.janssens, people.bakery.company_number, document.uuid, CODA)


def test_dirk_finds_what_is_damaged_or_gone(
    people: Cast, capsys: pytest.CaptureFixture[str]
) -> None:
    data, gone = os.urandom(900), os.urandom(900)
    factories.make_document(people.bakery, contents={CODA: data, "application/pdf": gone})
    overwrite(hashlib.sha256(data).hexdigest(), data[:-1] + bytes([data[-1] ^ 1]))
    blobs.remove(hashlib.sha256(gone).hexdigest())
    with pytest.raises(SystemExit):
        call_command("verify_storage")
    told = capsys.readouterr().err
    for damaged in (data, gone):
        assert f"damaged or gone: {hashlib.sha256(damaged).hexdigest()}" in told


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("s3://bucket", "must look like"),
        ("https://s3.example", "must look like"),
        ("https://s3.example/a/b", "must look like"),
    ],
)
def test_a_wrong_bucket_is_one_sentence(address: str, sentence: str) -> None:
    with pytest.raises(Wrong, match=sentence):
        documents_in_bucket(address)
