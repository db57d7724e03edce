"""Mutual TLS as an option of the deployment: the proxy passes the fingerprint, nobody else can."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from partners.models import ClientCertificate
from tests import factories
from tests.conftest import Cast, running_portal

pytestmark = pytest.mark.requirement(42)


FINGERPRINT = "ab" * 20
HEADER = "X-Client-Certificate-Fingerprint"


@pytest.fixture(scope="module", params=["127.0.0.0/8"])
def guard(
    request: pytest.FixtureRequest,
    django_db_setup: None,
    django_db_blocker: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """A portal that asks for certificates, which a proxy of this network vouches for."""
    folder = tmp_path_factory.mktemp("guarded")
    with (
        django_db_blocker.unblock(),
        running_portal(folder, PORTAL_CERTIFICATE_PROXIES=request.param) as url,
    ):
        yield url


@pytest.fixture
def guarded(guard: str, people: Cast) -> Iterator[httpx.Client]:
    """A client of that portal with Ledgerly's secret."""
    ClientCertificate.objects.create(partner=people.ledgerly, fingerprint=FINGERPRINT)
    name, secret = factories.make_application(people.ledgerly)
    with httpx.Client(base_url=f"{guard}/codabox-connect") as client:
        word = base64.b64encode(f"{name}:{secret}".encode()).decode()
        client.headers["Authorization"] = f"Basic {word}"
        yield client


def token(client: httpx.Client, fingerprint: str | None) -> httpx.Response:
    headers = {HEADER: fingerprint} if fingerprint else {}
    form = {"grant_type": "client_credentials"}
    return client.post("/oauth2/token", data=form, headers=headers)


def test_the_registered_certificate_may_call(guarded: httpx.Client, people: Cast) -> None:
    answer = token(guarded, FINGERPRINT)
    assert answer.status_code == 200
    bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    path = f"/accounting-office-consents/{people.consent.uuid}"
    as_written = ":".join(FINGERPRINT.upper()[n : n + 2] for n in range(0, 40, 2))
    for fingerprint, status in [
        (FINGERPRINT, 200),
        (as_written, 200),
        ("cd" * 20, 401),
        ("", 401),
        ("'; drop table", 401),
    ]:
        answer = guarded.get(path, headers=bearer | {HEADER: fingerprint})
        assert answer.status_code == status, fingerprint
        if status == 401:
            assert answer.json()["errors"][0]["code"] == "unauthorized"
            assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("fingerprint", [None, "cd" * 20])
def test_a_secret_without_its_certificate_gets_no_token(
    guarded: httpx.Client, fingerprint: str | None
) -> None:
    answer = token(guarded, fingerprint)
    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_client"


@pytest.mark.parametrize("guard", ["192.0.2.0/24"], indirect=True)
def test_a_fingerprint_from_anybody_but_the_proxy_is_refused(guarded: httpx.Client) -> None:
    assert token(guarded, FINGERPRINT).status_code == 401


def test_without_mutual_tls_the_header_says_nothing(portal: str, people: Cast) -> None:
    name, secret = factories.make_application(people.ledgerly)
    answer = httpx.post(
        f"{portal}/codabox-connect/oauth2/token",
        data={"grant_type": "client_credentials"},
        auth=(name, secret),
        headers={HEADER: "cd" * 20},
    )
    assert answer.status_code == 200
