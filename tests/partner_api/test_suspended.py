"""Suspended is silent: such a partner reads the status of its own consents, and nothing else."""

from __future__ import annotations

import hashlib
from typing import Any

import httpx
import pytest
from oauth2_provider.models import AccessToken

from consents.models import ConsentEvent
from notifications.fan_out import fan_out
from notifications.models import Delivery, WebhookEndpoint
from partners.models import Application, Partner
from tests import factories
from tests.conftest import Cast, Software
from tests.factories import CALLBACK, CODA, allow
from tests.owner import rules_off

pytestmark = pytest.mark.requirement(110)

STATES = ["suspended", "retired", "draft"]


def calls(people: Cast, event: str, document: str) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Every call that needs a token, but for the one that reads a consent."""
    consent = f"/accounting-office-consents/{people.consent.uuid}"
    office = f"/accounting-offices/{people.janssens.uuid}"
    number = people.bakery.company_number
    path = f"{office}/clients/{number}/bank-account-statements/{document}"
    attributes = {
        "accountingOfficeCompanyNumber": people.janssens.company_number,
        "redirectUri": CALLBACK,
    }
    endpoint = {"data": {"attributes": {"url": "https://evil.example/hook"}}}
    search = {
        "attributes": {"documentType": "bankAccountStatement"},
        "relationships": {"clients": {"data": [{"type": "client", "id": number}]}},
    }
    return {
        "ask": ("POST", "/accounting-office-consents", {"json": {"data": {"attributes": attributes}}}),
        "give up": ("DELETE", consent, {}),
        "search": ("POST", f"{office}/document-searches", {"json": {"data": search}}),
        "clients": ("GET", f"{office}/clients", {}),
        "changes": ("GET", f"{office}/document-changes", {}),
        "downloads": ("POST", f"{office}/document-downloads", {"json": {}}),
        "acknowledge": ("POST", f"{office}/acknowledgements", {"json": {}}),
        "document": ("GET", path, {}),
        "file": ("GET", path, {"headers": {"Accept": CODA}}),
        "events": ("GET", "/events", {}),
        "endpoint": ("GET", "/webhooks/endpoint", {}),
        "register": ("PUT", "/webhooks/endpoint", {"json": endpoint}),
        "remove": ("DELETE", "/webhooks/endpoint", {}),
        "try": ("POST", "/webhooks/endpoint/test", {}),
        "deliveries": ("GET", "/webhooks/deliveries", {}),
        "redelivery": ("POST", f"/webhooks/deliveries/{event}/redelivery", {}),
    }  # fmt: skip


def written(people: Cast) -> list[Any]:
    """What a call could change, row by row."""
    application = Application.objects.filter(partner=people.ledgerly)
    return [
        *ConsentEvent.objects.filter(consent=people.consent).values_list("pk"),
        *WebhookEndpoint.objects.filter(partner=people.ledgerly).values_list(),
        *Delivery.objects.filter(endpoint__partner=people.ledgerly).values_list(),
        *AccessToken.objects.filter(application__in=application).values_list("pk"),
        *application.values_list("secret_used_at", "previous_secret_used_at"),
        people.fresh().status,
        people.fresh().redirect_uri,
    ]


def force(people: Cast, state: str) -> None:
    """Set the state with the rules of the database switched off: nobody retires while allowed."""
    with rules_off("partners_partner"):
        Partner.objects.filter(pk=people.ledgerly.pk).update(status=state)


@pytest.mark.parametrize("state", STATES)
def test_a_partner_that_is_not_active_only_reads_its_own_status(
    people: Cast, ledgerly: Software, state: str
) -> None:
    allow(people.consent, people.anna)
    document = factories.make_document(people.bakery, contents={CODA: b"0" * 128})
    WebhookEndpoint.objects.create(partner=people.ledgerly, url="https://software.example/hook")
    event = people.consent.events.latest("pk")
    fan_out(event.pk)
    every = calls(people, str(event.uuid), str(document.uuid))
    status = f"/accounting-office-consents/{people.consent.uuid}"
    assert ledgerly.call("GET", status).status_code == 200
    force(people, state)
    before = written(people)
    for name, (method, path, options) in every.items():
        answer = ledgerly.call(method, path, **options)
        code = answer.json()["errors"][0]["code"]
        expected = (403, "partnerSuspended") if state == "suspended" else (401, "unauthorized")
        assert (answer.status_code, code) == expected, name
    assert ledgerly.call("GET", status).status_code == (200 if state == "suspended" else 401)
    for path, form in (
        ("token", {"grant_type": "client_credentials"}),
        ("revoke", {"token": ledgerly.token}),
    ):
        answer = ledgerly.http.post(
            f"/codabox-connect/oauth2/{path}", data=form, auth=(ledgerly.client_id, ledgerly.secret)
        )
        expected = (400, "unauthorized_client") if state == "suspended" else (401, "invalid_client")
        assert (answer.status_code, answer.json()["error"]) == expected, path
    assert written(people) == before
    # A stranger learns nothing about the state.
    wrong = httpx.post(
        f"{ledgerly.http.base_url}/codabox-connect/oauth2/token",
        data={"grant_type": "client_credentials"},
        auth=(ledgerly.client_id, "wrong"),
    )
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")


def test_a_suspended_partner_keeps_its_previous_secret_untouched(
    people: Cast, ledgerly: Software
) -> None:
    application = Application.objects.get(client_id=ledgerly.client_id)
    application.rotate_secret()
    force(people, "suspended")
    before = written(people)
    answer = ledgerly.http.post(
        "/codabox-connect/oauth2/token",
        data={"grant_type": "client_credentials"},
        auth=(ledgerly.client_id, ledgerly.secret),
    )
    assert answer.json()["error"] == "unauthorized_client"
    assert written(people) == before
    assert hashlib.sha256(ledgerly.secret.encode()).hexdigest() in application.previous_secret
