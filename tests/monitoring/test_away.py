"""What breaks when a part is away, row by row of docs/operations/monitoring.md, where no other test shows it."""

from __future__ import annotations

import re
import time
from pathlib import Path

import httpx
from django.db import connection

from consents.access import AccessContext
from consents.models import Consent, Status
from documents.access_log import Reader, record
from documents.models import Outcome
from mailer.models import OutgoingEmail
from tests import factories
from tests.conftest import ROOT, Cast, Software, free_port, running_portal
from tests.factories import CODA, PASSWORD, allow
from tests.monitoring.test_logs import post, token_in


def test_without_redis_people_log_in_and_stop_an_access(people: Cast, tmp_path: Path) -> None:
    allow(people.consent, people.anna)
    nobody = f"redis://127.0.0.1:{free_port()}/0"
    with (
        running_portal(tmp_path, REDIS_URL=nobody) as url,
        httpx.Client(base_url=url, timeout=30) as http,
    ):
        wrong = post(http, "/accounts/login/", login=people.anna.email, password="wrong")
        assert wrong.status_code == 200
        answer = post(http, "/accounts/login/", login=people.anna.email, password=PASSWORD)
        assert answer.status_code == 302
        path = f"/offices/{people.janssens.slug}/consents/{people.consent.uuid}"
        page = http.get(f"{path}/cancel", follow_redirects=True)
        assert page.status_code == 200
        began = time.monotonic()
        token = {"csrfmiddlewaretoken": token_in(page.text), "understood": "on"}
        assert http.post(f"{path}/cancel", data=token).status_code == 303
        assert time.monotonic() - began < 10
        answer = post(http, "/accounts/password/reset/", email=people.anna.email)
        assert answer.status_code == 302
        assert http.get("/health/ready").status_code == 200
        assert "portal_redis_up 0.0" in http.get("/metrics").text
    assert people.fresh().status == Status.CANCELLED
    assert (
        OutgoingEmail.objects.open()
        .filter(recipient=people.anna.email, message="password_reset")
        .exists()
    )


def test_without_the_storage_lists_are_served_and_a_file_is_told_to_be_lost(
    people: Cast, tmp_path: Path
) -> None:
    allow(people.consent, people.anna)
    document = factories.make_document(people.bakery, contents={CODA: b"0" * 128})
    number = people.bakery.company_number
    with running_portal(tmp_path, PORTAL_STORAGE=str(tmp_path / "unmounted")) as url:
        ledgerly = Software(url, people.ledgerly)
        assert ledgerly.search(people.janssens, [number]).status_code == 201
        assert ledgerly.document(people.janssens, number, document.uuid).status_code == 200
        lost = ledgerly.document(people.janssens, number, document.uuid, accept=CODA)
        assert lost.status_code == 500
        assert lost.json()["errors"][0]["code"] == "internalError"
        ledgerly.http.close()


def test_every_row_of_the_table_names_a_test_that_exists() -> None:
    text = (ROOT / "docs" / "operations" / "monitoring.md").read_text()
    table = text.partition("## When a part is away")[2].partition("\n## ")[0]
    rows = [line.split(" | ") for line in table.splitlines() if line.startswith("| ")][2:]
    away = [row[0].strip("| ") for row in rows]
    parts = ["database", "Redis", "worker", "beat", "mail server", "receiver", "storage", "nginx"]
    assert away == parts
    for row in rows:
        shown = re.findall(r"`(tests/[\w/]+\.py)`", row[-1])
        assert shown, row
        assert all((ROOT / path).exists() for path in shown), row


def test_what_the_docs_say_of_a_pooler_holds_here(cast: Cast) -> None:
    """Few statements are prepared, those of the API's look-ups; a pooler keeps 100."""
    factories.make_application(cast.ledgerly)
    credential = cast.ledgerly.applications.get().pk
    reader = Reader(cast.janssens.pk, cast.consent.pk, credential)
    for size in (1, 100_000, 3_000_000_000):
        record(reader, Outcome.SERVED, media_type="x", size=size)
        AccessContext.of(cast.consent.pk)
        list(Consent.objects.filter(office=cast.janssens))
    with connection.cursor() as cursor:
        cursor.execute("select statement from pg_prepared_statements")
        prepared = [statement for (statement,) in cursor.fetchall()]
    known = ("documents_documentread", "accounts_office o")
    assert 2 <= len(prepared) < 20
    assert all(any(name in statement for name in known) for statement in prepared)
