"""What every generated client does, step by step, and what it must be answered.

A step names a call by its operation id, the credentials, the parameters as the document names them,
and the body. `$name` is a value that the test gave or that an earlier step kept by `keep` (name:
JSON pointer into the answer). `at` is the base address, where it is not the portal's own.
"""

from __future__ import annotations

from typing import Any, NamedTuple, NotRequired, TypedDict

CODA, PDF = "application/vnd.coda.v1+cod", "application/pdf"


class Step(TypedDict):
    """One call, as the programs of all languages read it."""

    call: str
    at: NotRequired[str]
    basic: NotRequired[list[str]]
    token: NotRequired[str]
    parameters: NotRequired[dict[str, Any]]
    body: NotRequired[dict[str, Any]]
    keep: NotRequired[dict[str, str]]


class Expected(NamedTuple):
    """What the answer of a step must be: values by JSON pointer, or a refusal (status, code)."""

    values: dict[str, Any] = {}
    refusal: tuple[int, str] | None = None


def _request(number: str, **attributes: str) -> dict[str, Any]:
    told = {"accountingOfficeCompanyNumber": number, **attributes}
    return {"data": {"type": "accountingOfficeConsent", "attributes": told}}


def _search(kind: str) -> dict[str, Any]:
    clients = {"data": [{"type": "client", "id": "$client"}]}
    return {
        "data": {
            "type": "documentSearch",
            "attributes": {"documentType": kind},
            "relationships": {"clients": clients},
        }
    }


def _decide(decision: str, state: Any = None, **options: Any) -> tuple[Step, Expected]:
    body = {"data": {"type": "sandboxDecision", "attributes": {"decision": decision}}}
    step = Step(
        call="decideInSandbox", token="$token", parameters={"consent": "$consent"}, body=body
    )
    return step, Expected({"/data/attributes/portalStatus": state}, **options)


def _refused(status: int, code: str, call: str, **step: Any) -> tuple[Step, Expected]:
    made: Any = {"call": call, "token": "$token", **step}
    return made, Expected(refusal=(status, code))


def _reading_refused(status: int, code: str, where: str, **step: Any) -> tuple[Step, Expected]:
    """The search in an office in which a partner of its own was put into this situation."""
    return _refused(
        status,
        code,
        "searchDocuments",
        **{"token": f"${where}Token", **step},
        parameters={"office": f"${where}Office"},
        body=_search("bankAccountStatement"),
    )


STATEMENT = {
    "office": "$office",
    "client": "$client",
    "kind": "bank-account-statements",
    "document": "$document",
}
ONE = {"type": "bankAccountStatement", "id": "$document"}

# Token, consent, clients, changes, JSON, bytes in a second format, ZIP, acknowledgement.
WALK: list[tuple[Step, Expected]] = [
    (
        Step(call="issueToken", basic=["$id", "$secret"], parameters={"grant_type": "client_credentials"}, keep={"token": "/access_token"}),
        Expected({"/token_type": "bearer"}),
    ),
    (
        Step(
            call="makeSandboxOffice",
            token="$token",
            body={"data": {"type": "sandboxOffice", "attributes": {"name": "$language"}}},
            keep={
                "office": "/data/id",
                "number": "/data/attributes/accountingOfficeCompanyNumber",
                "client": "/data/relationships/clients/data/0/id",
            },
        ),
        Expected({"/data/attributes/name": "$language"}),
    ),
    (
        Step(call="requestConsent", token="$token", body=_request("$number"), keep={"consent": "/data/id"}),
        Expected({"/data/attributes/status": "unconfirmed", "/data/attributes/accountingOfficeId": "$office"}),
    ),
    _refused(403, "consentNotConfirmed", "listClients", parameters={"office": "$office"}),
    _refused(
        409, "decisionNotPossible", "decideInSandbox", parameters={"consent": "$consent"},
        body={"data": {"type": "sandboxDecision", "attributes": {"decision": "pause"}}},
    ),
    _decide("allow", "allowed"),
    (
        Step(call="readConsent", token="$token", parameters={"consent": "$consent"}),
        Expected({"/data/attributes/status": "confirmed", "/data/id": "$consent"}),
    ),
    (
        Step(call="listConsents", token="$token", parameters={"status": "confirmed", "limit": 1}),
        Expected({"/data/0/id": "$consent", "/meta/paging/limit": 1}),
    ),
    (
        Step(
            call="deliverToSandbox", token="$token", parameters={"office": "$office"},
            body={"data": {"type": "sandboxFile", "attributes": {"documentType": "bankAccountStatement", "client": "$client"}}},
        ),
        Expected({"/data/attributes/filed": 1}),
    ),
    (
        Step(call="listClients", token="$token", parameters={"office": "$office", "limit": 1000}),
        Expected({"/data/0/type": "client", "/meta/paging/limit": 1000}),
    ),
    (
        Step(
            call="listDocumentChanges", token="$token",
            parameters={"office": "$office", "kinds": "bankAccountStatement", "wait": 20},
            keep={"document": "/included/documents/0/id", "after": "/meta/paging/after"},
        ),
        Expected({
            "/data/0/attributes/change": "available",
            "/data/0/relationships/client/data/id": "$client",
            "/included/documents/0/type": "bankAccountStatement",
            "/included/documents/0/attributes/version": 1,
        }),
    ),
    (
        Step(call="listDocumentChanges", token="$token", parameters={"office": "$office", "after": "$after"}),
        Expected({"/data": [], "/meta/paging/after": "$after"}),
    ),
    (
        Step(call="searchDocuments", token="$token", parameters={"office": "$office"}, body=_search("bankAccountStatement")),
        Expected({"/included/documents/0/id": "$document", "/data/relationships/documents/data/0/id": "$document"}),
    ),
    (
        Step(call="readDocument", token="$token", parameters=STATEMENT),
        Expected({"/data/id": "$document", "/data/type": "bankAccountStatement", "/data/relationships/client/data/id": "$client"}),
    ),
    (
        Step(call="readDocumentFile", token="$token", parameters=STATEMENT),
        Expected({"/begins": "0000"}),
    ),
    (
        Step(call="readDocumentFile", token="$token", parameters={**STATEMENT, "format": PDF}),
        Expected({"/begins": "%PDF"}),
    ),
    (
        Step(
            call="downloadDocuments", token="$token", parameters={"office": "$office"},
            body={"data": {"type": "documentDownload", "attributes": {"documents": [{**ONE, "accept": CODA}, {**ONE, "accept": PDF}]}}},
        ),
        Expected({"/begins": "PK\x03\x04"}),
    ),
    (
        Step(
            call="acknowledgeDocuments", token="$token", parameters={"office": "$office"},
            body={"data": [{
                "type": "acknowledgement",
                "attributes": {"status": "booked", "reference": "2026/118"},
                "relationships": {"document": {"data": ONE}},
            }]},
        ),
        Expected({"/data/0/attributes/status": "booked", "/data/0/attributes/reference": "2026/118"}),
    ),
]  # fmt: skip

# Every refusal of the guide. The first ones follow from what the walk did.
REFUSALS: list[tuple[Step, Expected]] = [
    (
        Step(call="issueToken", basic=["$id", "no secret"], parameters={"grant_type": "client_credentials"}),
        Expected(refusal=(401, "invalid_client")),
    ),
    _refused(401, "unauthorized", "listConsents", token="no token"),
    _refused(400, "validationError", "requestConsent", body=_request("0100509124")),
    _refused(404, "unknownAccountingOffice", "requestConsent", body=_request("$nobody")),
    _refused(400, "invalidParameter", "listDocumentChanges", parameters={"office": "$office", "kinds": "letters"}),
    _refused(404, "notFound", "readDocument", parameters={**STATEMENT, "document": "$office"}),
    _refused(406, "notAcceptable", "readDocumentFile", parameters={**STATEMENT, "format": "application/xml"}),
    _refused(416, "invalidParameter", "readDocumentFile", parameters={**STATEMENT, "Range": "bytes=900000-"}),
    (
        Step(call="requestConsent", token="$token", parameters={"Ibanity-Idempotency-Key": "$language"}, body=_request("$number")),
        Expected({"/data/id": "$consent"}),
    ),
    _refused(
        409, "idempotencyConflict", "requestConsent",
        parameters={"Ibanity-Idempotency-Key": "$language"}, body=_request("$number", state="another"),
    ),
    _decide("pause", "allowed"),
    _refused(403, "consentPaused", "listClients", parameters={"office": "$office"}),
    _decide("resume", "allowed"),
    _decide("cancel", "cancelled"),
    _refused(403, "consentNotConfirmed", "readDocument", parameters=STATEMENT),
    (
        Step(call="requestConsent", token="$token", body=_request("$number"), keep={"consent": "/data/id"}),
        Expected({"/data/attributes/status": "unconfirmed"}),
    ),
    _decide("deny", "denied"),
    _refused(429, "tooManyRequests", "requestConsent", body=_request("$number")),
    _reading_refused(403, "termsToBeReaccepted", "terms"),
    _reading_refused(403, "accountingOfficeSuspended", "closed"),
    _reading_refused(403, "documentTypeNotAllowed", "unregistered"),
    _reading_refused(403, "documentTypeNotShared", "unshared"),
    _reading_refused(403, "partnerSuspended", "suspended"),
    _refused(403, "blockedByAccountingOffice", "requestConsent", token="$blockedToken", body=_request("$blockedNumber")),
    # No generated client sends these by itself: something on the way changes the call, or fails.
    *(
        _refused(status, code, "requestConsent", at=f"$front/{code}", body=_request("$number"))
        for status, code in (
            (400, "malformedBody"),
            (405, "methodNotAllowed"),
            (413, "payloadTooLarge"),
            (415, "unsupportedMediaType"),
            (500, "internalError"),
            (503, "temporarilyUnavailable"),
        )
    ),
    (
        Step(call="giveUpConsent", token="$token", parameters={"consent": "$consent"}),
        Expected(),
    ),
]  # fmt: skip

SCENARIO = WALK + REFUSALS
