"""Ledgerly, the demo software, from connect to refusal, in every situation of the contract."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from consents.models import Consent
from tests import factories
from tests.conftest import ROOT, Cast, free_port, running_portal
from tests.factories import acting, allow

CODA_LINE = b"0" + b" " * 127 + b"\r\n"


@pytest.fixture
def ledgerly_site(people: Cast, tmp_path: Path) -> Iterator[httpx.Client]:
    """The software on a port of its own, beside a portal in demo mode."""
    port = free_port()
    base = f"http://localhost:{port}"
    partner = factories.make_partner("Ledgerly", redirects=[f"{base}/callback"])
    name, secret = factories.make_application(partner)
    with running_portal(tmp_path, PORTAL_DEMO="1", PORTAL_SOFTWARE_URL=base) as portal:
        told = {
            "portal": portal,
            "api": f"{portal}/codabox-connect",
            "offices": [
                {
                    "name": people.janssens.name,
                    "companyNumber": people.janssens.company_number,
                    "slug": people.janssens.slug,
                    "clients": [
                        {"companyNumber": people.bakery.company_number, "name": people.bakery.name}
                    ],
                }
            ],
            "partners": [
                {"clientId": name, "clientSecret": secret, "redirectUris": [f"{base}/callback"]}
            ],
        }
        (tmp_path / "demo.json").write_text(json.dumps(told))
        environment = os.environ | {
            "PORTAL_DEMO_JSON": str(tmp_path / "demo.json"),
            "PORTAL_SOFTWARE_STATE": str(tmp_path / "software.json"),
            "PORTAL_URL": portal,
        }
        command = [str(Path(sys.executable).parent / "granian"), "--interface", "wsgi"]
        command += ["demo.software.app:application", "--host", "127.0.0.1", "--port", str(port)]
        process = subprocess.Popen([*command, "--blocking-threads", "8"], cwd=ROOT, env=environment)
        try:
            with httpx.Client(base_url=base, timeout=30) as site:
                _wait(site)
                yield site
        finally:
            process.terminate()
            process.wait(20)


def _wait(site: httpx.Client) -> None:
    for _ in range(100):
        try:
            assert site.get("/").status_code == 200
            return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError("Ledgerly did not start")


def press(site: httpx.Client, path: str, page: str) -> httpx.Response:
    """Press the button of a form on a page, as a browser does."""
    form = site.get(page).text
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', form)
    assert token is not None
    return site.post(path, data={"csrfmiddlewaretoken": token[1]}, headers={"Referer": page})


def test_every_situation_shows_what_the_api_answers(
    people: Cast, ledgerly_site: httpx.Client
) -> None:
    number = people.janssens.company_number
    office = f"/offices/{number}"
    expected = {
        "normal": ["confirmed"],
        "waiting": ["unconfirmed", "403 consentNotConfirmed"],
        "denied": ["denied", "403 consentNotConfirmed", "429 tooManyRequests"],
        "lapsed": ["unconfirmed", "403 consentNotConfirmed"],
        "cancelled": ["cancelled", "403 consentNotConfirmed"],
        "long_download": ["confirmed", "Broken off", "is thrown away"],
        "paused": ["403 consentPaused"],
        "suspended": ["403 partnerSuspended"],
        "throttled": ["429 tooManyRequests"],
        "broken": ["500 internalError"],
    }
    for name, words in expected.items():
        answer = press(ledgerly_site, f"{office}/sandbox/{name}", f"{office}/sandbox")
        assert answer.status_code == 200, name
        for word in words:
            assert word in answer.text, (name, answer.text)
    answer = press(ledgerly_site, f"{office}/sandbox/normal", f"{office}/sandbox")
    assert "internalError" not in answer.text


def test_connect_statements_cancel_refused(people: Cast, ledgerly_site: httpx.Client) -> None:
    number = people.janssens.company_number
    answer = press(ledgerly_site, f"/offices/{number}/connect", "/")
    assert answer.status_code == 302
    uuid = answer.headers["Location"].rsplit("/", 1)[-1]
    consent = Consent.objects.select_related("office", "partner").get(uuid=uuid)
    assert "Waiting for the office" in ledgerly_site.get(f"/offices/{number}/result").text
    allow(consent, people.an)
    back = f"/callback?accountingOfficeConsentId={uuid}&state={consent.state}"
    assert ledgerly_site.get(back).headers["Location"] == f"/offices/{number}/result"
    assert ledgerly_site.get("/callback?state=guessed").status_code == 400
    assert "Connected" in ledgerly_site.get(f"/offices/{number}/result").text
    assert ledgerly_site.get(f"/offices/{number}").status_code == 200
    consent.cancel(acting(people.an))
    refused = ledgerly_site.get(f"/offices/{number}").text
    assert "403 consentNotConfirmed" in refused


@pytest.mark.parametrize(
    ("secret", "form", "status"),
    [
        ("wrong", {"situation": "normal"}, 401),
        (None, {"situation": "nowhere"}, 400),
        (None, {"situation": "normal", "office": "0100000000"}, 400),
    ],
)
def test_the_sandbox_needs_the_credentials_of_the_software(
    people: Cast,
    ledgerly_site: httpx.Client,
    tmp_path: Path,
    secret: str | None,
    form: dict,
    status: int,  # type: ignore[type-arg]
) -> None:
    told = json.loads((tmp_path / "demo.json").read_text())
    me = told["partners"][0]
    answer = httpx.post(
        f"{told['portal']}/demo/situations",
        data=form,
        auth=(me["clientId"], secret or me["clientSecret"]),
    )
    assert answer.status_code == status


def test_outside_the_demo_there_is_no_sandbox(portal: str) -> None:
    assert httpx.post(f"{portal}/demo/situations").status_code == 404
