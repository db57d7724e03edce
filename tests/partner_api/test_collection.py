"""The collection for Postman and Bruno: what it sends when nothing is changed but the variables."""

from __future__ import annotations

import re
from typing import Any

import httpx
import orjson

from core.sandbox import World
from partner_api.openapi import openapi
from tests import factories
from tests.conftest import Cast
from tests.factories import CODA, allow

# These end what the others need, or need what this cast does not have.
LEFT_OUT = {"revokeToken", "giveUpConsent", "removeWebhookEndpoint", "readAttachment",
            "sendEventAgain", "tryWebhookEndpoint"}  # fmt: skip
# What software of the sandbox tries first, in this order.
IN_SANDBOX = ["issueToken", "makeSandboxOffice", "listSandboxOffices", "requestConsent",
              "decideInSandbox", "deliverToSandbox", "listDocumentChanges"]  # fmt: skip


def sent(item: dict[str, Any], known: dict[str, str]) -> httpx.Request:
    """The request of one item, as Postman fills it in."""

    def filled(text: str) -> str:
        return re.sub(r"\{\{(\w+)\}\}", lambda found: known[found[1]], text)

    asked = item["request"]
    variables = {each["key"]: filled(each["value"]) for each in asked["url"]["variable"]}
    parts = [variables[part[1:]] if part[0] == ":" else part for part in asked["url"]["path"]]
    body = asked.get("body", {})
    auth = asked.get("auth", {"type": "bearer"})["type"]
    request = httpx.Request(
        asked["method"],
        f"{known['portal']}/{'/'.join(parts)}",
        headers={each["key"]: each["value"] for each in asked["header"]},
        content=filled(body["raw"]) if body.get("mode") == "raw" else None,
        data={each["key"]: filled(each["value"]) for each in body.get("urlencoded", [])} or None,
    )
    if auth == "bearer":
        request.headers["Authorization"] = f"Bearer {known['token']}"
    elif auth == "basic":
        basic = httpx.BasicAuth(known["clientId"], known["clientSecret"])
        request = next(basic.auth_flow(request))
    return request


def test_every_call_of_the_collection_works_as_it_is(portal: str, people: Cast) -> None:
    allow(people.consent, people.anna)
    document = factories.make_document(people.bakery, contents={CODA: b"0" * 128})
    client_id, secret = factories.make_application(people.ledgerly)
    served = httpx.get(f"{portal}/developers/postman.json")
    assert "attachment" in served.headers["Content-Disposition"]
    collection = served.json()
    known = {each["key"]: each["value"] for each in collection["variable"]}
    assert known["portal"] == portal
    known |= {
        "clientId": client_id,
        "clientSecret": secret,
        "officeNumber": people.janssens.company_number,
        "consent": str(people.consent.uuid),
        "office": str(people.janssens.uuid),
        "client": people.bakery.company_number,
        "document": str(document.uuid),
    }
    operations = {
        (method.upper(), path): operation["operationId"]
        for path, methods in orjson.loads(openapi())["paths"].items()
        for method, operation in methods.items()
    }
    items = [item for folder in collection["item"] for item in folder["item"]]
    named = {}
    for item in items:
        path = "/" + "/".join(
            re.sub(r"^:(\w+)$", r"{\1}", p) for p in item["request"]["url"]["path"]
        )
        named[operations[item["request"]["method"], path]] = item
    assert set(named) == set(operations.values())
    # A call that keeps what others need stands before them.
    order = [*named]
    for needs in ("readDocumentFile", "acknowledgeDocuments", "searchDocuments"):
        assert order.index("listDocumentChanges") < order.index(needs)
    # In the order in which somebody tries them.
    first = ["issueToken", "registerWebhookEndpoint"]
    only_in_sandbox = {name for name in named if "Sandbox" in name}
    with httpx.Client(timeout=20) as http:
        for name in [*first, *sorted(set(named) - {*first, *LEFT_OUT, *only_in_sandbox})]:
            answer = http.send(sent(named[name], known))
            assert answer.is_success, f"{name}: {answer.status_code} {answer.text}"
            if name == "issueToken":
                known["token"] = answer.json()["access_token"]
        assert only_in_sandbox < set(IN_SANDBOX)
        partner = factories.make_partner("Sandly", kind=World.SANDBOX, listed=False)
        known["clientId"], known["clientSecret"] = factories.make_application(partner)
        for name in IN_SANDBOX:
            answer = http.send(sent(named[name], known))
            assert answer.is_success, f"{name}: {answer.status_code} {answer.text}"
            known |= kept(name, answer.json())


def kept(name: str, answer: dict[str, Any]) -> dict[str, str]:
    """The variables that the script behind this call keeps of its answer."""
    match name:
        case "issueToken":
            return {"token": answer["access_token"]}
        case "requestConsent":
            return {"consent": answer["data"]["id"]}
        case "makeSandboxOffice":
            office = answer["data"]
            return {
                "office": office["id"],
                "officeNumber": office["attributes"]["accountingOfficeCompanyNumber"],
                "client": office["relationships"]["clients"]["data"][0]["id"],
            }
    return {}
