"""No back door: another version of HTTP, another name of the portal, another clock."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
import time_machine
from django.db.models import F
from django.db.models.functions import Now
from django.test import Client as Browser
from django.utils import timezone

from consents.models import Consent
from documents.models import Document
from tests import factories
from tests.conftest import Cast, Software, running_portal
from tests.factories import CODA, acting, allow

SECOND_NAME = "connect.second.example"
CONTENTS = b"0" * 1280


@pytest.fixture(scope="module")
def two_names(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A portal with a second host name."""
    folder = tmp_path_factory.mktemp("two-names")
    names = f"localhost,{SECOND_NAME}"
    with django_db_blocker.unblock(), running_portal(folder, PORTAL_HOSTS=names) as url:
        yield url


def path_of(cast: Cast, document: Document) -> str:
    company = f"{cast.janssens.uuid}/clients/{cast.bakery.company_number}"
    return f"/codabox-connect/accounting-offices/{company}/bank-account-statements/{document.uuid}"


def answer_to(url: str, request: bytes) -> bytes:
    """All that the portal says until it closes the connection."""
    said = b""
    with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=30) as line:
        line.sendall(request)
        while piece := line.recv(65_536):
            said += piece
    return said


@pytest.mark.requirement(4)
def test_neither_an_old_version_of_http_nor_a_second_name_serves_after_the_cancel(
    people: Cast, two_names: str
) -> None:
    allow(people.consent, people.anna)
    path = path_of(people, factories.make_document(people.bakery, contents={CODA: CONTENTS}))
    with httpx.Client(timeout=20) as http:
        token = Software(two_names, people.ledgerly, http).token
    tries = {
        f"{version} {name} {condition[:5]}": (
            f"GET {path} HTTP/{version}\r\nHost: {name}\r\nConnection: close\r\n"
            f"Accept: {CODA}\r\nAuthorization: Bearer {token}\r\n{condition}\r\n"
        ).encode()
        for version in ("1.0", "1.1")
        for name in ("localhost", SECOND_NAME)
        for condition in ("", "Range: bytes=0-9\r\n", "If-None-Match: *\r\n")
    }
    before = {name: answer_to(two_names, request) for name, request in tries.items()}
    good = (b"200", b"206", b"304")
    assert [name for name, answer in before.items() if answer.split()[1] not in good] == []
    assert sum(CONTENTS[:10] in answer for answer in before.values()) >= 8
    people.fresh().cancel(acting(people.anna))
    for name, request in tries.items():
        answer = answer_to(two_names, request)
        assert answer.split()[1] == b"403", name
        assert CONTENTS[:10] not in answer


@pytest.mark.requirement(6)
@pytest.mark.parametrize("hours", [-1, 1])
def test_a_web_process_an_hour_off_opens_and_closes_nothing(cast: Cast, hours: int) -> None:
    """Every moment is half an hour away by the clock of the database, which alone counts."""
    allow(cast.consent, cast.anna)
    path = path_of(cast, factories.make_document(cast.bakery, contents={CODA: CONTENTS}))
    identifier, secret = factories.make_application(cast.ledgerly)
    form = {"grant_type": "client_credentials", "client_id": identifier, "client_secret": secret}
    token = Browser().post("/codabox-connect/oauth2/token", form).json()["access_token"]
    soon, just_over = Now() + timedelta(minutes=30), Now() - timedelta(minutes=30)
    never = {"paused_at": None, "paused_until": None, "accept_terms_by": None}
    paused = {**never, "paused_at": F("requested_at")}

    def status(**changes: Any) -> int:
        Consent.objects.filter(pk=cast.consent.pk).update(**changes)
        headers = {"authorization": f"Bearer {token}", "accept": CODA}
        return int(Browser().get(path, headers=headers).status_code)

    with time_machine.travel(timezone.now() + timedelta(hours=hours)):
        assert status(**never) == 200
        assert status(**{**paused, "paused_until": soon}) == 403
        assert status(**{**paused, "paused_until": just_over}) == 200
        assert status(**{**never, "accept_terms_by": soon}) == 200
        assert status(**{**never, "accept_terms_by": just_over}) == 403


@pytest.mark.requirement(6)
@pytest.mark.parametrize("hours", [-1, 1])
def test_a_request_lapses_by_the_clock_of_the_database_alone(cast: Cast, hours: int) -> None:
    anna = Browser()
    anna.force_login(cast.anna)
    page = f"/consent/{cast.consent.uuid}"
    shown = []
    for minutes in (30, -30):
        at = Now() + timedelta(minutes=minutes)
        Consent.objects.filter(pk=cast.consent.pk).update(lapses_at=at)
        with time_machine.travel(timezone.now() + timedelta(hours=hours)):
            shown.append('name="choice"' in anna.get(page).content.decode())
    assert shown == [True, False]
