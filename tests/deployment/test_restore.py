"""A backup of yesterday is restored: what ended since then stays ended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client as Browser

from consents import ended
from consents.models import Consent, Status
from tests import factories
from tests.conftest import Cast
from tests.factories import acting, allow


@pytest.fixture(autouse=True)
def _file(settings: Any, tmp_path: Path) -> None:
    settings.PORTAL_ENDED_FILE = str(tmp_path / "outside" / "ended.txt")
    ended._came_back.cache_clear()


def restore(consent: Consent) -> None:
    """What a backup of before the cancel has: the same consent, allowed."""
    allowed = factories.make_request(consent.office, consent.partner)
    allow(allowed, factories.make_person("Bea", consent.office))
    ended.write_down(allowed.uuid)
    consent.uuid = allowed.uuid


def test_every_cancel_is_on_the_disk_after_its_commit(cast: Cast, commits: None) -> None:
    allow(cast.consent, cast.an)
    assert ended.written_down() == set()
    cast.fresh().cancel(acting(cast.an))
    assert ended.written_down() == {cast.consent.uuid}
    assert ended.ended_file().stat().st_mode & 0o077 == 0


def test_what_a_killed_process_left_out_is_added_once(cast: Cast) -> None:
    allow(cast.consent, cast.an)
    cast.fresh().cancel(acting(cast.an))  # its commit never comes here
    assert ended.written_down() == set()
    assert ended.write_down_missing() >= 1
    assert cast.consent.uuid in ended.written_down()
    assert ended.write_down_missing() == 0


def test_a_restored_backup_revives_nothing_and_is_not_ready_before(
    cast: Cast, client: Browser, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = factories.make_request(cast.janssens, cast.tally)
    allow(kept, cast.an)
    assert client.get("/health/ready").status_code == 200
    ended._came_back.cache_clear()
    restore(cast.consent)
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.content) == (503, b"manage.py end_again waits\n")
    call_command("end_again")
    assert "1 ended again" in capsys.readouterr().out
    consent = Consent.objects.get(uuid=cast.consent.uuid)
    assert consent.status == Status.CANCELLED
    assert consent.access() == "consentNotConfirmed"
    event = consent.events.get(kind="cancelled")
    assert (event.actor_kind, event.actor_name, event.reason) == (
        *("operator", "Restore", ended.REASON),
    )
    assert client.get("/health/ready").status_code == 200
    kept.refresh_from_db()
    assert kept.status == Status.ALLOWED
    call_command("end_again")
    assert "0 ended again" in capsys.readouterr().out


def test_a_line_that_was_cut_in_half_says_nothing(cast: Cast) -> None:
    ended.write_down(cast.consent.uuid)
    with ended.ended_file().open("a") as file:
        file.write("2026-11-24T12:00:00+00:00 1234")
    assert ended.written_down() == {cast.consent.uuid}
    other = factories.make_request(cast.janssens, cast.tally)
    ended.write_down(other.uuid)
    assert ended.written_down() == {cast.consent.uuid, other.uuid}
