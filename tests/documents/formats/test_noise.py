"""Noise in a file: whatever it becomes, it is read or refused, and never anything else."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from documents.formats import Refused
from documents.formats.reading import read
from tests.documents.formats.test_damaged_xml import CARO, SODA

SAMPLES = Path(__file__).parent / "samples"
FILES = {path.name: path.read_bytes() for path in sorted(SAMPLES.iterdir())}
FILES |= {"soda": SODA, "caro": CARO}


def noisy(data: bytes, rng: random.Random) -> bytes:
    """The file after one to three accidents."""
    found = bytearray(data)
    for _ in range(rng.randrange(1, 4)):
        at, size = rng.randrange(len(found)), rng.randrange(1, 40)
        match rng.randrange(4):
            case 0:
                found[at] = rng.randrange(256)
            case 1:
                del found[at : at + size]
            case 2:
                found[at:at] = found[at : at + size]
            case 3:
                found[at : at + 1] = bytes([rng.choice(b"0123456789 <>&;\"'\r\n")])
    return bytes(found)


@pytest.mark.parametrize("name", FILES)
def test_a_noisy_file_is_read_or_refused(name: str, rounds: float) -> None:
    """150 accidents of each file; a release asks for 100 times as many."""
    rng = random.Random(name)
    seen = Counter(outcome(noisy(FILES[name], rng)) for _ in range(int(150 * rounds)))
    assert len(seen) > 2


def outcome(data: bytes) -> str:
    try:
        documents = read(data)
    except Refused as error:
        refused = error
    else:
        assert b"".join(parsed.data for parsed in documents) == data
        return "read"
    assert refused.detail
    assert refused.line is None or 1 <= refused.line <= data.count(b"\n") + 1
    return refused.reason
