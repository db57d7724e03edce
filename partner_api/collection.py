"""The calls of the API as a Postman collection (v2.1), made from the OpenAPI document.

Bruno and other programs import the same file. A call that gives a token or an identifier keeps it
in a variable, so that the calls after it work as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from partner_api.serializers.fields import Shape

V21 = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
OPEN: Shape = {"type": "noauth"}
BEARER: Shape = {"type": "bearer", "bearer": [{"key": "token", "value": "{{token}}"}]}
BASIC: Shape = {
    "type": "basic",
    "basic": [
        {"key": "username", "value": "{{clientId}}"},
        {"key": "password", "value": "{{clientSecret}}"},
    ],
}
# What a caller fills in, or a call before this one did.
VARIABLES = (
    *("clientId", "clientSecret", "officeNumber", "token", "consent", "office"),
    *("client", "document", "name", "event"),
)
FILLED_IN = {
    "accountingOfficeCompanyNumber": "{{officeNumber}}",
    "redirectUri": None,
    "state": None,
    "url": "https://software.example/hook",
    "reason": None,
    "from": None,
    "to": None,
    "after": None,
    "accept": None,
    "content": None,
    "token": "{{token}}",
}
FIRST = "const first = pm.response.json().included.documents[0];"
KEEP_FIRST = [
    FIRST,
    "if (first) pm.collectionVariables.set('document', first.id);",
    "if (first) pm.collectionVariables.set('client', first.relationships.client.data.id);",
]
# What is kept of an answer, by the call; these calls stand first in their folder, in this order.
SCRIPTS = {
    "issueToken": ["pm.collectionVariables.set('token', pm.response.json().access_token);"],
    "requestConsent": [
        "const consent = pm.response.json().data;",
        "pm.collectionVariables.set('consent', consent.id);",
        "pm.collectionVariables.set('office', consent.attributes.accountingOfficeId);",
    ],
    "makeSandboxOffice": [
        "const office = pm.response.json().data;",
        "pm.collectionVariables.set('office', office.id);",
        "const number = office.attributes.accountingOfficeCompanyNumber;",
        "pm.collectionVariables.set('officeNumber', number);",
        "pm.collectionVariables.set('client', office.relationships.clients.data[0].id);",
    ],
    "listDocumentChanges": KEEP_FIRST,
    "searchDocuments": KEEP_FIRST,
}


def collection(document: Shape, host: str) -> Shape:
    """The collection of this OpenAPI document, for the portal at this address."""
    calls = list(_calls(document))
    folders = [
        {
            "name": tag["name"],
            "description": tag["description"],
            "item": [item for name, item in calls if name == tag["name"]],
        }
        for tag in document["tags"]
    ]
    variables = {
        **dict.fromkeys(VARIABLES, ""),
        "portal": host,
        "kind": _kinds(document)[0],
    }
    return {
        "info": {
            "name": document["info"]["title"],
            "description": f"{document['info']['description']} See {host}/developers.",
            "schema": V21,
        },
        "auth": BEARER,
        "variable": [{"key": key, "value": value} for key, value in variables.items()],
        "item": [folder for folder in folders if folder["item"]],
    }


def _kinds(document: Shape) -> list[str]:
    """The words of the kinds in addresses."""
    found: list[str] = next(
        parameter["schema"]["enum"]
        for operations in document["paths"].values()
        for operation in operations.values()
        for parameter in operation.get("parameters", [])
        if (parameter["in"], parameter["name"]) == ("path", "kind")
    )
    return found


def _calls(document: Shape) -> Iterator[tuple[str, Shape]]:
    calls = [
        (path, method.upper(), operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]
    places = {name: place for place, name in enumerate(SCRIPTS)}
    calls.sort(key=lambda call: places.get(call[2]["operationId"], len(places)))
    for path, method, operation in calls:
        yield operation["tags"][0], _call(document, path, method, operation)


def _call(document: Shape, path: str, method: str, operation: Shape) -> Shape:
    request: Shape = {
        "method": method,
        "description": operation["description"],
        "header": [],
        "url": _url(path, operation.get("parameters", [])),
    }
    schemes = [name for each in operation["security"] for name in each]
    if not schemes:
        request["auth"] = OPEN
    elif schemes == ["clientCredentials"]:
        request["auth"] = BASIC
    if body := operation.get("requestBody"):
        media_type, content = next(iter(body["content"].items()))
        example = example_of(content["schema"], document)
        request["header"].append({"key": "Content-Type", "value": media_type})
        request["body"] = _body(media_type, example)
    item: Shape = {"name": operation["summary"], "request": request, "response": []}
    if script := SCRIPTS.get(operation["operationId"]):
        event = {"listen": "test", "script": {"type": "text/javascript", "exec": script}}
        item["event"] = [event]
    return item


def _url(path: str, parameters: list[Shape]) -> Shape:
    """The address with its variables; a query parameter waits until it is switched on."""
    parts = [
        f":{part[1:-1]}" if part.startswith("{") else part for part in path.strip("/").split("/")
    ]
    query = [
        {"key": each["name"], "value": "", "disabled": True}
        for each in parameters
        if each["in"] == "query"
    ]
    named = [part[1:] for part in parts if part.startswith(":")]
    return {
        "raw": f"{{{{portal}}}}/{'/'.join(parts)}",
        "host": ["{{portal}}"],
        "path": parts,
        "query": query,
        "variable": [{"key": name, "value": f"{{{{{name}}}}}"} for name in named],
    }


def _body(media_type: str, example: Any) -> Shape:
    if media_type == "application/x-www-form-urlencoded":
        fields = [{"key": key, "value": str(value)} for key, value in example.items()]
        return {"mode": "urlencoded", "urlencoded": fields}
    raw = orjson.dumps(example, option=orjson.OPT_INDENT_2).decode()
    return {"mode": "raw", "raw": raw, "options": {"raw": {"language": "json"}}}


def example_of(shape: Shape, document: Shape, name: str = "") -> Any:
    """A value of this shape that the API takes."""
    while "$ref" in shape:
        shape = document["components"]["schemas"][shape["$ref"].rpartition("/")[2]]
    if name in FILLED_IN:
        return FILLED_IN[name]
    if "properties" in shape:
        members = {
            member: example_of(
                inner, document, f"{shape_name(shape)}.id" if member == "id" else member
            )
            for member, inner in shape["properties"].items()
        }
        return {member: value for member, value in members.items() if value is not None}
    if shape.get("type") == "array":
        return [example_of(shape["items"], document)]
    values = [shape[known] for known in ("const", "default") if known in shape]
    if values := values + shape.get("enum", []):
        return values[0]
    if name.endswith(".id"):
        return f"{{{{{name.removesuffix('.id')}}}}}"
    return f"{{{{{name}}}}}" if name in VARIABLES else f"my {name}"


def shape_name(shape: Shape) -> str:
    """The type of a resource that the body names, where it has only one."""
    return str(shape["properties"].get("type", {}).get("const", "document"))
