"""Django's PostgreSQL backend: a health check without a round trip, and prepared look-ups."""

from __future__ import annotations

import select
from typing import Any

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    def get_connection_params(self) -> dict[str, Any]:
        """Let psycopg prepare what accounts.queries sends; Django's own cursors never do."""
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
