"""The process list of docs/operations/index.md, started here word by word, and one consent through it."""

from __future__ import annotations

from typing import Any

import httpx

from consents.models import ConsentEvent
from notifications.models import WebhookEndpoint
from partners.models import ClientCertificate
from tests import factories
from tests.conftest import Cast, Software
from tests.deployment.process_list import Deployment, commands
from tests.deployment.receivers import Receivers
from tests.factories import CODA


def test_the_docs_say_what_to_type() -> None:
    assert {"migrate", "web", "worker", "beat"} <= set(commands())


def test_anna_allows_and_cancels_through_every_process_of_the_list(
    there: Cast, deployment: Deployment, receivers: Receivers
) -> None:
    bea = factories.make_person("Bea", there.janssens)
    WebhookEndpoint.objects.create(partner=there.tally, url=receivers.server.url_for("/hook"))
    tally, front = deployment.software(there.tally), deployment.front
    document = factories.make_document(there.bakery, contents={CODA: b"0" * 128_000})
    asked = tally.create(
        accountingOfficeCompanyNumber=there.janssens.company_number,
        redirectUri="https://tally.example/back",
        state="s1",
    )
    assert asked.status_code == 201, asked.text
    told = asked.json()["data"]
    consent, page = told["id"], told["attributes"]["confirmationUri"]
    assert page == f"{front.url}/consent/{consent}"

    def fetch() -> httpx.Response:
        number = there.bakery.company_number
        return tally.document(there.janssens, number, document.uuid, accept=CODA)

    assert fetch().status_code == 403
    with deployment.person(there.anna) as anna:
        assert anna.decide(consent, "allow")
        fetched = fetch()
        assert (fetched.status_code, fetched.content) == (200, b"0" * 128_000)
        assert handed_to_nginx(deployment, tally, fetched.request.url.path)
        assert anna.cancel(there.janssens.slug, consent)
    refused = fetch()
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (
        403,
        "consentNotConfirmed",
    )
    _everybody_was_told(receivers, deployment, consent, {there.anna.pk: there.anna, bea.pk: bea})
    assert [process.name for process in deployment.processes] == [
        *("nginx", "web1", "web2", "worker1", "worker2", "beat")
    ]
    assert not [process.name for process in deployment.processes if process.is_dead]


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
    receivers: Receivers, deployment: Deployment, consent: str, admins: dict[int, Any]
) -> None:
    """The software by webhook, in order; the Admins by mail, but for the cancel who did it."""
    events = ConsentEvent.objects.filter(consent__uuid=consent).order_by("pk")
    told = [str(event.uuid) for event in events if event.kind in ("allowed", "cancelled")]
    assert len(told) == 2
    heard = receivers.wait_for(lambda: [e for e, _c, _at in receivers.heard] == told, 30)
    assert heard, receivers.heard
    wanted = {
        (person.email, f"<{event.uuid}.{pk}@localhost>")
        for event in events
        if event.kind in ("requested", "allowed", "cancelled")
        for pk, person in admins.items()
        if (event.kind, event.person_id) != ("cancelled", pk)
    }
    mails = deployment.mails
    assert receivers.wait_for(lambda: wanted <= set(mails.identifiers()), 30), mails.identifiers()
    of_these = tuple(f"<{event.uuid}." for event in events)
    came = [(to, name) for to, name in mails.identifiers() if name.startswith(of_these)]
    assert sorted(came) == sorted(wanted)
