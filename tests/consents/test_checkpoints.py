"""Checkpoints leave the database, and somebody without anything of ours finds what was changed."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import call_command

from codabox_portal.addresses import checkpoints_storage
from consents.evidence import checkpoints, signed_note
from consents.evidence.merkle import Tree, leaf_hash, node_hash
from consents.evidence.verify import log_faults
from consents.models import LogCheckpoint, LogEntry
from tests import factories
from tests.conftest import ROOT, Cast
from tests.factories import acting, allow
from tests.owner import as_owner, rules_off

pytestmark = pytest.mark.requirement(107)

CHECKER = ROOT / "consents" / "evidence" / "check_export.pl"
needs_perl = pytest.mark.skipif(
    not (shutil.which("perl") and shutil.which("openssl")),
    reason="no Perl or openssl (Debian: apt install perl openssl)",
)


def by_definition(leaves: list[bytes]) -> bytes:
    """The Merkle tree hash as RFC 6962 defines it."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaf_hash(leaves[0])
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return node_hash(by_definition(leaves[:half]), by_definition(leaves[half:]))


def test_the_tree_is_that_of_rfc_6962() -> None:
    tree, leaves = Tree(), list[bytes]()
    assert tree.root == by_definition([])
    for n in range(70):
        leaves.append(bytes([n]) * 32)
        tree.add(leaves[-1])
        assert tree.root == by_definition(leaves)
        # It goes on from its edge alone.
        tree = Tree(tree.size, tree.edge)


def test_a_note_is_read_by_its_own_key_only(monkeypatch: pytest.MonkeyPatch) -> None:
    said = signed_note.Checkpoint(7, b"r" * 32)
    note, key = signed_note.write(said), signed_note.public_key_line()
    lines = note.split("\n")
    assert lines[0] == "localhost/consent-events"
    assert lines[1:4] == ["7", base64.b64encode(b"r" * 32).decode(), ""]
    assert lines[4].startswith("— localhost/consent-events ")
    assert signed_note.read(note, [key]) == said
    monkeypatch.setattr(signed_note, "signing_key", Ed25519PrivateKey.generate)
    for wrong, keys in (
        (note.replace("7", "8", 1), [key]),
        (note, []),
        (note, [signed_note.public_key_line()]),
        (lines[0], [key]),
    ):
        with pytest.raises(signed_note.WrongCheckpoint):
            signed_note.read(wrong, keys)


@pytest.fixture
def place(settings: Any, tmp_path: Path) -> Path:
    """The place of another account."""
    folder = tmp_path / "place"
    settings.STORAGES = settings.STORAGES | {"checkpoints": checkpoints_storage(str(folder))}
    return folder


@pytest.fixture
def story(cast: Cast, place: Path) -> Cast:
    """Two checkpoints, with events of two offices before each."""
    allow(cast.consent, cast.anna)
    factories.make_request(cast.peeters, cast.tally).deny(acting(cast.chloe))
    checkpoint()
    cast.fresh().pause(acting(cast.anna))
    cast.fresh().resume(acting(cast.anna))
    cast.fresh().cancel(acting(cast.anna), reason="Zoë moved to other software")
    checkpoint()
    return cast


def checkpoint() -> None:
    checkpoints.write_checkpoint()
    checkpoints.deliver_checkpoints()


def told() -> list[str]:
    return [str(fault) for fault in log_faults()]


def test_a_checkpoint_is_written_when_something_happened(story: Cast, place: Path) -> None:
    before = sorted(path.name for path in place.iterdir())
    assert len([name for name in before if name.endswith(".key")]) == 1
    newest = LogCheckpoint.objects.order_by("-size")[:2]
    assert [one.size for one in newest] == [LogEntry.objects.count(), LogEntry.objects.count() - 3]
    assert checkpoints.write_checkpoint() is None
    assert checkpoints.deliver_checkpoints() == 0
    assert sorted(path.name for path in place.iterdir()) == before
    assert checkpoints.waiting() == (0, 0)
    assert told() == []


def test_what_the_place_does_not_have_waits(story: Cast, place: Path) -> None:
    factories.make_request(story.janssens, story.tally)
    assert checkpoints.waiting()[0] == 1
    checkpoints.write_checkpoint()
    assert checkpoints.waiting()[0] == 1
    place.rename(place.with_name("away"))
    place.write_text("no folder")
    with pytest.raises(OSError, match="place"):
        checkpoints.deliver_checkpoints()
    assert checkpoints.waiting()[0] == 1
    place.unlink()
    place.with_name("away").rename(place)
    assert checkpoints.deliver_checkpoints() == 1
    assert checkpoints.waiting() == (0, 0)


def test_a_file_that_a_crash_cut_off_is_written_again(story: Cast, place: Path) -> None:
    factories.make_request(story.janssens, story.tally)
    one = checkpoints.write_checkpoint()
    assert one is not None
    (place / checkpoints.name_of(one)).write_text(one.note[:20])
    checkpoints.deliver_checkpoints()
    assert (place / checkpoints.name_of(one)).read_text() == one.note


def test_the_log_without_a_checkpoint_of_the_place_has_no_faults(cast: Cast, place: Path) -> None:
    assert told() == []


DAMAGES: dict[str, tuple[str, str]] = {
    "an event is edited and its hash mended": (
        "update consents_consentevent set event_hash = repeat('a', 64) where id = {event}",
        "not what the checkpoint",
    ),
    "the end is cut": (
        "delete from consents_logentry where position > {position}",
        "ends after",
    ),
    "a place is empty": (
        "delete from consents_logentry where position = {position}",
        "missing",
    ),
    "two places are swapped": (
        "update consents_logentry set position = -1 where position = {position};"
        "update consents_logentry set position = {position} where position = {position} + 1;"
        "update consents_logentry set position = {position} + 1 where position = -1",
        "not what the checkpoint",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_shows_against_the_checkpoints(story: Cast, damage: str) -> None:
    entry = LogEntry.objects.filter(event__office=story.janssens).order_by("-position")[1]
    statements, says = DAMAGES[damage]
    with rules_off("consents_logentry", "consents_consentevent"):
        for one in statements.format(event=entry.event_id, position=entry.position).split(";"):
            as_owner(one)
    assert any(says in fault for fault in told()), told()


def test_a_forged_checkpoint_is_no_checkpoint(story: Cast, place: Path) -> None:
    newest = max(place.glob("*.checkpoint"))
    newest.write_text(newest.read_text().replace("\n", "\n9", 1))
    assert told() == [f"log, event 0: {newest.name} is not signed by a key of the place"]


# --- Checked by somebody else -------------------------------------------------------------------


@pytest.fixture
def export(story: Cast, tmp_path: Path) -> Path:
    path = tmp_path / "events.jsonl"
    call_command("export_evidence", str(path))
    return path


def check(place: Path, export: Path) -> tuple[int, list[str]]:
    command = ["perl", str(CHECKER), str(place), str(export)]
    # Nothing of ours: no environment, no folder of the portal.
    done = subprocess.run(
        command, cwd="/", env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


def resealed(lines: list[dict[str, str]], first: int, change: Callable[[str], str]) -> None:
    """Change an event and mend the rest of its chain, as whoever has the database could."""
    office = json.loads(lines[first]["sealed"])["event"]["office"]
    lines[first]["sealed"] = change(lines[first]["sealed"])
    before = json.loads(lines[first]["sealed"])["before"]
    for line in lines[first:]:
        fields = json.loads(line["sealed"])
        if fields["event"]["office"] == office:
            fields["before"] = before
            line["sealed"] = json.dumps(
                fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False
            )
            before = line["seal"] = hashlib.sha256(line["sealed"].encode()).hexdigest()


@needs_perl
def test_an_untouched_export_has_no_faults(story: Cast, place: Path, export: Path) -> None:
    assert len(CHECKER.read_text().splitlines()) < 200
    number = LogEntry.objects.count()
    assert check(place, export) == (0, [f"{number} events, 2 checkpoints, 0 faults"])
    assert export.stat().st_mode & 0o077 == 0
    assert "Zoë" in export.read_text()


TAMPERED: dict[str, tuple[Callable[[list[dict[str, str]], int], object], str]] = {
    "a word is changed": (
        lambda lines, n: lines[n].update(sealed=lines[n]["sealed"].replace("paused", "denied")),
        "changed after it was written",
    ),
    "a name is changed": (
        lambda lines, n: lines[n].update(people=lines[n]["people"].replace("Anna", "Chloé")),
        "its names were changed",
    ),
    "an event and the rest of its chain are changed": (
        lambda lines, n: resealed(lines, n, lambda text: text.replace("paused", "denied")),
        "are not those of this checkpoint",
    ),
    "an event is taken out": (lambda lines, n: lines.pop(n), "the one before it is missing"),
    "an event comes twice": (
        lambda lines, n: lines.insert(n, dict(lines[n])),
        "does not follow the event before it",
    ),
    "two events are swapped": (
        lambda lines, n: lines.insert(n, lines.pop(n + 1)),
        "does not follow the event before it",
    ),
    "the end is cut off": (lambda lines, n: lines.pop(), "the export ends after"),
    "a line is no event": (lambda lines, n: lines[n].pop("sealed"), "no event"),
}


@needs_perl
@pytest.mark.parametrize("how", TAMPERED)
def test_a_tampered_export_is_caught(story: Cast, place: Path, export: Path, how: str) -> None:
    lines = [json.loads(line) for line in export.read_text().splitlines()]
    change, says = TAMPERED[how]
    change(lines, len(lines) - 3)  # the pause of Anna
    export.write_text("".join(json.dumps(line) + "\n" for line in lines))
    code, said = check(place, export)
    assert code == 1
    assert any(says in line for line in said), said


@needs_perl
def test_whoever_rewrites_the_database_is_caught_by_the_place(
    story: Cast, place: Path, tmp_path: Path
) -> None:
    """The owner changes an event, mends the chain, and signs a checkpoint of it with our key."""
    last = LogEntry.objects.order_by("-position")[0].event
    with rules_off("consents_consentevent", "consents_logcheckpoint"):
        as_owner(
            "update consents_consentevent set kind = 'paused' where id = %s",
            [last.pk],
        )
    call_command("export_evidence", str(tmp_path / "new.jsonl"))
    lines = [json.loads(line) for line in (tmp_path / "new.jsonl").read_text().splitlines()]
    resealed(lines, len(lines) - 1, lambda text: text)
    tree = Tree()
    for line in lines:
        tree.add(bytes.fromhex(line["seal"]))
    forged = signed_note.write(signed_note.Checkpoint(tree.size, tree.root))
    (place / "forged.checkpoint").write_text(forged)
    (tmp_path / "new.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    code, said = check(place, tmp_path / "new.jsonl")
    assert code == 1
    assert len(said) == 2
    assert f"the first {tree.size} events are not those of this checkpoint" in said[0]


@needs_perl
def test_a_forged_or_missing_checkpoint_is_said(story: Cast, place: Path, export: Path) -> None:
    newest = max(place.glob("*.checkpoint"))
    text = newest.read_text()
    root = text.split("\n")[2]
    newest.write_text(text.replace(root, base64.b64encode(random.randbytes(32)).decode()))
    assert check(place, export)[1][0] == f"{newest.name}: not signed by a key in this folder"
    for path in place.glob("*.checkpoint"):
        path.unlink()
    assert check(place, export)[1][0] == f"no checkpoint in {place}"
