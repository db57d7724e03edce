"""What load balancers ask: alive, and ready for requests."""

from __future__ import annotations

import httpx
import pytest
from django.db import connection
from django.test import Client as Browser

from codabox_portal import health


def test_a_running_portal_is_alive_and_ready(portal: str) -> None:
    for path, said in (("live", "alive"), ("ready", "ready")):
        answer = httpx.get(f"{portal}/health/{path}")
        assert (answer.status_code, answer.text.strip()) == (200, said)
        assert answer.headers["Cache-Control"] == "no-store"
        assert "set-cookie" not in answer.headers


@pytest.mark.django_db
def test_code_that_is_ahead_of_its_database_gets_no_requests(client: Browser) -> None:
    health._migrations_that_wait.cache_clear()
    with connection.cursor() as cursor:
        cursor.execute(
            "delete from django_migrations where app = 'consents' and name ="
            " (select max(name) from django_migrations where app = 'consents')"
        )
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.content) == (503, b"migrations wait\n")
    assert client.get("/health/live").status_code == 200
    health._migrations_that_wait.cache_clear()
