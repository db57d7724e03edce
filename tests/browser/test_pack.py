"""An auditor unpacks the evidence and opens its checker: no network, no portal, only a browser."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from consents.pack import evidence_pack
from tests.conftest import Cast
from tests.factories import acting, allow


@pytest.fixture
def pack(people: Cast, tmp_path: Path) -> Path:
    allow(people.consent, people.an)
    people.fresh().pause(acting(people.an))
    people.fresh().cancel(acting(people.an), reason="moved")
    agreed = people.consent.events.get(kind="allowed")
    with zipfile.ZipFile(io.BytesIO(evidence_pack(agreed))) as packed:
        packed.extractall(tmp_path)
    return tmp_path


def flip(path: Path, place: int) -> None:
    """Change one bit of one byte."""
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def reworded(path: Path) -> None:
    """A forger who knows the format: another reason, with a seal that fits it again."""
    from hashlib import sha256

    events = json.loads(path.read_text())
    events[-1]["sealed"] = events[-1]["sealed"].replace("moved", "fraud")
    events[-1]["seal"] = sha256(events[-1]["sealed"].encode()).hexdigest()
    path.write_text(json.dumps(events))


# What somebody does to the pack, and the lines of the checker that go red.
FORGERIES: dict[str, tuple[Callable[[Path], Any], set[str]]] = {
    "a byte of the terms": (lambda at: flip(at / "terms.txt", 40), {"terms", "files"}),
    "a byte of the events": (lambda at: flip(at / "events.json", 300), {"events", "files"}),
    "a reason and its seal": (lambda at: reworded(at / "events.json"), {"files"}),
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
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
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


def choose(page: Page, pack: Path) -> set[str]:
    """Choose all files, as the page asks, and tell which of its checks are bad."""
    page.reload()
    page.set_input_files("#files", sorted(pack.iterdir()))
    page.locator("#verdict").wait_for()
    bad = page.locator("[data-check].bad")
    return {str(line.get_attribute("data-check")) for line in bad.all()}
