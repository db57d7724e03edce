"""Every call of the API for people to read, made from the OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

import orjson

from partner_api.collection import example_of
from partner_api.openapi import openapi
from partner_api.serializers.fields import Shape

NEEDS = {"bearer": "an access token", "clientCredentials": "your client id and secret (Basic)"}


class Parameter(NamedTuple):
    """What the address or a header of a call says."""

    name: str
    place: str
    description: str


class Answer(NamedTuple):
    """A status with what it means."""

    status: str
    description: str
    media_types: str


class Call(NamedTuple):
    """One call: what it needs, what it sends, and what comes back."""

    name: str
    method: str
    path: str
    summary: str
    description: str
    needs: str
    parameters: Sequence[Parameter]
    body: str
    answers: Sequence[Answer]


class Group(NamedTuple):
    """Calls that stand together."""

    name: str
    description: str
    calls: Sequence[Call]


@cache
def groups() -> list[Group]:
    document: Shape = orjson.loads(openapi())
    calls = list(_calls(document))
    found = [
        Group(
            tag["name"], tag["description"], [call for name, call in calls if name == tag["name"]]
        )
        for tag in document["tags"]
    ]
    return [group for group in found if group.calls]


def _calls(document: Shape) -> Iterator[tuple[str, Call]]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            schemes = [name for each in operation["security"] for name in each]
            yield (
                operation["tags"][0],
                Call(
                    operation["operationId"],
                    method.upper(),
                    path,
                    operation["summary"],
                    operation["description"],
                    NEEDS[schemes[0]] if schemes else "",
                    [_parameter(each) for each in operation.get("parameters", [])],
                    _body(operation, document),
                    [_answer(*each) for each in sorted(operation["responses"].items())],
                ),
            )


def _parameter(described: Shape) -> Parameter:
    shape = described["schema"]
    values = ", ".join(shape.get("enum", []))
    bounds = f"{shape['minimum']} to {shape['maximum']}" if "maximum" in shape else ""
    words = described.get("description") or shape.get("description", "")
    says = [words, f"One of {values}." if values else "", f"{bounds}." if bounds else ""]
    return Parameter(described["name"], described["in"], " ".join(filter(None, says)))


def _body(operation: Shape, document: Shape) -> str:
    """An example of what is sent; a form as a form."""
    content: Any = operation.get("requestBody", {}).get("content", {})
    if not content:
        return ""
    media_type, described = next(iter(content.items()))
    example = example_of(described["schema"], document)
    if media_type == "application/x-www-form-urlencoded":
        return "&".join(f"{key}={value}" for key, value in example.items())
    return orjson.dumps(example, option=orjson.OPT_INDENT_2).decode()


def _answer(status: str, described: Shape) -> Answer:
    return Answer(status, described["description"], ", ".join(described.get("content", {})))
