"""What the portal sends to software (`webhooks`), and where each answer leads (`links`)."""

from __future__ import annotations

from typing import Any

from core.document_kinds import TYPES
from notifications.models.webhook_endpoint import EVENT_NAMES
from partner_api.document_shapes import IDENTIFIER, MOMENT, TEXT, ref, resource, thing
from partner_api.serializers.fields import Shape, constant

CONSENT = "codaboxConnect.accountingOfficeConsent"
CONSENT_EVENTS = [f"{CONSENT}.{name}" for name in dict.fromkeys(EVENT_NAMES.values())]
# A group of their own: generators write one file for each group, and one more for its webhooks.
RECEIVED = "Received by you"
SIGNATURES = {
    "Signature": "A JWT (RS512): `iss`, `aud`, `iat`, `exp`, `jti`, and `digest` of the body.",
    "webhook-id": "As Standard Webhooks has it: equal to `data.id`.",
    "webhook-timestamp": "As Standard Webhooks has it: seconds since 1970.",
    "webhook-signature": "As Standard Webhooks has it: `v1,` and an HMAC of the untouched body.",
}
COMPONENTS: dict[str, Shape] = {
    "ConsentWebhook": thing(["data"], data=ref("ConsentWebhookData")),
    "ConsentWebhookData": resource(
        {
            "type": "string",
            "enum": [f"{CONSENT}.{name}" for name in dict.fromkeys(EVENT_NAMES.values())],
        },
        IDENTIFIER,
        attributes=ref("EventAttributes"),
        relationships=ref("EventRelationships"),
    ),
    "DocumentsAvailableWebhook": thing(["data"], data=ref("DocumentsAvailableData")),
    "DocumentsAvailableData": resource(
        constant("codaboxConnect.accountingOffice.documentsAvailable"),
        IDENTIFIER,
        attributes=ref("DocumentsAvailableAttributes"),
        relationships=ref("OfficeRelationships"),
    ),
    "DocumentsAvailableAttributes": thing(
        ["createdAt", "counts"], createdAt=MOMENT, counts=ref("DocumentCounts")
    ),
    "DocumentCounts": {
        "type": "object",
        "properties": {kind: {"type": "integer", "minimum": 1} for kind in TYPES},
    },
    "OfficeRelationships": thing(["accountingOffice"], accountingOffice=ref("OfficeLinkage")),
    "OfficeLinkage": thing(["data"], data=ref("OfficeIdentifier")),
    "OfficeIdentifier": resource("accountingOffice", IDENTIFIER),
    "TestWebhook": thing(["data"], data=ref("TestWebhookData")),
    "TestWebhookData": resource(
        constant("codaboxConnect.test"), IDENTIFIER, attributes=ref("EventAttributes")
    ),
}


def webhook(name: str, summary: str, description: str, shape: str) -> Shape:
    """A call of the portal to the address that a partner registered."""
    return {
        "post": {
            "operationId": name,
            "summary": summary,
            "description": description,
            "tags": [RECEIVED],
            "security": [],
            "parameters": [
                {"in": "header", "name": header, "description": says, "schema": TEXT}
                for header, says in SIGNATURES.items()
            ],
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": ref(shape)}},
            },
            "responses": {
                "2XX": {"description": "Received. Answer within 15 seconds."},
                "410": {"description": "The address is gone: no further webhook is sent to it."},
                "4XX": {"description": "Not received. It is sent again for three days."},
            },
        }
    }


# Named by reference, which openapi-generator passes over: its classes for webhooks do not compile.
PATH_ITEMS = {
    "consentChanged": webhook(
        "receiveConsentEvent",
        "A consent changed",
        "An office decided about a consent of yours. Read the consent for the rest.",
        "ConsentWebhook",
    ),
    "documentsAvailable": webhook(
        "receiveDocumentsAvailable",
        "New documents",
        "An office has new documents that you can read: once for each batch. Search then.",
        "DocumentsAvailableWebhook",
    ),
    "test": webhook(
        "receiveTest",
        "A test",
        "What `tryWebhookEndpoint` sends, at the moment you ask for it.",
        "TestWebhook",
    ),
}

WEBHOOKS = {name: {"$ref": f"#/components/pathItems/{name}"} for name in PATH_ITEMS}


def link(operation: str, description: str, **parameters: str) -> Shape:
    return {"operationId": operation, "description": description, "parameters": parameters}


CONSENT_ID = "$response.body#/data/id"
OFFICE_ID = "$response.body#/data/attributes/accountingOfficeId"
OFFICE = "$request.path.office"
FIRST = "$response.body#/included/documents/0"
OF_CONSENT = {
    "consent": link("readConsent", "What the office decided.", consent=CONSENT_ID),
    "clients": link("listClients", "The companies that it shares.", office=OFFICE_ID),
    "changes": link("listDocumentChanges", "Everything, in one order.", office=OFFICE_ID),
    "search": link("searchDocuments", "The documents of some companies.", office=OFFICE_ID),
}
OF_DOCUMENTS = {
    "firstDocument": link(
        "readDocumentFile",
        "The file of the first document; `kind` is the word of its type in addresses.",
        office=OFFICE,
        client=f"{FIRST}/relationships/client/data/id",
        document=f"{FIRST}/id",
    )
}
# Where an answer leads, by the call and its status.
LINKS: dict[tuple[str, str], dict[str, Shape]] = {
    ("requestConsent", "200"): OF_CONSENT,
    ("requestConsent", "201"): OF_CONSENT,
    ("readConsent", "200"): {name: each for name, each in OF_CONSENT.items() if name != "consent"},
    ("searchDocuments", "201"): OF_DOCUMENTS,
    ("listDocumentChanges", "200"): {
        **OF_DOCUMENTS,
        "next": link(
            "listDocumentChanges",
            "The next page, now or later.",
            office=OFFICE,
            after="$response.body#/meta/paging/after",
        ),
    },
    ("listEvents", "200"): {
        "next": link("listEvents", "The next page.", after="$response.body#/meta/paging/after")
    },
}


def add_links(paths: dict[str, Any]) -> None:
    """Write each link into the answer that leads on."""
    for operations in paths.values():
        for operation in operations.values():
            for status, answer in operation["responses"].items():
                found = LINKS.get((operation["operationId"], status))
                if found:
                    answer["links"] = found
