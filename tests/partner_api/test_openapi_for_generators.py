"""What generators of clients stumbled over, held without them.

The document was given to openapi-generator 7.26 (Java, Python, TypeScript), openapi-typescript 7,
Redocly and Spectral. Each rule here is something one of them could not read, or made ugly code of.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from partner_api.openapi import openapi

pytestmark = pytest.mark.requirement(56)

SHAPE: dict[str, Any] = orjson.loads(openapi())
SCHEMAS: dict[str, Any] = SHAPE["components"]["schemas"]
OPERATIONS = {
    operation["operationId"]: (operation, path)
    for path, operations in SHAPE["paths"].items()
    for operation in operations.values()
}
RECEIVED = [item["post"] for item in SHAPE["components"]["pathItems"].values()]
# A class of this name would hide one of the language itself.
NAMES_OF_LANGUAGES = {
    "Error",
    "Object",
    "Date",
    "File",
    "Map",
    "List",
    "Set",
    "String",
    "Exception",
}


def all_shapes() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, shape in SCHEMAS.items():
        for member, inner in {"": shape, **shape.get("properties", {})}.items():
            yield f"{name}.{member}", inner
    for name, (operation, _path) in OPERATIONS.items():
        for parameter in operation.get("parameters", []):
            yield f"{name} {parameter['name']}", parameter["schema"]


def test_every_value_has_a_type() -> None:
    """Java makes `Object` of a value without one, and Python `Any`."""
    for place, shape in all_shapes():
        assert {"type", "$ref", "oneOf"} & set(shape), place
        if "const" in shape:
            assert shape["enum"] == [shape["const"]], place
        if None in shape.get("enum", []):
            assert "null" in shape["type"], place
        assert len(set(shape.get("enum", []))) == len(shape.get("enum", [])), place


def test_no_member_is_read_only() -> None:
    """`to_dict()` and `to_json()` of a Python client leave such a member out of an answer."""
    for place, shape in all_shapes():
        assert "readOnly" not in shape, place


def test_every_object_has_a_name() -> None:
    """Otherwise its class is called SearchRequestDataRelationshipsClientsDataInner."""
    for name, shape in SCHEMAS.items():
        assert name not in NAMES_OF_LANGUAGES
        for member, inner in shape.get("properties", {}).items():
            assert "properties" not in inner, f"{name}.{member}"
            assert "properties" not in inner.get("items", {}), f"{name}.{member}[]"


def test_a_union_says_which_of_its_shapes_it_is() -> None:
    unions = [shape for shape in SCHEMAS.values() if "oneOf" in shape]
    assert unions
    for shape in unions:
        mapping = shape["discriminator"]["mapping"]
        assert list(mapping.values()) == [each["$ref"] for each in shape["oneOf"]]
        for word, address in mapping.items():
            told = SCHEMAS[address.rpartition("/")[2]]["properties"]
            assert told[shape["discriminator"]["propertyName"]]["const"] == word


def test_all_good_answers_of_a_call_begin_with_one_shape() -> None:
    """A generated method returns one type, that of the first; Java does not compile with two."""
    for name, (operation, _path) in OPERATIONS.items():
        firsts = {
            orjson.dumps(next(iter(answer["content"].values()))["schema"])
            for status, answer in operation["responses"].items()
            if status.startswith("2") and "content" in answer
        }
        assert len(firsts) <= 1, name


def test_every_file_can_be_had_by_a_call_that_gives_nothing_else() -> None:
    file = {"type": "string", "format": "binary"}
    for name in ("readDocumentFile", "readAttachment"):
        for status in ("200", "206"):
            content = OPERATIONS[name][0]["responses"][status]["content"]
            assert all(each["schema"] == file for each in content.values()), name


def test_every_call_says_whether_it_needs_a_token() -> None:
    for name, (operation, _path) in OPERATIONS.items():
        assert "security" in operation, name


def test_groups_calls_and_the_document_say_what_they_are() -> None:
    assert SHAPE["info"]["license"]["identifier"]
    assert all(tag["description"] for tag in SHAPE["tags"])
    for operation in RECEIVED:
        assert operation["summary"]
        assert operation["operationId"] not in OPERATIONS


def test_webhooks_stand_in_a_group_of_their_own_and_by_reference() -> None:
    """openapi-generator writes one file for a group, and its file of webhooks does not compile."""
    groups = {tag for operation, _path in OPERATIONS.values() for tag in operation["tags"]}
    assert not groups & {tag for operation in RECEIVED for tag in operation["tags"]}
    for name, item in SHAPE["webhooks"].items():
        assert item == {"$ref": f"#/components/pathItems/{name}"}


def test_every_link_leads_to_a_call_and_names_its_parameters() -> None:
    links = [
        link
        for operation, _path in OPERATIONS.values()
        for answer in operation["responses"].values()
        for link in answer.get("links", {}).values()
    ]
    assert {"readConsent", "searchDocuments", "readDocumentFile"} <= {
        link["operationId"] for link in links
    }
    for link in links:
        known = {each["name"] for each in OPERATIONS[link["operationId"]][0]["parameters"]}
        assert set(link["parameters"]) <= known, link["operationId"]
