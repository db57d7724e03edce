"""connect-api section 7: a database that goes away costs a moment, never a wrong answer."""

from __future__ import annotations

from django.db import connection

from tests.conftest import Cast, Software


def test_a_lost_database_connection_is_no_crash(people: Cast, ledgerly: Software) -> None:
    path = f"/accounting-office-consents/{people.consent.uuid}"
    assert ledgerly.call("GET", path).status_code == 200
    with connection.cursor() as cursor:
        cursor.execute(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()"
        )
        assert cursor.fetchone()[0] > 0
    for _ in range(80):
        answer = ledgerly.call("GET", path)
        assert answer.status_code in (200, 503)
        if answer.status_code == 503:
            assert answer.json()["errors"][0]["code"] == "temporarilyUnavailable"
            assert int(answer.headers["Retry-After"]) > 0
            assert answer.headers["ibanity-request-id"]
    assert answer.status_code == 200
