"""What is installed is pinned by its hash; what is shipped has a licence that allows it."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.requirement(99)


PINS = sorted((Path(__file__).resolve().parent.parent / "requirements").glob("*.txt"))
SHIPPED = [file for file in PINS if file.name in ("portal.txt", "embedded.txt", "telemetry.txt")]
# Words of licences that ask for no more than to be named, or that stay with their own files.
ALLOWED = re.compile(
    r"\b(mit|bsd|apache|isc|psf|python software foundation|zlib|0bsd|unlicense|mpl|mozilla public"
    r"|lgpl|lesser general public|cc0|hpnd|zpl|zope public|postgresql)\b",
    re.IGNORECASE,
)
# They would make what we ship theirs, or may not be used at work.
FORBIDDEN = re.compile(
    r"affero|agpl|sspl|commons clause|non-?commercial|proprietary|(?<!l)gpl|(?<!lesser )general public",
    re.IGNORECASE,
)

# Looked at by a person: BSD for all of it, and a classifier that says more than its LICENSE does.
READ = {"qrcode": "BSD-3-Clause"}


def pinned(file: Path) -> dict[str, str]:
    """Each pin of a lock file with the lines that follow it."""
    found = re.findall(
        r"^([A-Za-z0-9._-]+)==([^\n]*(?:\n[ \t]+[^\n]*)*)", file.read_text(), re.MULTILINE
    )
    return dict(found)


def licence(name: str) -> str:
    """What the distribution says of itself; the longest texts are cut to their beginning."""
    told: Any = metadata(name)
    words = [told.get("License-Expression") or "", (told.get("License") or "")[:200]]
    words += [line for line in told.get_all("Classifier") or [] if line.startswith("License")]
    return " | ".join(filter(None, words))


def is_allowed(words: str) -> bool:
    """Where there is a choice (`or`), one that we may take is enough."""
    choices = re.split(r" or ", words, flags=re.IGNORECASE) if " or " in words.lower() else [words]
    return any(ALLOWED.search(one) and not FORBIDDEN.search(one) for one in choices)


@pytest.mark.parametrize("file", PINS, ids=lambda file: file.name)
def test_every_pin_has_its_hashes(
    file: Path, record_property: Callable[[str, object], None]
) -> None:
    pins = pinned(file)
    assert len(pins) > 5
    bare = [
        name for name, rest in pins.items() if not re.search(r"--hash=sha256:[0-9a-f]{64}", rest)
    ]
    assert bare == []
    record_property("measured", f"{file.name}: {len(pins)} pins, all with hashes")


def test_everything_that_is_shipped_has_a_licence_that_allows_it(
    record_property: Callable[[str, object], None],
) -> None:
    """The tools of the tests are not shipped."""
    pins = {name: rest for file in SHIPPED for name, rest in pinned(file).items()}
    assert len(SHIPPED) == 3
    licences, elsewhere = dict(READ), []
    for name in pins.keys() - READ.keys():
        try:
            licences[name] = licence(name)
        except PackageNotFoundError:
            # For another system or Python than this one; the pin says so.
            elsewhere.append(name)
    assert [name for name in elsewhere if ";" not in pins[name].split("--hash")[0]] == []
    assert {name: words for name, words in licences.items() if not is_allowed(words)} == {}
    record_property("measured", f"{len(licences)} of {len(pins)} licences read, all allow it")


@pytest.mark.parametrize(
    ("words", "allowed"),
    [
        ("MIT", True),
        ("BSD-3-Clause OR Apache-2.0", True),
        ("GPL-2.0-only OR MIT", True),
        ("License :: OSI Approved :: GNU Lesser General Public License v3 (LGPLv3)", True),
        ("GPL-3.0-or-later", False),
        ("AGPL-3.0", False),
        ("License :: OSI Approved :: GNU General Public License v3 (GPLv3)", False),
        ("Proprietary", False),
        ("", False),
    ],
)
def test_a_licence_is_judged(words: str, allowed: bool) -> None:
    assert is_allowed(words) == allowed
