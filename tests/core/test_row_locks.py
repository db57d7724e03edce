"""Several rows are locked in one order: whoever waits for the first has none of the others."""

from __future__ import annotations

import threading
import time

import pytest
from django.db import connection, transaction

from accounts.models import Office
from core.locks import Lock, hold
from tests import factories

pytestmark = pytest.mark.requirement(106)


def test_several_rows_are_locked_by_ascending_identifier(committed: None) -> None:
    first, second = sorted(factories.make_office("Janssens").pk for _ in range(2))
    pids: list[int] = []

    def hold_both() -> None:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("select pg_backend_pid()")
                pids.append(cursor.fetchone()[0])
            hold(Office, second, first, lock=Lock.CHANGE)
        connection.close()

    waiting = threading.Thread(target=hold_both)
    with transaction.atomic(), connection.cursor() as cursor:
        hold(Office, first, lock=Lock.CHANGE)
        waiting.start()
        end = time.monotonic() + 60
        while not pids or not _waits(pids[0]):
            assert time.monotonic() < end
            time.sleep(0.01)
        cursor.execute(
            "select id from accounts_office where id = %s for no key update skip locked", [second]
        )
        assert cursor.fetchall() == [(second,)]
    waiting.join(60)
    assert not waiting.is_alive()


def _waits(pid: int) -> bool:
    """Whether the session of this process waits for a lock."""
    with connection.cursor() as cursor:
        cursor.execute("select cardinality(pg_blocking_pids(%s)) > 0", [pid])
        return bool(cursor.fetchone()[0])
