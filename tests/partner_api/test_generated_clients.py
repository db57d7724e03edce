"""Clients that strangers' generators make of our document walk one scenario, unedited.

Off by default: run it with `--generated-clients`, which installs the generators into `var/`.
"""

from __future__ import annotations

import json
import re
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from django.db import OperationalError
from django.db.models.functions import Now

from accounts.models import Office
from consents.models import Consent, block
from core.sandbox import World
from partner_api.errors import answer as answer_of
from partners.models import Partner
from tests import factories
from tests.conftest import Cast, Software
from tests.factories import acting, make_allowed, make_office, make_partner, make_person
from tests.partner_api.contract import contract
from tests.partner_api.generated_clients.build import BUILDS, client, missing
from tests.partner_api.generated_clients.scenario import SCENARIO, WALK

pytestmark = pytest.mark.requirement(56)


def refusals() -> set[tuple[int, str]]:
    return {expected.refusal for _step, expected in SCENARIO if expected.refusal}


def test_the_scenario_meets_every_refusal_of_the_guide() -> None:
    assert set(contract()["codes"]) <= {code for _status, code in refusals()}
    statuses = {status for status, _code in refusals()}
    assert {400, 401, 403, 404, 405, 406, 409, 413, 415, 416, 429, 500, 503} <= statuses


def test_the_walk_asks_for_what_the_issue_names() -> None:
    calls = {step["call"] for step, _expected in WALK}
    assert {
        "issueToken",
        "requestConsent",
        "listClients",
        "listDocumentChanges",
        "readDocument",
        "readDocumentFile",
        "downloadDocuments",
        "acknowledgeDocuments",
    } <= calls


def situation(portal: str, where: str) -> dict[str, str]:
    """An office that allowed software of its own; what its token and its office are called."""
    office, partner = make_office(), make_partner()
    make_allowed(office, partner, make_person("Anna", office))
    token = Software(portal, partner).token
    match where:
        case "terms":
            Consent.objects.filter(office=office).update(accept_terms_by=Now())
        case "closed":
            Office.objects.filter(pk=office.pk).update(is_active=False)
        case "unregistered":
            Partner.objects.filter(pk=partner.pk).update(document_kinds=["salesInvoice"])
        case "unshared":
            Consent.objects.filter(office=office).update(excluded_kinds=["bankAccountStatement"])
        case "suspended":
            Partner.objects.filter(pk=partner.pk).update(status="suspended")
    return {f"{where}Token": token, f"{where}Office": str(office.uuid)}


def blocked(portal: str) -> dict[str, str]:
    office, partner = make_office(), make_partner()
    anna = make_person("Anna", office)
    consent = factories.make_request(office, partner)
    consent.deny(acting(anna))
    block.block(consent, acting(anna))
    token = Software(portal, partner).token
    return {"blockedToken": token, "blockedNumber": office.company_number}


class Front(BaseHTTPRequestHandler):
    """A bad way to the portal: the first word of the path says what it does to a call."""

    portal: str

    def do_POST(self) -> None:
        code, path = self.path[1:].split("/", 1)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if code in ("internalError", "temporarilyUnavailable"):
            made = answer_of(OperationalError() if code.startswith("temp") else RuntimeError())
            self._give(made.status_code, made.content)
            return
        changed = {
            "malformedBody": ("POST", body[:-1], "application/json"),
            "methodNotAllowed": ("PATCH", body, "application/json"),
            "payloadTooLarge": ("POST", b" " * 1024 * 1024 + body, "application/json"),
            "unsupportedMediaType": ("POST", body, "text/plain"),
        }
        method, sent, kind = changed[code]
        headers = {"Authorization": self.headers["Authorization"], "Content-Type": kind}
        told = httpx.request(method, f"{self.portal}/{path}", content=sent, headers=headers)
        self._give(told.status_code, told.content)

    def _give(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/vnd.api+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def front(portal: str) -> Iterator[str]:
    class Here(Front):
        pass

    Here.portal = portal
    server = ThreadingHTTPServer(("127.0.0.1", 0), Here)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def language(request: pytest.FixtureRequest) -> str:
    """The generator; skips where nobody asked, or where a tool is missing, and says which."""
    name = str(request.param)
    lacks = ", ".join(missing(name))
    if not request.config.getoption("--generated-clients"):
        pytest.skip(f"run with --generated-clients{'; missing: ' + lacks if lacks else ''}")
    if lacks:
        pytest.skip(f"missing: {lacks}")
    return name


def at(answer: Any, pointer: str) -> Any:
    for name in pointer.split("/")[1:]:
        answer = answer[int(name) if isinstance(answer, list) else name]
    return answer


@pytest.mark.slow
@pytest.mark.parametrize("language", sorted(BUILDS), indirect=True)
def test_a_generated_client_walks_the_scenario(
    language: str, portal: str, people: Cast, front: str, tmp_path: Path
) -> None:
    document = orjson.loads(httpx.get(f"{portal}/codabox-connect/openapi.json").content)
    # The port differs from run to run, and a client is told its address anyway.
    document["servers"] = [{"url": "https://portal.example"}]
    document["info"]["contact"]["url"] = "https://portal.example/developers"
    command = client(language, orjson.dumps(document))
    sandbox = make_partner("Sandly", kind=World.SANDBOX, listed=False)
    client_id, secret = factories.make_application(sandbox)
    values = {
        "portal": portal,
        "front": front,
        "language": language,
        "id": client_id,
        "secret": secret,
        "nobody": factories.company_number(),
        **blocked(portal),
    }
    for where in ("terms", "closed", "unregistered", "unshared", "suspended"):
        values |= situation(portal, where)
    (tmp_path / "steps.json").write_text(json.dumps([step for step, _expected in SCENARIO]))
    (tmp_path / "values.json").write_text(json.dumps(values))
    done = subprocess.run(
        [*map(str, command), "steps.json", "values.json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    for number, (line, (step, expected)) in enumerate(zip(lines, SCENARIO, strict=False)):
        place = f"step {number}, {step['call']}: {line}"
        if expected.refusal:
            assert line.get("refused") == list(expected.refusal), place
            continue
        assert "answer" in line, place
        for name, pointer in step.get("keep", {}).items():
            values[name] = at(line["answer"], pointer)
        for pointer, value in expected.values.items():
            told = re.sub(r"^\$(\w+)$", lambda found: values[found[1]], str(value))
            assert at(line["answer"], pointer) == (told if isinstance(value, str) else value), place
    assert done.returncode == 0, done.stderr[-4000:]
    assert len(lines) == len(SCENARIO)
