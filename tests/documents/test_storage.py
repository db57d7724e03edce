"""Bytes are whole under their digest, or not there: in a folder and in a bucket alike."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import storages
from django.core.management import call_command
from django.test import override_settings
from moto.server import ThreadedMotoServer

from codabox_portal.environment import documents_storage
from documents import storage
from documents.storage import Damaged, DownloadCut, Part, keep, keep_all, keep_file, load, pieces
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
    """Both kinds of storage, each empty of what the test keeps."""
    chosen = documents_storage(
        folder=str(tmp_path / "documents"),
        bucket=bucket_address if request.param == "bucket" else "",
        accel="",
    )
    with override_settings(STORAGES={"documents": chosen}):
        yield request.param


def whole(sha256: str, size: int) -> bytes:
    return b"".join(pieces(sha256, Part(0, size, size), lambda: True, lambda sent: None))


def overwrite(sha256: str, data: bytes) -> None:
    """Damage the stored bytes behind the portal's back."""
    name = storage.name_of(sha256)
    where = storages["documents"]
    if hasattr(where, "bucket"):
        where.bucket.Object(name).put(Body=data)
    else:
        Path(where.path(name)).write_bytes(data)


def test_what_is_kept_is_read_again_byte_for_byte(place: str) -> None:
    many = [os.urandom(n) for n in (0, 1, 70_000, 300_000)]
    digests = keep_all([*many, many[1]])
    assert digests == [hashlib.sha256(data).hexdigest() for data in [*many, many[1]]]
    for data, digest in zip(many, digests, strict=False):
        assert load(digest) == data
        assert whole(digest, len(data)) == data
    assert keep(many[2]) == digests[2]


def test_a_range_is_just_that_part(place: str) -> None:
    data = os.urandom(200_000)
    digest = keep(data)
    for start, length in ((0, 1), (100, 65_536), (199_999, 1), (0, 199_999), (70_000, 130_000)):
        part = Part(start, length, len(data))
        got = b"".join(pieces(digest, part, lambda: True, lambda sent: None))
        assert got == data[start : start + length]


def test_a_long_file_is_kept_piece_by_piece(place: str, tmp_path: Path) -> None:
    data = os.urandom(3_000_000)
    (tmp_path / "long").write_bytes(data)
    with (tmp_path / "long").open("rb") as file:
        digest, size = keep_file(file)
    assert (digest, size) == (hashlib.sha256(data).hexdigest(), len(data))
    assert load(digest) == data


@pytest.mark.parametrize("damage", ["flipped", "gone"])
def test_damaged_bytes_are_never_given_as_the_file(place: str, damage: str) -> None:
    data = os.urandom(150_000)
    digest = keep(data)
    if damage == "gone":
        storage.remove(digest)
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
    digest = keep(data)
    overwrite(digest, data[:50_000])
    with pytest.raises(DownloadCut):
        whole(digest, len(data))
    assert keep(data) == digest
    assert load(digest) == data


def test_many_writers_of_the_same_bytes_leave_one_whole_file(place: str) -> None:
    data = os.urandom(500_000)
    writers = [threading.Thread(target=keep, args=(data,)) for _ in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    digest = hashlib.sha256(data).hexdigest()
    assert load(digest) == data
    # The bucket keeps what other tests put there, sometimes under the same two digits.
    assert list(storage.storage().old(digest[:2], 0)).count(digest) == 1


def test_files_are_for_the_portals_account_alone(tmp_path: Path) -> None:
    chosen = documents_storage(folder=str(tmp_path / "documents"), bucket="", accel="")
    with override_settings(STORAGES={"documents": chosen}):
        digest = keep(b"private")
        path = Path(storages["documents"].path(storage.name_of(digest)))
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700
        assert not list((tmp_path / "documents" / "incoming").iterdir())


def test_a_download_from_a_bucket_has_ranges_and_its_digest(
    people: Cast, tmp_path: Path, bucket_address: str
) -> None:
    allow(people.consent, people.an)
    data = os.urandom(400_000)
    chosen = documents_storage(folder="", bucket=bucket_address, accel="")
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
    allow(people.consent, people.an)
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
    storage.remove(hashlib.sha256(gone).hexdigest())
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
    with pytest.raises(ImproperlyConfigured, match=sentence):
        documents_storage(folder="", bucket=address, accel="")


def test_nginx_cannot_send_what_lies_in_a_bucket() -> None:
    with pytest.raises(ImproperlyConfigured, match="PORTAL_ACCEL"):
        documents_storage(folder="", bucket="https://s3.example/bucket", accel="/_documents")
