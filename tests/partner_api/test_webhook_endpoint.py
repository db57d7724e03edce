"""A partner registers its webhook endpoint by the API, tries it, and needs nobody's help."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pytest_httpserver import HTTPServer
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from werkzeug import Request, Response

from notifications.models import WebhookEndpoint
from notifications.models.webhook_endpoint import OffReason
from partner_api.guide import FOLDER
from tests import factories
from tests.conftest import Cast, Software, running_portal

ENDPOINT = "/webhooks/endpoint"
URL = "https://software.example/hook"


def put(software: Software, **attributes: Any) -> httpx.Response:
    body = {"data": {"type": "webhookEndpoint", "attributes": attributes}}
    return software.call("PUT", ENDPOINT, json=body)


def attributes_of(answer: httpx.Response, status: int = 200) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()["data"]["attributes"]
    return found


def test_an_endpoint_is_registered_changed_and_removed(people: Cast, ledgerly: Software) -> None:
    assert ledgerly.call("GET", ENDPOINT).status_code == 404
    assert ledgerly.call("DELETE", ENDPOINT).status_code == 404
    created = put(ledgerly, url=URL)
    first = attributes_of(created, 201)
    assert (first["url"], first["state"], first["offReason"]) == (URL, "on", None)
    assert len(base64.b64decode(first["secret"].removeprefix("whsec_"))) == 32
    data = created.json()["data"]
    assert (data["type"], uuid.UUID(data["id"])) == (
        "webhookEndpoint",
        people.ledgerly.webhook_endpoint.uuid,
    )
    # The secret is shown once.
    without = {name: value for name, value in first.items() if name != "secret"}
    assert attributes_of(ledgerly.call("GET", ENDPOINT)) == without
    changed = attributes_of(put(ledgerly, url=f"{URL}/2", state="off"))
    assert changed == without | {"url": f"{URL}/2", "state": "off", "offReason": "partner"}
    assert attributes_of(put(ledgerly, url=URL, state=None)) == without
    assert ledgerly.call("DELETE", ENDPOINT).status_code == 204
    assert ledgerly.call("GET", ENDPOINT).status_code == 404
    # A new registration has a new secret; switched off, it is there all the same.
    again = attributes_of(put(ledgerly, url=URL, state="off"), 201)
    assert again["secret"] != first["secret"]
    assert attributes_of(ledgerly.call("GET", ENDPOINT))["offReason"] == "partner"


def test_what_an_operator_registered_shows_its_secret_to_the_software_once(
    people: Cast, ledgerly: Software
) -> None:
    WebhookEndpoint.objects.create(partner=people.ledgerly, url=URL)
    assert "secret" not in attributes_of(ledgerly.call("GET", ENDPOINT))
    assert attributes_of(put(ledgerly, url=URL))["secret"].startswith("whsec_")
    assert "secret" not in attributes_of(put(ledgerly, url=URL))


def test_what_an_operator_switched_off_stays_off(people: Cast, ledgerly: Software) -> None:
    endpoint = WebhookEndpoint.objects.create(partner=people.ledgerly, url=URL)
    endpoint.switch_off(OffReason.OPERATOR)
    for _again in range(2):
        told = attributes_of(put(ledgerly, url=URL, state="on"))
        assert (told["state"], told["offReason"]) == ("off", "operator")
        assert ledgerly.call("DELETE", ENDPOINT).status_code == 204
    tried = attributes_of(ledgerly.call("POST", f"{ENDPOINT}/test"))
    assert tried["status"] is None
    assert "switched off by the portal" in tried["error"]


@pytest.mark.parametrize(
    "url",
    [None, 7, "", "hook", "http://software.example/hook", "https://", "https://a:b@software.example",
     "https://software.example/#x", "https://software.example/a b", "https://söftware.example/",
     "https://[::1/hook", "https://software.example/\n", f"https://software.example/{'x' * 2000}"],
)  # fmt: skip
def test_an_address_that_cannot_be_is_refused_with_its_pointer(
    people: Cast, ledgerly: Software, url: Any
) -> None:
    answer = put(ledgerly, url=url)
    assert answer.status_code == 400
    (fault,) = answer.json()["errors"]
    assert fault["source"]["pointer"] == "/data/attributes/url"
    assert not WebhookEndpoint.objects.filter(partner=people.ledgerly).exists()


def test_an_address_of_a_private_network_is_refused(people: Cast, ledgerly: Software) -> None:
    for host in ("10.0.0.1", "192.168.1.1", "169.254.169.254", "[fd00::1]", "3232235777"):
        answer = put(ledgerly, url=f"https://{host}/hook")
        (fault,) = answer.json()["errors"]
        assert (answer.status_code, fault["source"]["pointer"]) == (400, "/data/attributes/url")
        assert fault["detail"] == "url must be on the public internet."
    assert not WebhookEndpoint.objects.filter(partner=people.ledgerly).exists()


def test_a_state_that_is_none_is_refused(people: Cast, ledgerly: Software) -> None:
    for state in ("paused", ["on"], True):
        answer = put(ledgerly, url=URL, state=state)
        (fault,) = answer.json()["errors"]
        assert (answer.status_code, fault["source"]["pointer"]) == (400, "/data/attributes/state")


def test_tally_sees_and_changes_nothing_of_ledgerly(
    people: Cast, ledgerly: Software, portal: str
) -> None:
    put(ledgerly, url=URL)
    tally = Software(portal, people.tally)
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/test")):
        assert tally.call(method, f"{ENDPOINT}{path}").status_code == 404
    assert attributes_of(ledgerly.call("GET", ENDPOINT))["state"] == "on"


@pytest.mark.requirement(67)
def test_a_test_never_reaches_the_inside(
    people: Cast, ledgerly: Software, httpserver: HTTPServer
) -> None:
    # Saved before addresses were checked on saving; a name may lead there as well.
    url = f"https://127.0.0.1:{httpserver.port}/hook"
    WebhookEndpoint.objects.create(partner=people.ledgerly, url=url)
    tried = attributes_of(ledgerly.call("POST", f"{ENDPOINT}/test"))
    assert tried["status"] is None
    assert "address not public" in tried["error"]
    assert httpserver.log == []


@pytest.fixture(scope="module")
def portal_next_door(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: Any
) -> Iterator[str]:
    """A portal that may send webhooks to this machine."""
    folder = tmp_path_factory.mktemp("portal_next_door")
    with (
        django_db_blocker.unblock(),
        running_portal(folder, PORTAL_WEBHOOKS_ALLOW_LOOPBACK="1") as url,
    ):
        yield url


@pytest.fixture
def neighbour(portal_next_door: str, people: Cast) -> Software:
    factories.webhook_key()
    return Software(portal_next_door, people.ledgerly)


def test_a_test_event_arrives_at_once_verified_and_its_answer_is_shown(
    neighbour: Software, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/hook").respond_with_data("thanks", status=202)
    secret = attributes_of(put(neighbour, url=httpserver.url_for("/hook")), 201)["secret"]
    begun = time.monotonic()
    tried = attributes_of(neighbour.call("POST", f"{ENDPOINT}/test"))
    # In the answer itself: no worker runs here. The server waits 15 seconds for a receiver.
    assert time.monotonic() - begun < 10
    assert (tried["status"], tried["error"]) == (202, None)
    assert 0 <= tried["milliseconds"] < 10_000
    ((received, _answer),) = httpserver.log
    body = received.get_data()
    headers = {name.lower(): value for name, value in received.headers.items()}
    event = Webhook(secret).verify(body, headers)["data"]
    assert event["type"] == "codaboxConnect.test"
    assert event["id"] == headers["webhook-id"]
    assert set(event["attributes"]) == {"createdAt"}
    assert headers["signature"].count(".") == 2
    # A changed byte and another secret are noticed.
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body + b" ", headers)
    another = "whsec_" + base64.b64encode(b"0" * 32).decode()
    with pytest.raises(WebhookVerificationError):
        Webhook(another).verify(body, headers)


@pytest.mark.parametrize("status", [301, 410, 500])
def test_a_refusal_of_the_receiver_is_shown_and_changes_nothing(
    neighbour: Software, httpserver: HTTPServer, status: int
) -> None:
    httpserver.expect_request("/hook").respond_with_data("", status=status)
    put(neighbour, url=httpserver.url_for("/hook"))
    assert attributes_of(neighbour.call("POST", f"{ENDPOINT}/test"))["status"] == status
    assert attributes_of(neighbour.call("GET", ENDPOINT))["state"] == "on"


def test_one_test_at_a_time(neighbour: Software, httpserver: HTTPServer) -> None:
    inside, may_answer = threading.Event(), threading.Event()

    def hang(request: Request) -> Response:
        inside.set()
        may_answer.wait(20)
        return Response(status=204)

    httpserver.expect_request("/hook").respond_with_handler(hang)
    put(neighbour, url=httpserver.url_for("/hook"))
    told: list[httpx.Response] = []
    first = threading.Thread(target=lambda: told.append(neighbour.call("POST", f"{ENDPOINT}/test")))
    first.start()
    assert inside.wait(20)
    second = neighbour.call("POST", f"{ENDPOINT}/test")
    may_answer.set()
    first.join(20)
    assert (second.status_code, second.json()["errors"][0]["code"]) == (429, "tooManyRequests")
    assert int(second.headers["Retry-After"]) == 15
    assert attributes_of(told[0])["status"] == 204
    assert attributes_of(neighbour.call("POST", f"{ENDPOINT}/test"))["status"] == 204


def test_a_receiver_that_is_away_is_told_as_such(
    neighbour: Software, httpserver: HTTPServer
) -> None:
    url = httpserver.url_for("/hook").replace("http://", "https://")  # it speaks no TLS
    put(neighbour, url=url)
    tried = attributes_of(neighbour.call("POST", f"{ENDPOINT}/test"))
    assert tried["status"] is None
    assert "Error" in tried["error"]


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("jq")), reason="no curl or no jq")
def test_a_new_maker_registers_and_tries_an_address_with_the_guide_alone(
    neighbour: Software, httpserver: HTTPServer, tmp_path: Path
) -> None:
    """The shell of the guide, word by word: a token, the registration, the test, the check."""
    httpserver.expect_request("/hook").respond_with_data("", status=204)
    told = {
        "API": f"{neighbour.http.base_url}/codabox-connect",
        "CLIENT_ID": neighbour.client_id,
        "CLIENT_SECRET": neighbour.secret,
        "HOOK": httpserver.url_for("/hook"),
    }
    token = _blocks("quick-start", "bash")[0]
    calls = _blocks("webhooks", "")
    tried = _shell(token + "".join(calls), told, tmp_path)
    attributes = json.loads(tried)["data"]["attributes"]
    assert (attributes["status"], attributes["error"]) == (204, None)
    ((received, _answer),) = httpserver.log
    (tmp_path / "body").write_bytes(received.get_data())
    sent = {
        "SECRET": json.loads((tmp_path / "endpoint.json").read_text())["data"]["attributes"][
            "secret"
        ],
        "ID": received.headers["webhook-id"],
        "TIMESTAMP": received.headers["webhook-timestamp"],
        "SIGNATURE": received.headers["webhook-signature"],
    }
    (check,) = _blocks("webhooks", "bash")
    assert _shell(f"{check}is_genuine body && echo genuine", sent, tmp_path) == "genuine\n"


def _blocks(page: str, language: str) -> list[str]:
    """The blocks of one language on a page of the guide."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", (FOLDER / f"{page}.md").read_text(), re.S | re.M)
    return [block for name, block in blocks if name == language]


def _shell(commands: str, told: dict[str, str], folder: Path) -> str:
    done = subprocess.run(
        ["bash", "-euc", commands],
        cwd=folder,
        env={**os.environ, **told},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
