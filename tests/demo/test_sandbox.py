"""Ledgerly, the demo software, from connect to refusal, in every situation of the contract."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from accounts.models import Membership
from consents.models import Consent
from tests import factories
from tests.conftest import ROOT, Cast, free_port, running_portal
from tests.factories import acting, allow

CODA_LINE = b"0" + b" " * 127 + b"\r\n"


class Demo(NamedTuple):
    """A portal in demo mode, and the address at which it looks for the software."""

    portal: str
    software: str


@pytest.fixture(scope="module")
def demo(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Demo]:
    software = f"http://localhost:{free_port()}"
    with (
        django_db_blocker.unblock(),
        running_portal(
            tmp_path_factory.mktemp("demo"), PORTAL_DEMO="1", PORTAL_DEMO_SOFTWARE_URL=software
        ) as portal,
    ):
        yield Demo(portal, software)


@pytest.fixture
def told(people: Cast, demo: Demo) -> dict[str, Any]:
    """What the demo tells the software: where it is, its secret, and the offices."""
    callback = f"{demo.software}/callback"
    name, secret = factories.make_application(
        factories.make_partner("Ledgerly", redirects=[callback])
    )
    client = {"companyNumber": people.bakery.company_number, "name": people.bakery.name}
    office = {
        "name": people.janssens.name,
        "companyNumber": people.janssens.company_number,
        "slug": people.janssens.slug,
        "clients": [client],
    }
    return {
        "portal": demo.portal,
        "api": f"{demo.portal}/codabox-connect",
        "offices": [office],
        "partners": [{"clientId": name, "clientSecret": secret, "redirectUris": [callback]}],
    }


@contextmanager
def software_process(
    told: Path, address: str, portal: str, ready: int = 200
) -> Iterator[httpx.Client]:
    """The software at `address`, told by this file; its home page answers `ready` at first."""
    environment = os.environ | {
        "PORTAL_DEMO_JSON": str(told),
        "PORTAL_SOFTWARE_STATE": str(told.with_name("software.json")),
        "PORTAL_URL": portal,
    }
    port = address.rpartition(":")[2]
    command = [str(Path(sys.executable).parent / "granian"), "--interface", "wsgi"]
    command += ["demo.software.app:application", "--host", "127.0.0.1", "--port", port]
    process = subprocess.Popen([*command, "--blocking-threads", "8"], cwd=ROOT, env=environment)
    try:
        with httpx.Client(base_url=address, timeout=30) as site:
            _wait(site, ready)
            yield site
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def ledgerly_site(told: dict[str, Any], demo: Demo, tmp_path: Path) -> Iterator[httpx.Client]:
    """The software on a port of its own, beside the portal."""
    file = tmp_path / "demo.json"
    file.write_text(json.dumps(told))
    with software_process(file, demo.software, demo.portal) as site:
        yield site


def _wait(site: httpx.Client, ready: int) -> None:
    for _ in range(100):
        try:
            assert site.get("/").status_code == ready
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


def test_before_the_demo_is_there_the_software_says_that_it_is_loading(tmp_path: Path) -> None:
    """No page of a crash: 503, when to come back, and a page that comes back by itself."""
    file, number = tmp_path / "demo.json", "0403170701"
    portal, address = (f"http://localhost:{free_port()}" for _two in range(2))
    with software_process(file, address, portal, ready=503) as site:
        for half in ("", '{"offices": ['):
            if half:
                file.write_text(half)
            answer = site.get("/")
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
            assert "The demo is still loading" in answer.text
            assert 'http-equiv="refresh"' in answer.text
        office = {"name": "Janssens", "companyNumber": number, "slug": "janssens", "clients": []}
        partner = {"clientId": "a", "clientSecret": "b", "redirectUris": [f"{address}/callback"]}
        told = {"portal": portal, "api": portal, "offices": [office], "partners": [partner]}
        file.write_text(json.dumps(told))
        assert site.get("/").status_code == 200
        # The portal is not there yet; a form that was sent is not sent again by itself.
        answer = press(site, f"/offices/{number}/connect", "/")
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
        assert "The portal does not answer yet" in answer.text
        assert "refresh" not in answer.text


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
    allow(consent, people.anna)
    back = f"/callback?accountingOfficeConsentId={uuid}&state={consent.state}"
    assert ledgerly_site.get(back).headers["Location"] == f"/offices/{number}/result"
    assert ledgerly_site.get("/callback?state=guessed").status_code == 400
    assert "Connected" in ledgerly_site.get(f"/offices/{number}/result").text
    assert ledgerly_site.get(f"/offices/{number}").status_code == 200
    consent.cancel(acting(people.anna))
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
    told: dict[str, Any], secret: str | None, form: dict[str, str], status: int
) -> None:
    me = told["partners"][0]
    answer = httpx.post(
        f"{told['portal']}/demo/situations",
        data=form,
        auth=(me["clientId"], secret or me["clientSecret"]),
    )
    assert answer.status_code == status


def test_the_start_page_tells_who_can_log_in(people: Cast, demo: Demo) -> None:
    Membership.objects.get(office=people.janssens, user=people.bram).remove(people.anna)
    told = httpx.get(f"{demo.portal}/demo").text
    assert people.anna.email in told
    assert people.bram.email not in told


def test_outside_the_demo_there_is_no_sandbox(portal: str) -> None:
    assert httpx.post(f"{portal}/demo/situations").status_code == 404


def test_the_page_of_the_design_system_shows_every_colour(demo: Demo) -> None:
    page = httpx.get(f"{demo.portal}/demo/design")
    assert page.status_code == 200
    names = set(re.findall(r"<code>--([a-z-]+)</code>", page.text))
    assert {"primary", "refused", "text-xxl", "radius", "shadow"} <= names
    for part in ("btn-danger", "is-invalid", "chip", "status-closed", "health-bad", "notice-error"):
        assert part in page.text, part
