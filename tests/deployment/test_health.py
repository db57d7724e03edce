"""What load balancers ask: alive, and ready for requests."""

from __future__ import annotations

import httpx
import pytest
from django.test import Client as Browser

from monitoring import health
from tests.owner import as_owner


def test_a_running_portal_is_alive_and_ready(portal: str) -> None:
    for path, said in (("live", "alive"), ("ready", "ready")):
        answer = httpx.get(f"{portal}/health/{path}")
        assert (answer.status_code, answer.text.strip()) == (200, said)
        assert answer.headers["Cache-Control"] == "no-store"
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("host", ["10.1.2.3:8000", "[2001:db8::1]", "load-balancer.internal", "_"])
def test_a_load_balancer_asks_by_address_and_everybody_else_by_name(portal: str, host: str) -> None:
    for path in ("live", "ready"):
        answer = httpx.get(f"{portal}/health/{path}", headers={"Host": host})
        assert answer.status_code == 200, answer.text
    assert httpx.post(f"{portal}/health/live", headers={"Host": host}).status_code == 405
    assert httpx.get(f"{portal}/accounts/login/", headers={"Host": host}).status_code == 400


@pytest.mark.django_db
def test_code_that_is_ahead_of_its_database_gets_no_requests(client: Browser) -> None:
    health.migrations_that_wait.cache_clear()
    as_owner(
        "delete from django_migrations where app = 'consents' and name ="
        " (select max(name) from django_migrations where app = 'consents')"
    )
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.content) == (503, b"migrations wait\n")
    assert client.get("/health/live").status_code == 200
    health.migrations_that_wait.cache_clear()
