"""Django's PostgreSQL backend, with a health check that costs no round trip."""

from __future__ import annotations

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
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
