"""The contract as OpenAPI 3.1: what drf-spectacular cannot learn from serializers and views.

The shapes of the hot path stand in `document_shapes`, webhooks in `webhook_shapes`; this is what
every call of the API has in common.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.serializers import ListSerializer

from partner_api import document_shapes, webhook_shapes
from partner_api.document_shapes import IDENTIFIER, TEXT
from partner_api.errors import MEDIA_TYPE
from partner_api.serializers.errors import ErrorsSerializer
from partner_api.serializers.fields import Shape

WHY = {
    400: "Something in the request is wrong; all faults at once.",
    401: "The token is missing, unknown, expired or revoked; `detail` says which.",
    403: "The partner may not do this now; `code` says who can change that.",
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
REQUEST_ID = OpenApiParameter(
    "ibanity-request-id",
    IDENTIFIER,
    OpenApiParameter.HEADER,
    description="Of this call; the same id is in our log.",
    response=True,
)
RATE_LIMIT = [
    OpenApiParameter(name, TEXT, OpenApiParameter.HEADER, description=description, response=True)
    for name, description in (
        ("RateLimit-Policy", "How many calls (or tokens) a partner has in a window of seconds."),
        ("RateLimit", "How many are left (r) for how many seconds (t)."),
    )
]
# What a refusal says in its headers.
REFUSAL_HEADERS = [
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
NOT_MODIFIED = {304: OpenApiResponse(description="Unchanged since the ETag in `If-None-Match`.")}


def refusals(*statuses: int) -> dict[tuple[int, str], OpenApiResponse]:
    """The refusals of one method, in addition to those that every method has."""
    return {
        (status, MEDIA_TYPE): OpenApiResponse(ErrorsSerializer, description=WHY[status])
        for status in statuses
    }


# The keys of webhooks have two addresses, and a generator needs a name for each.
OPERATION_IDS = {
    "/codabox-connect/webhooks": "readWebhooks",
    "/codabox-connect/webhooks/keys": "listSigningKeys",
    "/webhooks": "readWebhooksAtTheRoot",
    "/webhooks/keys": "listSigningKeysAtTheRoot",
}
# In which group of the reference a call stands, by a word of its address; the first that fits.
TAGS = {
    "sandbox": "Sandbox",
    "oauth2": "Tokens",
    "consents": "Consents",
    "webhooks": "Webhooks and events",
    "events": "Webhooks and events",
    "accounting-offices": "Documents",
}
GROUPS = {
    "Start": "Where everything is.",
    "Tokens": "Credentials for a token of half an hour.",
    "Consents": "Ask an office for access, and read what it decided.",
    "Webhooks and events": "What the portal tells you, and where it sends it.",
    "Documents": "What an office shares: search, follow, download, acknowledge.",
    "Sandbox": "For software of the sandbox: make an office, decide for it, deliver to it.",
    webhook_shapes.RECEIVED: "What the portal sends to the address that you register.",
}
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    TEXT,
    OpenApiParameter.HEADER,
    description="The `ETag` that you have: the answer is 304 where nothing changed.",
)
RANGE_HEADERS = [
    IF_NONE_MATCH,
    OpenApiParameter(
        "Range", TEXT, OpenApiParameter.HEADER, description="One part, such as `bytes=0-1023`."
    ),
    OpenApiParameter(
        "If-Range",
        TEXT,
        OpenApiParameter.HEADER,
        description="The `ETag` of the part you have: another file comes whole.",
    ),
]


class ApiSchema(AutoSchema):
    """Adds to each method what all of them answer: a request id, and the general refusals."""

    def get_operation_id(self) -> str:
        return OPERATION_IDS.get(self.path) or super().get_operation_id()

    def get_tags(self) -> list[str]:
        return [next((tag for word, tag in TAGS.items() if word in self.path), "Start")]

    def get_operation(self, *args: Any, **options: Any) -> Shape | None:
        """State `security: []` where a call needs no token: checkers report a missing one."""
        operation: Shape | None = super().get_operation(*args, **options)
        if operation is not None:
            operation.setdefault("security", [])
        return operation

    def get_override_parameters(self) -> list[Any]:
        return [*super().get_override_parameters(), REQUEST_ID, *RATE_LIMIT, *REFUSAL_HEADERS]

    def _get_request_body(self, *args: Any, **options: Any) -> Shape | None:
        """The answer to an absent body says what is missing, and some clients send a query only."""
        body: Shape | None = super()._get_request_body(*args, **options)  # type: ignore[no-untyped-call]
        if body is not None:
            body.pop("required", None)
        return body

    def _unwrap_list_serializer(self, serializer: Any, direction: Any) -> Shape | None:
        """Say how long a list is at least and at most, which drf-spectacular leaves out."""
        shape: Shape | None = super()._unwrap_list_serializer(serializer, direction)
        if shape is not None and isinstance(serializer, ListSerializer):
            for word, name in (("minItems", "min_length"), ("maxItems", "max_length")):
                bound = getattr(serializer, name)
                shape |= {} if bound is None else {word: bound}
        return shape

    def _get_response_bodies(self, *args: Any, **options: Any) -> Shape:
        bodies: Shape = super()._get_response_bodies(*args, **options)
        general = [400, 401, 429] if self.view.get_authenticators() else []
        for status in [*general, 405, 500, 503]:
            answer = OpenApiResponse(ErrorsSerializer, description=WHY[status])
            described = self._get_response_for_code(  # type: ignore[no-untyped-call]
                answer, str(status), [MEDIA_TYPE]
            )
            bodies.setdefault(str(status), described)
        return bodies


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "partner_api.hot_path.authentication.BearerToken"
    name = "bearer"

    def get_security_definition(self, auto_schema: Any) -> Shape:
        return {"type": "http", "scheme": "bearer"}


def complete(result: Shape, **_options: Any) -> Shape:
    """Add the shapes without a serializer, webhooks, links and groups (a generator's hook)."""
    result["info"]["license"] = {"name": "Apache 2.0", "identifier": "Apache-2.0"}
    components = result.setdefault("components", {})
    shapes = components.get("schemas", {}) | document_shapes.COMPONENTS | webhook_shapes.COMPONENTS
    for shape in shapes.values():
        for member in shape.get("properties", {}).values():
            # Requests have shapes of their own, and clients leave out what only answers have.
            member.pop("readOnly", None)
    components["schemas"] = dict(sorted(shapes.items()))
    components.setdefault("securitySchemes", {})["clientCredentials"] = {
        "type": "http",
        "scheme": "basic",
    }
    components["pathItems"] = webhook_shapes.PATH_ITEMS
    webhook_shapes.add_links(result["paths"])
    result["webhooks"] = webhook_shapes.WEBHOOKS
    result["tags"] = [{"name": name, "description": says} for name, says in GROUPS.items()]
    return result


def in_path(**described: Shape) -> list[OpenApiParameter]:
    """Describe the variable parts of a path."""
    return [
        OpenApiParameter(name, shape, OpenApiParameter.PATH) for name, shape in described.items()
    ]
