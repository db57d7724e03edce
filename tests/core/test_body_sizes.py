"""A body that is too large is refused before anything reads it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.conftest import Cast, Software
from tests.deployment.process_list import children_of_granian
from tests.factories import allow
from tests.test_access_matrix import as_person

pytestmark = pytest.mark.requirement(116)

MIB = 1024 * 1024
HEAD = b'--x\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n'
TAIL = b"\r\n--x--\r\n"
MULTIPART = {"Content-Type": "multipart/form-data; boundary=x"}
JSON = {"Content-Type": "application/vnd.api+json"}
PAGE, TOKEN = "/accounts/login/", "/codabox-connect/oauth2/token"
SEARCH = "/codabox-connect/accounting-offices/x/document-searches"


def memory_of(portal: str) -> int:
    """What the web processes have in memory, together, in bytes."""
    children = children_of_granian(int(portal.rpartition(":")[2]))
    status = "".join(Path(f"/proc/{pid}/status").read_text() for pid, _parent in children)
    sizes = [line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")]
    return sum(map(int, sizes)) * 1024


def pieces(mebibytes: int) -> Iterator[bytes]:
    yield HEAD
    for _ in range(mebibytes):
        yield b"0" * MIB
    yield TAIL


def post(portal: str, path: str, *, length: bool) -> httpx.Response:
    """60 MiB without a login: with their length said before, or in chunks."""
    said = {"Content-Length": str(60 * MIB + len(HEAD + TAIL))} if length else {}
    with httpx.Client(base_url=portal, timeout=30) as http:
        return http.post(path, content=pieces(60), headers=MULTIPART | said)


@pytest.mark.parametrize("length", [True, False], ids=["length", "chunked"])
@pytest.mark.parametrize("path", [PAGE, TOKEN, SEARCH, "/admin/documents/quarantinedfile/upload/"])
def test_sixty_megabytes_of_a_stranger_are_not_read(
    portal: str, committed: None, path: str, length: bool
) -> None:
    # What a web process loads for its first answers is not what this is about.
    for _ in range(8):
        httpx.get(portal + PAGE)
        httpx.post(portal + path, content=HEAD + TAIL, headers=MULTIPART)
    before = memory_of(portal)
    try:
        answer = post(portal, path, length=length)
    except httpx.TransportError:
        # The connection ended while we were still sending.
        answer = None
    assert memory_of(portal) - before < 16 * MIB
    if answer is None:
        return
    assert 400 <= answer.status_code < 500
    if length and path.startswith("/codabox-connect"):
        assert answer.status_code == 413
        assert answer.json()["errors"][0]["code"] == "payloadTooLarge"
    elif length:
        assert answer.status_code == 413
        assert "<html" in answer.text


def test_sixty_megabytes_of_software_in_chunks_are_not_read(
    people: Cast, ledgerly: Software
) -> None:
    """Nobody says how long such a body is, so the API stops reading at its limit."""
    allow(people.consent, people.anna)
    sent = 0

    def body() -> Iterator[bytes]:
        nonlocal sent
        for piece in pieces(60):
            sent += len(piece)
            yield piece

    path = f"/accounting-offices/{people.janssens.uuid}/document-searches"
    with suppress(httpx.TransportError):
        # The portal may end the connection while we are still sending.
        answer = ledgerly.call("POST", path, content=body(), headers=JSON)
        assert answer.status_code == 413
    # The limit, and what lies in the buffers of the network.
    assert MIB < sent < 30 * MIB
    assert ledgerly.search(people.janssens, [people.bakery.company_number]).status_code == 201


@pytest.mark.parametrize(
    ("who", "mebibytes", "status"),
    [("dirk", 3, 302), ("dirk", 34, 413), ("bram", 3, 413), ("nobody", 3, 413)],
)
def test_operators_alone_hand_large_files_in(
    cast: Cast, who: str, mebibytes: int, status: int
) -> None:
    browser: Any = as_person(getattr(cast, who, None))
    file = SimpleUploadedFile("a.bin", b"0" * mebibytes * MIB)
    answer = browser.post("/admin/documents/quarantinedfile/upload/", {"chosen": [file]})
    assert answer.status_code == status


def test_a_page_takes_a_mebibyte_and_not_more(cast: Cast) -> None:
    browser: Any = as_person(None)
    kind = "application/x-www-form-urlencoded"
    for size, status in ((MIB - 2, 200), (MIB - 1, 413)):
        answer = browser.post(PAGE, b"a=" + b"a" * size, content_type=kind)
        assert answer.status_code == status
