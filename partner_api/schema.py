"""The contract as OpenAPI 3.1: shapes here, each view names its own answers with `answers`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema

from documents.kinds import KINDS
from partner_api.errors import MEDIA_TYPE
from partners.models import DocumentKind

V = TypeVar("V", bound=Callable[..., Any])
Shape = dict[str, Any]

TEXT: Shape = {"type": "string"}
IDENTIFIER: Shape = {"type": "string", "format": "uuid"}
MOMENT: Shape = {"type": "string", "format": "date-time"}
MOMENT_OR_NULL: Shape = {"type": ["string", "null"], "format": "date-time"}
COMPANY_NUMBER: Shape = {"type": "string", "pattern": "^[01][0-9]{9}$", "examples": ["0100509123"]}


def thing(required: list[str] | None = None, **members: Shape) -> Shape:
    """An object; unknown members are allowed, as everywhere in the contract."""
    shape: Shape = {"type": "object", "properties": members}
    return shape | ({"required": required} if required else {})


def ref(name: str) -> Shape:
    return {"$ref": f"#/components/schemas/{name}"}


def resource(kind: Shape | str, identifier: Shape, **members: Shape) -> Shape:
    type_of = {"const": kind} if isinstance(kind, str) else kind
    return thing(["type", "id", *members], type=type_of, id=identifier, **members)


DOCUMENT_TYPE: Shape = {"type": "string", "enum": DocumentKind.values}
CLIENT = thing(["data"], data=resource("client", TEXT))
COMPONENTS: dict[str, Shape] = {
    "Errors": thing(
        ["errors"],
        errors={
            "type": "array",
            "minItems": 1,
            "items": thing(
                ["code", "detail"],
                code=TEXT,
                detail=TEXT,
                source=thing(["pointer"], pointer=TEXT),
                meta=thing(attribute=TEXT, portalStatus=TEXT),
            ),
        },
    ),
    "TokenError": thing(["error"], error=TEXT, error_description=TEXT),
    "Token": thing(
        ["access_token", "expires_in", "token_type", "scope"],
        access_token={"type": "string", "maxLength": 100},
        expires_in={"type": "integer", "minimum": 61},
        token_type={"const": "bearer"},
        scope=TEXT,
    ),
    "TokenRequest": thing(["grant_type"], grant_type={"const": "client_credentials"}),
    "RevokeRequest": thing(token=TEXT),
    "Root": thing(
        ["links"],
        links=thing(
            ["self", "oauth2", "accountingOfficeConsents", "accountingOffices"],
            self=TEXT,
            oauth2=thing(["token"], token=TEXT),
            accountingOfficeConsents=TEXT,
            accountingOffices=thing(
                ["documentSearches", *(f"{kind.type}s" for kind in KINDS)],
                documentSearches=TEXT,
                **{f"{kind.type}s": TEXT for kind in KINDS},
            ),
        ),
    ),
    "ConsentRequest": thing(
        ["data"],
        data=thing(
            ["attributes"],
            type={"const": "accountingOfficeConsent"},
            attributes=thing(
                ["accountingOfficeCompanyNumber"],
                accountingOfficeCompanyNumber=COMPANY_NUMBER,
                redirectUri={"type": ["string", "null"], "format": "uri"},
                state={"type": ["string", "null"], "maxLength": 500},
            ),
        ),
    ),
    "Consent": thing(
        ["data"],
        data=resource(
            "accountingOfficeConsent",
            IDENTIFIER,
            attributes=thing(
                ["accountingOfficeCompanyNumber", "accountingOfficeId", "confirmationUri",
                 "requestedAt", "status", "portalStatus"],
                accountingOfficeCompanyNumber=COMPANY_NUMBER,
                accountingOfficeId=IDENTIFIER,
                confirmationUri={"type": "string", "format": "uri"},
                requestedAt=MOMENT,
                status={"enum": ["unconfirmed", "confirmed", "denied"]},
                portalStatus={"enum": ["to_be_determined", "allowed", "denied", "cancelled"]},
                decidedAt=MOMENT_OR_NULL,
                cancelledAt=MOMENT_OR_NULL,
                lapsedAt=MOMENT_OR_NULL,
                pausedAt=MOMENT_OR_NULL,
            ),
            links=thing(["self"], self=TEXT),
        ),
    ),
    "SearchRequest": thing(
        ["data"],
        data=thing(
            ["attributes", "relationships"],
            type={"const": "documentSearch"},
            attributes=thing(
                ["documentType"], documentType=DOCUMENT_TYPE, **{"from": MOMENT_OR_NULL},
                to=MOMENT_OR_NULL,
            ),
            relationships=thing(
                ["clients"],
                clients=thing(
                    ["data"],
                    data={
                        "type": "array",
                        "minItems": 1,
                        "maxItems": 5000,
                        "items": thing(["id"], type={"const": "client"}, id=COMPANY_NUMBER),
                    },
                ),
            ),
        ),
        meta=thing(
            paging=thing(
                limit={"type": ["integer", "null"], "minimum": 1, "maximum": 1000, "default": 100},
                after={**IDENTIFIER, "type": ["string", "null"]},
            )
        ),
    ),
    "Document": resource(
        DOCUMENT_TYPE,
        TEXT,
        attributes={"type": "object", "description": "As its kind has them, with its date."},
        relationships=thing(["client"], client=CLIENT),
    ),
    "Search": thing(
        ["data", "included", "meta"],
        data=resource(
            "documentSearch",
            IDENTIFIER,
            attributes=thing(
                ["documentType", "from", "to"], documentType=DOCUMENT_TYPE, to=MOMENT,
                **{"from": MOMENT},
            ),
            relationships=thing(
                ["clients", "documents"],
                clients=thing(["data"], data={"type": "array", "items": resource("client", TEXT)}),
                documents=thing(
                    ["data"], data={"type": "array", "items": resource(DOCUMENT_TYPE, TEXT)}
                ),
            ),
        ),
        included=thing(["documents"], documents={"type": "array", "items": ref("Document")}),
        meta=thing(
            ["paging"],
            paging=thing(["limit"], limit={"type": "integer"}, after=IDENTIFIER),
            unknownClients={"type": "array", "items": TEXT},
            excludedClients={"type": "integer", "minimum": 1},
        ),
    ),
    "Webhooks": thing(["links"], links=thing(["keys"], keys=TEXT)),
    "Keys": thing(
        ["keys"],
        keys={
            "type": "array",
            "maxItems": 2,
            "items": thing(
                ["kty", "n", "e", "kid", "use", "alg", "status"], kty={"const": "RSA"}, n=TEXT,
                e=TEXT, kid=TEXT, use={"const": "sig"}, alg={"const": "RS512"},
                status={"const": "ACTIVE"},
            ),
        },
    ),
    "Events": thing(
        ["data", "meta"],
        data={
            "type": "array",
            "items": resource(
                TEXT,
                IDENTIFIER,
                attributes=thing(["createdAt"], createdAt=MOMENT),
                relationships=thing(
                    ["accountingOfficeConsent"],
                    accountingOfficeConsent=thing(
                        ["data"], data=resource("accountingOfficeConsent", IDENTIFIER)
                    ),
                ),
            ),
        },
        meta=thing(
            ["paging"],
            paging=thing(["limit"], limit={"type": "integer"}, after=IDENTIFIER),
        ),
    ),
    "Deliveries": thing(["data"], data={"type": "array", "items": ref("OneDelivery")}),
    "Delivery": thing(["data"], data=ref("OneDelivery")),
    "OneDelivery": resource(
        "webhookDelivery",
        IDENTIFIER,
        attributes=thing(
            ["attempts", "answer", "deliveredAt", "givenUpAt"], attempts={"type": "integer"},
            answer={"type": ["string", "null"]}, deliveredAt=MOMENT_OR_NULL,
            givenUpAt=MOMENT_OR_NULL,
        ),
        relationships=thing(["event"], event=thing(["data"], data=resource(TEXT, IDENTIFIER))),
    ),
    "OneDocument": thing(["data"], data=ref("Document")),
}  # fmt: skip

WHY = {
    304: "Unchanged since the ETag in `If-None-Match`.",
    400: "Something in the request is wrong; all faults at once.",
    401: "The token is missing, unknown, expired or revoked.",
    403: "The partner asked this office for a consent, but may not read now.",
    404: "Never asked for, or does not exist: no difference to be seen.",
    405: "Another method; `Allow` names those that exist.",
    406: "The document does not come in the format that `Accept` asks for.",
    409: "The idempotency key was used with another body.",
    413: "The body is larger than 1 MiB.",
    415: "The body is no JSON in UTF-8, by its own `Content-Type`.",
    416: "The document is shorter than the range.",
    429: "Too many calls, or asked again too soon after a denial; see `Retry-After`.",
    500: "Our fault, and written down; still JSON.",
    503: "The database is away for a moment; see `Retry-After`. Nothing was changed.",
}
EVERYWHERE = [405, 500, 503]
AUTHENTICATED = [400, 401, 429, *EVERYWHERE]
REQUEST_ID = OpenApiParameter(
    "ibanity-request-id",
    IDENTIFIER,
    OpenApiParameter.HEADER,
    description="Of this call; the same id is in our log.",
    response=True,
)
# What a refusal says in its headers.
TOLD = [
    OpenApiParameter(name, shape, OpenApiParameter.HEADER, response=statuses)
    for name, shape, statuses in (
        ("WWW-Authenticate", TEXT, [401]),
        ("Allow", TEXT, [405]),
        ("Retry-After", {"type": "integer", "minimum": 1}, [429, 503]),
    )
]
IDEMPOTENCY_KEY = OpenApiParameter(
    "Ibanity-Idempotency-Key",
    {"type": "string", "maxLength": 255},
    OpenApiParameter.HEADER,
    description="The same key and body act once within 24 hours.",
)


def answers(
    summary: str,
    good: list[tuple[int, Shape | None, list[str], str]],
    bad: list[int],
    **options: Any,
) -> Callable[[V], V]:
    """Describe one method: `good` answers as (status, shape, media types, why), `bad` by status."""
    responses: dict[Any, Any] = {}
    for status, shape, media_types, why in good:
        for media_type in media_types or [MEDIA_TYPE]:
            # An empty answer has no media type.
            key = (status, media_type) if shape is not None else status
            responses[key] = OpenApiResponse(shape, description=why)
    for status in bad:
        if status == 304:
            responses[304] = OpenApiResponse(description=WHY[304])
        else:
            responses[(status, MEDIA_TYPE)] = OpenApiResponse(
                ref("Errors"), description=WHY[status]
            )
    options["parameters"] = [*options.get("parameters", []), REQUEST_ID, *TOLD]
    decorated: Callable[[V], V] = extend_schema(summary=summary, responses=responses, **options)
    return decorated


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "partner_api.authentication.BearerToken"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> Shape:
        return {"type": "http", "scheme": "bearer"}


def complete(result: Shape, **_options: Any) -> Shape:
    """Add the shapes that the views refer to (a hook of the generator)."""
    components = result.setdefault("components", {})
    components["schemas"] = COMPONENTS
    components.setdefault("securitySchemes", {})["clientCredentials"] = {
        "type": "http",
        "scheme": "basic",
    }
    return result


def body(name: str, *media_types: str) -> dict[str, Shape]:
    return dict.fromkeys(media_types or (MEDIA_TYPE, "application/json"), ref(name))


def in_path(**described: Shape) -> list[OpenApiParameter]:
    return [
        OpenApiParameter(name, shape, OpenApiParameter.PATH) for name, shape in described.items()
    ]


def in_query(**described: Shape) -> list[OpenApiParameter]:
    return [
        OpenApiParameter(name, shape, OpenApiParameter.QUERY) for name, shape in described.items()
    ]
