"""A backup of yesterday is restored: what an office stopped since then stays stopped."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client as Browser

from consents import ended_register, restore_guard
from consents.ended_register import Line, register_file, registered
from consents.models import Block, Consent, ListedClient, Status
from consents.models.block import block, unblock
from consents.scope import ScopeChange, change_scope, clients_in_scope
from tests import factories
from tests.conftest import Cast
from tests.factories import acting, allow

pytestmark = pytest.mark.requirement(94, 115)


@pytest.fixture(autouse=True)
def _file(settings: Any, tmp_path: Path) -> Iterator[None]:
    """A register of its own, in which stands what earlier tests left in this database."""
    settings.PORTAL_ENDED_CONSENTS_FILE = str(tmp_path / "outside" / "ended.txt")
    restore_guard._reason.cache_clear()
    yield
    restore_guard._reason.cache_clear()


@pytest.fixture
def clean(cast: Cast) -> None:
    """What other tests of this session stopped is in this register too."""
    restore_guard.reapply_cancellations(register_is_lost=True)


def ended() -> set[str]:
    return {line.consent for line in registered() if line.kind == "cancelled"}


def a_line(consent: Consent, kind: str, **state: Any) -> Line:
    """What stands in the register of an event that the restored database does not know."""
    return Line(
        at="2999-01-01T00:00:00.000000+00:00",
        kind=kind,
        event=str(uuid4()),
        consent=str(consent.uuid),
        office=str(consent.office.uuid),
        partner=str(consent.partner.uuid),
        state=state,
    )


def ready(browser: Browser) -> tuple[int, str]:
    restore_guard._reason.cache_clear()
    answer = browser.get("/health/ready")
    return answer.status_code, answer.content.decode().strip()


def an_hour_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """No killed process explains any more what the register does not say."""
    monkeypatch.setattr(restore_guard, "GRACE", timedelta(minutes=-1))


def test_every_cancel_is_on_the_disk_after_its_commit(cast: Cast, commits: None) -> None:
    allow(cast.consent, cast.anna)
    assert ended() == set()
    cast.fresh().cancel(acting(cast.anna))
    assert ended() == {str(cast.consent.uuid)}
    assert register_file().stat().st_mode & 0o077 == 0


def test_what_a_killed_process_left_out_is_added_once(cast: Cast, clean: None) -> None:
    allow(cast.consent, cast.anna)
    cast.fresh().cancel(acting(cast.anna))  # its commit never comes here
    assert str(cast.consent.uuid) not in ended()
    assert restore_guard.register_missing() == 1
    assert str(cast.consent.uuid) in ended()
    assert restore_guard.register_missing() == 0


def test_a_register_that_cannot_be_read_keeps_the_portal_closed(
    cast: Cast, settings: Any, tmp_path: Path, client: Browser
) -> None:
    allow(cast.consent, cast.anna)
    settings.PORTAL_ENDED_CONSENTS_FILE = str(tmp_path)
    status, said = ready(client)
    assert (status, said) == (503, restore_guard.UNREADABLE)
    assert restore_guard.has_revived_consents()


def test_a_restored_backup_revives_nothing_and_is_not_ready_before(
    cast: Cast, clean: None, client: Browser, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = factories.make_request(cast.janssens, cast.tally)
    allow(kept, cast.anna)
    allow(cast.consent, cast.anna)
    assert ready(client)[0] == 200
    ended_register.register(a_line(cast.consent, "cancelled"))
    assert ready(client) == (503, "manage.py reapply_cancellations must run first")
    call_command("reapply_cancellations")
    assert capsys.readouterr().out == "1 cancelled again\n"
    consent = cast.fresh()
    assert consent.status == Status.CANCELLED
    assert consent.access() == "consentNotConfirmed"
    event = consent.events.get(kind="cancelled")
    assert (event.actor_kind, event.actor_name, event.reason) == (
        *("operator", "Restore", restore_guard.REASON),
    )
    assert ready(client)[0] == 200
    kept.refresh_from_db()
    assert kept.status == Status.ALLOWED
    call_command("reapply_cancellations")
    assert capsys.readouterr().out == "0 cancelled again\n"


def test_a_request_that_was_allowed_and_cancelled_meanwhile_does_not_wait_again(
    cast: Cast, clean: None
) -> None:
    ended_register.register(a_line(cast.consent, "cancelled"))
    assert restore_guard.reapply_cancellations()["end"] == 1
    assert cast.fresh().closed_at is not None


def test_a_line_that_was_cut_in_half_says_nothing(cast: Cast) -> None:
    first, second = a_line(cast.consent, "cancelled"), a_line(cast.consent, "paused", until=None)
    ended_register.register(first)
    with register_file().open("a") as file:
        file.write('{"at":"2026-11-24T12:00:00+00:00","ki')
    assert registered() == [first]
    ended_register.register(second)
    assert registered() == [first, second]


STOPS: dict[str, tuple[Callable[[Cast], Any], Callable[[Cast], bool]]] = {
    "paused": (
        lambda cast: cast.fresh().pause(acting(cast.anna)),
        lambda cast: cast.fresh().paused_at is not None,
    ),
    "a company left out": (
        lambda cast: change_scope(
            cast.fresh(), acting(cast.anna), ScopeChange(clients_out=(cast.bakery.pk,))
        ),
        lambda cast: not clients_in_scope(cast.fresh()).filter(pk=cast.bakery.pk).exists(),
    ),
    "a kind left out": (
        lambda cast: change_scope(
            cast.fresh(), acting(cast.anna), ScopeChange(kinds_out=("purchaseInvoice",))
        ),
        lambda cast: cast.fresh().excluded_kinds == ["purchaseInvoice"],
    ),
    "no new companies": (
        lambda cast: change_scope(cast.fresh(), acting(cast.anna), ScopeChange(new_clients=False)),
        lambda cast: cast.fresh().allowlist_mode,
    ),
    "blocked": (
        lambda cast: block(cast.fresh(), acting(cast.anna)),
        lambda cast: Block.objects.filter(office=cast.janssens).exists(),
    ),
}


@pytest.mark.parametrize("stop", STOPS)
def test_what_anna_stopped_after_the_dump_is_stopped_again(
    cast: Cast, clean: None, commits: None, client: Browser, stop: str
) -> None:
    """The dump is a savepoint here: going back to it is what a restore does, to every table."""
    do, holds = STOPS[stop]
    restore_guard.reapply_cancellations(register_is_lost=True)
    allow(cast.consent, cast.anna)
    with connection.cursor() as cursor:
        cursor.execute("savepoint dump")
        do(cast)
        assert holds(cast)
        cursor.execute("rollback to savepoint dump")
    assert not holds(cast)
    assert ready(client) == (503, restore_guard.NOT_APPLIED)
    assert sum(restore_guard.reapply_cancellations().values()) == 1
    assert holds(cast)
    assert ready(client)[0] == 200
    assert sum(restore_guard.reapply_cancellations().values()) == 0


def test_more_than_the_backup_gives_is_not_given_again(
    cast: Cast, clean: None, commits: None, client: Browser
) -> None:
    """Whoever resumes, shares more or unblocks does so with words that the dump does not have."""
    restore_guard.reapply_cancellations(register_is_lost=True)
    allow(cast.consent, cast.anna)
    cast.fresh().pause(acting(cast.anna))
    change_scope(cast.fresh(), acting(cast.anna), ScopeChange(clients_out=(cast.bakery.pk,)))
    block(cast.fresh(), acting(cast.anna))
    with connection.cursor() as cursor:
        cursor.execute("savepoint dump")
        cast.fresh().resume(acting(cast.anna))
        wider = ScopeChange(clients_in=(cast.bakery.pk,))
        change_scope(cast.fresh(), acting(cast.anna), wider, factories.terms_in_force())
        unblock(cast.fresh(), acting(cast.anna))
        cursor.execute("rollback to savepoint dump")
    assert ready(client)[0] == 200
    assert sum(restore_guard.reapply_cancellations().values()) == 0
    assert cast.fresh().paused_at is not None
    assert ListedClient.objects.filter(client=cast.bakery).exists()
    assert Block.objects.filter(office=cast.janssens).exists()


def test_a_lost_register_keeps_the_portal_closed_until_dirk_says_so(
    cast: Cast,
    clean: None,
    client: Browser,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    allow(cast.consent, cast.anna)
    cast.fresh().cancel(acting(cast.anna))
    an_hour_later(monkeypatch)
    register_file().unlink(missing_ok=True)
    assert ready(client) == (503, restore_guard.MISSING)
    assert restore_guard.register_missing() == 0  # the worker does not make it look whole
    with pytest.raises(CommandError, match="the register of ended consents is missing"):
        call_command("reapply_cancellations")
    assert ready(client)[0] == 503
    call_command("reapply_cancellations", "--register-is-lost")
    assert capsys.readouterr().out == "0 cancelled again\n"
    assert ready(client)[0] == 200
    assert str(cast.consent.uuid) in ended()


def test_a_register_older_than_the_database_keeps_the_portal_closed(
    cast: Cast, clean: None, client: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended_register.register(a_line(cast.consent, "resumed"))
    allow(cast.consent, cast.anna)
    cast.fresh().cancel(acting(cast.anna))
    assert ready(client)[0] == 200  # a killed process: the worker adds it within a minute
    an_hour_later(monkeypatch)
    assert ready(client) == (503, restore_guard.OLDER)
    restore_guard.reapply_cancellations(register_is_lost=True)
    assert ready(client)[0] == 200


def test_the_register_of_another_portal_keeps_the_portal_closed(
    cast: Cast, client: Browser
) -> None:
    line = a_line(cast.consent, "cancelled")._replace(office=str(uuid4()))
    register_file().parent.mkdir(parents=True)
    register_file().write_text(json.dumps(line._asdict()) + "\n")
    assert ready(client)[0] == 503
    assert ready(client)[1] in (restore_guard.FOREIGN, restore_guard.OLDER)
