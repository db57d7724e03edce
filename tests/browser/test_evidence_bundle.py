"""An auditor unpacks the evidence and opens its checker: no network, no portal, only a browser."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from consents.evidence.anonymisation import anonymise_person
from consents.evidence.bundle import evidence_bundle
from tests import factories
from tests.browser.conftest import judge
from tests.conftest import Cast
from tests.factories import acting, allow

pytestmark = pytest.mark.requirement(76)


@pytest.fixture
def pack(people: Cast, tmp_path: Path) -> Path:
    allow(people.consent, people.anna)
    people.fresh().pause(acting(people.anna))
    people.fresh().cancel(acting(people.anna), reason="moved")
    unpack(people, tmp_path)
    return tmp_path


def unpack(people: Cast, folder: Path) -> None:
    agreed = people.consent.events.get(kind="allowed")
    with zipfile.ZipFile(io.BytesIO(evidence_bundle(agreed))) as packed:
        packed.extractall(folder)


def flip(path: Path, place: int) -> None:
    """Change one bit of one byte."""
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def reworded(path: Path) -> None:
    """A forger who knows the format: another reason, with fingerprint and seal that fit it."""
    events = json.loads(path.read_text())
    last, sealed = events[-1], json.loads(events[-1]["sealed"])
    last["people"] = last["people"].replace("moved", "fraud")
    sealed["event"]["personal"] = sha256((last["salt"] + last["people"]).encode()).hexdigest()
    last["sealed"] = json.dumps(sealed)
    last["seal"] = sha256(last["sealed"].encode()).hexdigest()
    path.write_text(json.dumps(events))


def renamed(path: Path) -> None:
    """Another name, as if it had always been there."""
    path.write_text(path.read_text().replace('\\"name\\":\\"Anna\\"', '\\"name\\":\\"Al\\"'))


# What somebody does to the pack, and the lines of the checker that go red.
FORGERIES: dict[str, tuple[Callable[[Path], Any], set[str]]] = {
    "a byte of the terms": (lambda at: flip(at / "terms.txt", 40), {"terms", "files"}),
    "a byte of the events": (lambda at: flip(at / "events.json", 300), {"events", "files"}),
    "a reason and its seal": (lambda at: reworded(at / "events.json"), {"files"}),
    "another name": (lambda at: renamed(at / "events.json"), {"events", "files"}),
    "a byte of the paper": (lambda at: flip(at / "evidence.pdf", 500), {"files"}),
    "a byte of the receipt": (lambda at: flip(at / "receipt.json", 700), {"receipt", "files"}),
    "no terms": (lambda at: (at / "terms.txt").unlink(), {"terms", "files"}),
}


def test_the_checker_is_green_on_what_was_packed_and_red_on_anything_else(
    browser: Browser, pack: Path
) -> None:
    context = browser.new_context(offline=True, locale="nl-BE")
    page = context.new_page()
    page.set_default_timeout(10_000)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((pack / "check.html").as_uri())
    assert choose(page, pack) == set()
    expect(page.locator("#verdict")).to_have_class("good")
    assert "moved" not in page.locator("#record").inner_text()
    judge(page)
    for forgery, (forge, lines) in FORGERIES.items():
        whole = {path.name: path.read_bytes() for path in pack.iterdir()}
        forge(pack)
        assert choose(page, pack) >= lines, forgery
        expect(page.locator("#verdict")).to_have_class("bad")
        for name, content in whole.items():
            (pack / name).write_bytes(content)
    assert choose(page, pack) == set()
    assert {url.split(":")[0] for url in asked} == {"file"}
    context.close()


def test_the_checker_is_green_after_the_names_were_erased(
    browser: Browser, people: Cast, pack: Path
) -> None:
    factories.change_membership(people.anna, is_active=False)
    assert anonymise_person(people.anna) == 3
    unpack(people, pack)
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.goto((pack / "check.html").as_uri())
    assert choose(page, pack) == set()
    record = page.locator("#record").inner_text()
    assert f"Person {people.anna.pk}" in record
    assert people.anna.email not in record
    # An erased name cannot be filled in again.
    events = pack / "events.json"
    events.write_text(events.read_text().replace(f"Person {people.anna.pk}", "Mallory"))
    assert choose(page, pack) == {"events", "files"}
    context.close()


def choose(page: Page, pack: Path) -> set[str]:
    """Choose all files, as the page asks, and tell which of its checks are bad."""
    page.reload()
    page.set_input_files("#files", sorted(pack.iterdir()))
    page.locator("#verdict").wait_for()
    bad = page.locator("[data-check].bad")
    return {str(line.get_attribute("data-check")) for line in bad.all()}
