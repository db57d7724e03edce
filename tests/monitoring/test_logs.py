"""Logs tell what happened, never who somebody is or how she gets in, and no name can make them lie."""

from __future__ import annotations

import email
import email.policy
import json
import logging
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import structlog
from celery import current_app

from codabox_portal import logs
from consents.models import Consent
from partners.models import Partner
from tests import factories
from tests.conftest import Cast, Software, running_portal
from tests.deployment.browsing import Person
from tests.deployment.test_worker import worker
from tests.factories import PASSWORD, acting, allow

pytestmark = pytest.mark.requirement(45, 78)


BIDI = "\u202egnp.exe"


Written = Callable[..., dict[str, Any]]


@pytest.fixture
def written(capfd: pytest.CaptureFixture[str]) -> Written:
    """What one call of a logger writes, by the very configuration of the portal."""
    formatter = logs.configuration(json_lines=True)["formatters"]["structured"]
    handler = logging.StreamHandler(open(2, "w", closefd=False))  # noqa: SIM115
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processor=formatter["processor"], foreign_pre_chain=formatter["foreign_pre_chain"]
        )
    )

    def call(log: Any, *arguments: Any, **told: Any) -> dict[str, Any]:
        root = logging.getLogger("test.logs")
        root.addHandler(handler)
        root.propagate = False
        capfd.readouterr()
        try:
            log(*arguments, **told)
        finally:
            root.removeHandler(handler)
        (line,) = capfd.readouterr().err.splitlines()
        found: dict[str, Any] = json.loads(line)
        return found

    return call


@pytest.mark.parametrize(
    ("said", "stands"),
    [
        ("GET /invitation/aBc-12.sig?next=/me", "GET /invitation/…?…"),
        ("GET /me/email/eyJ:1x:yz", "GET /me/email/…"),
        ("POST /accounts/password/reset/key/3-cx1-9f/", "POST /accounts/password/reset/key/…/"),
        ("GET /consent/7d9f2c1e-0000-4000-8000-00805f9b34fb/confirm", "GET /consent/…/confirm"),
        (
            "/accounting-office-consents/7D9F2C1E-0000-4000-8000-00805f9b34fb",
            "/accounting-office-consents/…",
        ),
        ("GET /search?q=nora@office.example", "GET /search?…"),
        ("Key (lower(email))=(anna.1@office.example) exists", "Key (lower(email))=(…@…) exists"),
        ("to <nora+x@office.example>, anna@b.example", "to <…@…>, …@…"),
        ("Authorization: Bearer abc.def-1", "Authorization: Bearer …"),
        ("basic dXNlcjpzZWNyZXQ=", "basic …"),
        ("postgres://portal:word@db.example/portal", "postgres://portal:…@…/portal"),
        ('name\r\n{"level": "info"}', 'name\\r\\n{"level": "info"}'),
        ("\x1b[31mred\x07 \x9b1m", "\\x1b[31mred\\x07 \\x9b1m"),
        (f"photo{BIDI}", "photo\\u202egnp.exe"),
        # Named, as no test process can send the half itself to another one.
        pytest.param("half \ud83d of one", "half \\ud83d of one", id="half a character"),
        ("line\u2028line\u2066x", "line\\u2028line\\u2066x"),
        ("Crème brûlée NV, Straße 5 — ok", "Crème brûlée NV, Straße 5 — ok"),
        ("/codabox-connect/accounting-offices/x/y", "/codabox-connect/accounting-offices/x/y"),
    ],
)
def test_a_line_hides_what_it_must_and_shows_tricks_as_they_are(
    written: Written, said: str, stands: str
) -> None:
    assert written(structlog.get_logger("test.logs").warning, "event", what=said)["what"] == stands
    # Also what a library says by the logging of Python.
    assert written(logging.getLogger("test.logs").warning, "%s", said)["event"] == stands


def test_an_exception_is_told_without_its_data(written: Written) -> None:
    def fail() -> None:
        try:
            raise ValueError("no account for nora@office.example\x1b[2J")
        except ValueError:
            logging.getLogger("test.logs").exception("broken")

    line = written(fail)
    assert "no account for …@…\\x1b[2J" in line["exception"]
    assert line["exception"].count("\n") > 2


def link_of(folder: Path, to: str, before: int = 0) -> str:
    """The link in the mail to this address, once it is there."""
    for _ in range(300):
        for path in sorted((folder / "mail").glob("*.eml")):
            message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            if message["To"] == to:
                body = message.get_body(("plain",))
                assert body is not None
                found = re.search(
                    r"https?://\S+(?:/invitation/|/reset/key/)\S+", body.get_content()
                )
                if found:
                    return found[0]
        time.sleep(0.1)
    raise AssertionError(f"no mail to {to}")


def token_in(page: str) -> str:
    found = re.search(r'csrfmiddlewaretoken" value="(\w+)"', page)
    assert found
    return found[1]


def post(http: httpx.Client, path: str, **fields: str) -> httpx.Response:
    token = token_in(http.get(path).text)
    return http.post(path, data={"csrfmiddlewaretoken": token, **fields})


def test_no_secret_and_nobody_is_found_in_the_logs_of_a_busy_day(
    people: Cast, tmp_path: Path
) -> None:
    n = factories.unique()
    new, wrong = f"canary.nora.{n}@office.example", f"canary-wrong-{n}"
    Partner.objects.filter(pk=people.ledgerly.pk).update(email=f"canary.{n}@ledgerly.example")
    client_id, secret = factories.make_application(people.ledgerly)
    queue = current_app.conf.task_default_queue
    with running_portal(tmp_path, PORTAL_QUEUE=queue) as url, worker(tmp_path):
        agent = f"canary-agent-{n} {BIDI}".encode()
        with httpx.Client(base_url=url, headers={b"User-Agent": agent}, timeout=20) as http:
            post(http, "/accounts/login/", login=people.anna.email, password=wrong)
            answer = post(http, "/accounts/login/", login=people.anna.email, password=PASSWORD)
            assert answer.status_code == 302
            users = f"/offices/{people.janssens.slug}/users"
            answer = post(http, f"{users}/invite", email=new, role="user", language="en")
            assert answer.status_code == 303
            http.get(f"/search?q=canary-query-{n}")
            http.get(f"/%0d%0acanary-line-{n}%1b%5b31m%e2%80%ae")
        invitation = link_of(tmp_path, new)
        with httpx.Client(base_url=url, timeout=20) as http:
            assert http.get(urlsplit(invitation).path).status_code == 200
            post(http, "/accounts/password/reset/", email=people.bram.email)
            reset = link_of(tmp_path, people.bram.email)
            http.get(urlsplit(reset).path)
            api = "/codabox-connect"
            form = {"grant_type": "client_credentials"}
            http.post(f"{api}/oauth2/token", data=form, auth=(client_id, wrong))
            form |= {"client_id": client_id, "client_secret": secret}
            bearer = http.post(f"{api}/oauth2/token", data=form).json()["access_token"]
            path = f"{api}/accounting-office-consents/{people.consent.uuid}?token=canary-query-{n}"
            head = {"Authorization": f"Bearer {bearer}"}
            assert http.get(path, headers=head).status_code == 200
            assert http.get(path, headers={"Authorization": f"Bearer {wrong}"}).status_code == 401
        allow(people.consent, people.anna)
        Consent.objects.get(pk=people.consent.pk).cancel(acting(people.anna), f"canary-reason-{n}")
        time.sleep(1)
    text = "".join((tmp_path / name).read_text() for name in ("web.log", "worker.log"))
    assert text.count("api_request") >= 4
    assert (tmp_path / "worker.log").stat().st_size > 0
    secrets = [wrong, PASSWORD, secret, bearer, reset.split("/key/")[1].strip("/")]
    secrets += [invitation.split("/invitation/")[1].split("?")[0], f"canary-query-{n}"]
    persons = [new, people.anna.email, people.bram.email, f"canary.{n}@", f"canary-agent-{n}"]
    persons += [f"canary-reason-{n}"]
    assert [word for word in secrets + persons if word in text] == []
    assert not re.search(r"[\w.]+@(?:office|ledgerly)\.example", text)
    # The forged line is part of the line it came in.
    assert f"\\\\r\\\\ncanary-line-{n}\\\\x1b[31m" in text
    assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", text)
    assert not [line for line in text.splitlines() if line.startswith(f"canary-line-{n}")]


@pytest.mark.requirement(30)
def test_neither_log_nor_title_has_the_handle_of_a_consent(people: Cast, tmp_path: Path) -> None:
    """Neither the consent's identifier nor the signed choice, from the request to its end."""
    with running_portal(tmp_path) as url, httpx.Client(base_url=url, timeout=20) as http:
        software = Software(url, people.ledgerly)
        software.call("GET", f"/accounting-office-consents/{people.consent.uuid}")
        anna = Person(http, url, people.anna)
        anna.log_in()
        signed = anna.choose(people.consent.uuid, "allow")
        assert signed is not None
        assert anna.confirm(signed)
        consents = f"/offices/{people.janssens.slug}/consents"
        pages = [
            f"/consent/{people.consent.uuid}",
            signed,
            f"/consent/{people.consent.uuid}/result",
        ]
        pages += [
            consents,
            *(f"{consents}/{people.consent.uuid}/{end}" for end in ("cancel", "pause")),
        ]
        pages += [f"{consents}/{people.consent.uuid}", f"/consent/{people.consent.uuid}/nowhere"]
        pages = [http.get(path, follow_redirects=True).text for path in pages]
        assert anna.cancel(people.janssens.slug, people.consent.uuid)
        http.post(f"/consent/{people.consent.uuid}")  # refused, and written down
    handles = [str(people.consent.uuid), signed.partition("choice=")[2].partition(":")[0][:40]]
    titles = [re.findall(r"<title>(.*?)</title>", page, re.DOTALL) for page in pages]
    assert all(len(found) == 1 for found in titles)
    log = (tmp_path / "web.log").read_text()
    assert log.count("request_started") + log.count("api_request") >= 10
    assert [one for one in handles if one in log or one in str(titles)] == []
