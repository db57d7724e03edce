"""Django's PostgreSQL backend: a health check without a round trip, and prepared look-ups."""

from __future__ import annotations

import select
from threading import Lock
from typing import Any
from weakref import WeakSet

from django.db.backends.postgresql import base

# Where calls may wait, a process has more threads than this; each would keep a connection.
KEPT = 32
_opened: WeakSet[Any] = WeakSet()
_lock = Lock()


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        opened = super().get_new_connection(conn_params)
        with _lock:
            _opened.add(opened)
        return opened

    def close_if_unusable_or_obsolete(self) -> None:
        """Keep a connection after a call only where not too many threads keep theirs."""
        super().close_if_unusable_or_obsolete()
        # Most processes never have so many, and this is asked twice for each call.
        if len(_opened) <= KEPT or self.connection is None or self.in_atomic_block:
            return
        with _lock:
            are_open = sum(not opened.closed for opened in _opened)
        if are_open > KEPT:
            self.close()

    def get_connection_params(self) -> dict[str, Any]:
        """Let psycopg prepare what core.prepared_sql sends; Django's own cursors never do."""
        params: dict[str, Any] = super().get_connection_params()
        return params | {"prepare_threshold": 0}

    def is_usable(self) -> bool:
        """Look whether the server hung up: a line that is closed has something to read.

        Django sends `SELECT 1` in front of each request's first statement, which costs as much
        as the statement itself on the hot path.
        """
        if self.connection is None or self.connection.closed:
            return False
        poll = select.poll()
        poll.register(self.connection.fileno(), select.POLLIN)
        return not poll.poll(0)
