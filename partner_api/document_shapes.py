"""The shapes of search, documents, changes and acknowledgements in the OpenAPI document.

These calls are read and written without serializers (docs/adr/0020-hot-path.md). Every object has
a name of its own: generators of clients make a class of each.
"""

from __future__ import annotations

from core.document_kinds import KINDS, TYPES, XML, DocumentKind, Kind
from partner_api.serializers.fields import COMPANY_NUMBER, Shape, constant

TEXT: Shape = {"type": "string"}
IDENTIFIER: Shape = {"type": "string", "format": "uuid"}
MOMENT: Shape = {"type": "string", "format": "date-time"}
FILE: Shape = {"type": "string", "format": "binary"}
MOMENT_OR_NULL: Shape = {"type": ["string", "null"], "format": "date-time"}
DOCUMENT_TYPE: Shape = {"type": "string", "enum": TYPES}
AMOUNT: Shape = {"type": "string", "pattern": r"^-?\d+\.\d{2,3}$", "examples": ["1532.08"]}
COUNT: Shape = {"type": "integer"}


def thing(required: list[str] | None = None, **members: Shape) -> Shape:
    """An object; unknown members are allowed, as everywhere in the contract."""
    shape: Shape = {"type": "object", "properties": members}
    return shape | ({"required": required} if required else {})


def ref(name: str) -> Shape:
    return {"$ref": f"#/components/schemas/{name}"}


def many(item: Shape, **bounds: int) -> Shape:
    return {"type": "array", "items": item, **bounds}


def resource(kind: Shape | str, identifier: Shape, **members: Shape) -> Shape:
    type_of = constant(kind) if isinstance(kind, str) else kind
    return thing(["type", "id", *members], type=type_of, id=identifier, **members)


# What the resource of each kind says beside its version and its date.
ATTRIBUTES: dict[Kind, dict[str, Shape]] = {
    Kind.BANK_ACCOUNT_STATEMENT: {
        "iban": {**TEXT, "examples": ["BE68539007547034"]},
        "number": {**TEXT, "examples": ["042"]},
        "day": {"type": "string", "format": "date"},
        "currency": {**TEXT, "examples": ["EUR"]},
        "openingBalance": AMOUNT,
        "closingBalance": AMOUNT,
    },
    Kind.PAYROLL_STATEMENT: {"socialOfficeId": TEXT},
    Kind.CREDIT_CARD_STATEMENT: {
        "bankName": TEXT,
        "billingPeriod": {**TEXT, "examples": ["2026-02"]},
        "clientReference": TEXT,
    },
    Kind.PURCHASE_INVOICE: {
        "availableContentTypes": many({**TEXT, "examples": [XML]}),
    },
    Kind.SALES_INVOICE: {"invoicingSoftware": TEXT},
}


def name_of(kind: DocumentKind) -> str:
    """What generators call the class of this kind."""
    return kind.type[0].upper() + kind.type[1:]


def _attributes(kind: DocumentKind) -> Shape:
    return thing(
        ["version", "replaces", kind.date_attribute],
        version={"type": "integer", "minimum": 1},
        replaces={"type": ["string", "null"], "description": "The id of the version before."},
        **{kind.date_attribute: MOMENT},
        **ATTRIBUTES[kind.kind],
    )


def _of_each_kind() -> dict[str, Shape]:
    shapes = {}
    for kind in KINDS:
        name = name_of(kind)
        shapes[f"{name}Attributes"] = _attributes(kind)
        shapes[name] = resource(
            kind.type,
            IDENTIFIER if kind.uuid_on_the_wire else TEXT,
            attributes=ref(f"{name}Attributes"),
            relationships=ref("DocumentRelationships"),
        )
    return shapes


# Software that waits for a kind it does not know yet ignores it (docs/partner-api/versions.md).
DOCUMENT: Shape = {
    "oneOf": [ref(name_of(kind)) for kind in KINDS],
    "discriminator": {
        "propertyName": "type",
        "mapping": {kind.type: ref(name_of(kind))["$ref"] for kind in KINDS},
    },
}
DOCUMENTS = thing(["documents"], documents=many(ref("Document")))
SEARCHED: dict[str, Shape] = {
    "SearchRequest": thing(["data"], data=ref("SearchRequestData"), meta=ref("SearchRequestMeta")),
    "SearchRequestData": thing(
        ["attributes", "relationships"],
        type=constant("documentSearch"),
        attributes=ref("SearchRequestAttributes"),
        relationships=ref("SearchRequestRelationships"),
    ),
    "SearchRequestAttributes": thing(
        ["documentType"],
        documentType=DOCUMENT_TYPE,
        **{"from": MOMENT_OR_NULL},
        to=MOMENT_OR_NULL,
    ),
    "SearchRequestRelationships": thing(["clients"], clients=ref("SearchedClients")),
    "SearchedClients": thing(["data"], data=many(ref("SearchedClient"), minItems=1, maxItems=5000)),
    "SearchedClient": thing(["id"], type=constant("client"), id=COMPANY_NUMBER),
    "SearchRequestMeta": thing(paging=ref("SearchRequestPaging")),
    "SearchRequestPaging": thing(
        limit={"type": ["integer", "null"], "minimum": 1, "maximum": 1000, "default": 100},
        after={**IDENTIFIER, "type": ["string", "null"]},
    ),
    "Search": thing(
        ["data", "included", "meta"],
        data=ref("SearchData"),
        included=ref("Documents"),
        meta=ref("SearchMeta"),
    ),
    "SearchData": resource(
        "documentSearch",
        IDENTIFIER,
        attributes=ref("SearchAttributes"),
        relationships=ref("SearchRelationships"),
    ),
    "SearchAttributes": thing(
        ["documentType", "from", "to"],
        documentType=DOCUMENT_TYPE,
        to=MOMENT,
        **{"from": MOMENT},
    ),
    "SearchRelationships": thing(
        ["clients", "documents"], clients=ref("ClientLinkages"), documents=ref("DocumentLinkages")
    ),
    "SearchMeta": thing(
        ["paging"],
        paging=ref("Paging"),
        unknownClients=many(TEXT),
        excludedClients={"type": "integer", "minimum": 1},
    ),
}
CHANGED: dict[str, Shape] = {
    "DocumentChanges": thing(
        ["data", "included", "meta"],
        data=many(ref("DocumentChange")),
        included=ref("Documents"),
        meta=ref("ChangesMeta"),
    ),
    "DocumentChange": resource(
        "documentChange",
        IDENTIFIER,
        attributes=ref("ChangeAttributes"),
        relationships=ref("ChangeRelationships"),
    ),
    "ChangeAttributes": thing(
        ["change", "at"],
        change={"type": "string", "enum": ["available", "withdrawn"]},
        at=MOMENT,
    ),
    "ChangeRelationships": thing(
        ["document", "client"], document=ref("DocumentLinkage"), client=ref("ClientLinkage")
    ),
    "ChangesMeta": thing(["paging"], paging=ref("ChangesPaging")),
    "ChangesPaging": thing(["limit", "after"], limit=COUNT, after=IDENTIFIER),
}
ACKNOWLEDGED: dict[str, Shape] = {
    "Acknowledged": thing(["data"], data=many(ref("Acknowledgement")), errors=many(ref("Fault"))),
    "Acknowledgement": thing(
        ["type", "attributes", "relationships"],
        type=constant("acknowledgement"),
        attributes=ref("AcknowledgedAttributes"),
        relationships=ref("AcknowledgementRelationships"),
    ),
    "AcknowledgedAttributes": thing(
        ["status", "reference", "reason", "at"],
        status={"type": "string", "enum": ["received", "booked", "rejected"]},
        reference={"type": ["string", "null"]},
        reason={"type": ["string", "null"]},
        at=MOMENT,
    ),
}
COMPONENTS: dict[str, Shape] = {
    **_of_each_kind(),
    **SEARCHED,
    **CHANGED,
    **ACKNOWLEDGED,
    "ClientIdentifier": resource("client", TEXT),
    "ClientLinkage": thing(["data"], data=ref("ClientIdentifier")),
    "ClientLinkages": thing(["data"], data=many(ref("ClientIdentifier"))),
    "DocumentLinkages": thing(["data"], data=many(ref("DocumentIdentifier"))),
    "DocumentRelationships": thing(["client"], client=ref("ClientLinkage")),
    "Document": DOCUMENT,
    "Documents": DOCUMENTS,
    "OneDocument": thing(["data"], data=ref("Document")),
}
