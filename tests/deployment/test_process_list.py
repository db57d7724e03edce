"""The process list of docs/operations.md, started here word by word, and one consent through it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from celery import current_app

from consents.models import ConsentEvent
from notifications.models import WebhookEndpoint
from partners.models import ClientCertificate, Partner
from tests import factories
from tests.conftest import Cast, Software, test_database_url
from tests.deployment.browsing import Person
from tests.deployment.process_list import Deployment, commands, deployed
from tests.deployment.softwares import Softwares
from tests.deployment.test_nginx import NGINX, certificate
from tests.factories import CODA

pytestmark = pytest.mark.skipif(NGINX is None, reason="no nginx (Debian: apt install nginx-light)")


@pytest.fixture
def deployment(people: Cast, tmp_path: Path) -> Iterator[Deployment]:
    given = {
        "DATABASE_URL": test_database_url(),
        "REDIS_URL": os.environ["REDIS_URL"],
        "PORTAL_QUEUE": current_app.conf.task_default_queue,
        "PORTAL_ACCEL": "/_documents",
        "PORTAL_CERTIFICATE_PROXIES": "127.0.0.1/32",
    }
    current_app.control.purge()
    with deployed(tmp_path, **given) as deployment:
        yield deployment


def software_of(partner: Partner, deployment: Deployment) -> Software:
    """A software that calls with its client certificate."""
    registered = certificate(deployment.folder, "software")
    ClientCertificate.objects.create(partner=partner, fingerprint=registered)
    front = deployment.front
    return Software(front.partners_url, partner, front.client("software"))


def test_the_docs_say_what_to_type() -> None:
    assert {"migrate", "web", "worker", "beat"} <= set(commands())


def test_an_allows_and_cancels_through_every_process_of_the_list(
    people: Cast, deployment: Deployment, softwares: Softwares
) -> None:
    bea = factories.make_person("Bea", people.janssens)
    WebhookEndpoint.objects.create(partner=people.tally, url=softwares.server.url_for("/hook"))
    tally, front = software_of(people.tally, deployment), deployment.front
    document = factories.make_document(people.bakery, contents={CODA: b"0" * 128_000})
    asked = tally.create(
        accountingOfficeCompanyNumber=people.janssens.company_number,
        redirectUri="https://tally.example/back",
        state="s1",
    )
    assert asked.status_code == 201, asked.text
    told = asked.json()["data"]
    consent, page = told["id"], told["attributes"]["confirmationUri"]
    assert page == f"{front.url}/consent/{consent}"

    def fetch() -> httpx.Response:
        number = people.bakery.company_number
        return tally.document(people.janssens, number, document.uuid, accept=CODA)

    assert fetch().status_code == 403
    with front.client() as http:
        an = Person(http, front.url, people.an)
        an.log_in()
        assert an.decide(consent, "allow")
        fetched = fetch()
        assert (fetched.status_code, fetched.content) == (200, b"0" * 128_000)
        assert handed_to_nginx(deployment, tally, fetched.request.url.path)
        assert an.cancel(people.janssens.slug, consent)
    refused = fetch()
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (403, "consentNotConfirmed")
    _everybody_was_told(softwares, deployment, consent, {people.an.pk: people.an, bea.pk: bea})
    assert {process.name: process.starts for process in deployment.processes} == dict.fromkeys(
        ("nginx", "web1", "web2", "worker1", "worker2", "beat"), 1
    )
    assert not [process.name for process in deployment.processes if process.is_dead]
    # Asked to end, each of them does, and says that all is well.
    ends = [*deployment.webs, *deployment.workers, deployment.beat]
    for process in ends:
        process.process.terminate()
    assert {process.name: process.process.wait(70) for process in ends} == dict.fromkeys(
        ("web1", "web2", "worker1", "worker2", "beat"), 0
    )


def handed_to_nginx(deployment: Deployment, software: Software, path: str) -> bool:
    """What the portal itself answers to nginx: where the file lies, without its bytes."""
    proof = ClientCertificate.objects.get(partner=software.partner).fingerprint
    answer = httpx.get(
        f"{deployment.web_url(deployment.webs[0])}{path}",
        headers={
            "Host": "localhost",
            "Accept": CODA,
            "Authorization": f"Bearer {software.token}",
            "X-Client-Certificate-Fingerprint": proof,
        },
    )
    assert answer.status_code == 200, answer.text
    return "X-Accel-Redirect" in answer.headers and answer.content == b""


def _everybody_was_told(
    softwares: Softwares, deployment: Deployment, consent: str, admins: dict[int, Any]
) -> None:
    """The software by webhook, in order; the Admins by mail, but for the cancel who did it."""
    events = ConsentEvent.objects.filter(consent__uuid=consent).order_by("pk")
    told = [str(event.uuid) for event in events if event.kind in ("allowed", "cancelled")]
    assert len(told) == 2
    heard = softwares.wait_for(lambda: [e for e, _c, _at in softwares.heard] == told, 30)
    assert heard, softwares.heard
    wanted = {
        (person.email, f"<{event.uuid}.{pk}@localhost>")
        for event in events
        if event.kind in ("requested", "allowed", "cancelled")
        for pk, person in admins.items()
        if (event.kind, event.person_id) != ("cancelled", pk)
    }
    mails = deployment.mails
    assert softwares.wait_for(lambda: wanted <= set(mails.identifiers()), 30), mails.identifiers()
    of_these = tuple(f"<{event.uuid}." for event in events)
    came = [(to, name) for to, name in mails.identifiers() if name.startswith(of_these)]
    assert sorted(came) == sorted(wanted)
