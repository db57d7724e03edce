"""The contract that was promised, and what a new one breaks of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from partner_api.openapi import openapi
from tests.conftest import ROOT

PROMISED = Path(__file__).with_name("contract.json")
Shape = dict[str, Any]
# A request that kept to the old limit must not meet a narrower one.
LOWER_IS_NARROWER = ("maxLength", "maximum", "maxItems")
TYPE_NAMES = {str: "string", int: "integer", bool: "boolean", type(None): "null"}
HIGHER_IS_NARROWER = ("minLength", "minimum", "minItems")


def contract() -> Shape:
    """The document as software reads it, and the codes of the errors that our guide names.

    The token endpoint has the codes of OAuth, which are not ours to change.
    """
    guide = (ROOT / "docs" / "partner-api" / "errors.md").read_text()
    ours, heading, _oauth = guide.partition("\n## The token endpoint")
    assert heading
    rows = re.findall(r"^\| (\d{3} [^|]+)\|", ours, re.MULTILINE)
    codes = {code for row in rows for code in re.findall(r"`(\w+)`", row)}
    return {"codes": sorted(codes), "openapi": orjson.loads(openapi())}


def promised() -> Shape:
    kept: Shape = json.loads(PROMISED.read_text())
    return kept


def promise(now: Shape) -> None:
    """Write the contract down anew, on purpose."""
    PROMISED.write_text(json.dumps(now, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def breaking(old: Shape, new: Shape) -> list[str]:
    """What software that keeps to the old contract would trip over."""
    return list(Difference(old["openapi"], new["openapi"]).all()) + [
        f"code {code} is gone" for code in old["codes"] if code not in new["codes"]
    ]


class Difference:
    """Two documents, walked side by side; what is only in the new one is no break."""

    def __init__(self, old: Shape, new: Shape) -> None:
        self.old, self.new = old, new

    def all(self) -> Iterator[str]:
        for path, operations in self.old["paths"].items():
            for method, was in operations.items():
                now = self.new["paths"].get(path, {}).get(method)
                where = f"{method.upper()} {path}"
                if now is None:
                    yield f"{where} is gone"
                else:
                    yield from self._operation(was, now, where)

    def _operation(self, old: Shape, new: Shape, where: str) -> Iterator[str]:
        if old.get("security", []) != new.get("security", []):
            yield f"{where}: another way to authenticate"
        yield from self._parameters(old.get("parameters", []), new.get("parameters", []), where)
        was, now = old.get("requestBody", {}), new.get("requestBody", {})
        if now.get("required") and not was.get("required"):
            yield f"{where}: the body is required"
        yield from self._contents(was, now, f"{where} request", asked=True)
        for status, answer in old["responses"].items():
            if status not in new["responses"]:
                yield f"{where}: status {status} is gone"
                continue
            now = new["responses"][status]
            gone = set(answer.get("headers", {})) - set(now.get("headers", {}))
            yield from (f"{where} {status}: header {name} is gone" for name in sorted(gone))
            yield from self._contents(answer, now, f"{where} {status}", asked=False)

    def _parameters(self, old: list[Shape], new: list[Shape], where: str) -> Iterator[str]:
        was = {(each["in"], each["name"]): each for each in old}
        now = {(each["in"], each["name"]): each for each in new}
        for key, each in was.items():
            if key not in now:
                yield f"{where}: parameter {key[1]} is gone"
            else:
                place = f"{where} parameter {key[1]}"
                yield from self._shape(each["schema"], now[key]["schema"], place, asked=True)
        for key, each in now.items():
            if each.get("required") and not was.get(key, {}).get("required"):
                yield f"{where}: parameter {key[1]} is required"

    def _contents(self, old: Shape, new: Shape, where: str, *, asked: bool) -> Iterator[str]:
        for media_type, was in old.get("content", {}).items():
            now = new.get("content", {}).get(media_type)
            if now is None:
                yield f"{where}: {media_type} is gone"
            else:
                was, now = was.get("schema", {}), now.get("schema", {})
                yield from self._shape(was, now, where, asked=asked)

    def _shape(self, old: Shape, new: Shape, where: str, *, asked: bool) -> Iterator[str]:
        """`asked`: software sends this; otherwise it reads it."""
        old, new = _resolved(old, self.old), _resolved(new, self.new)
        yield from self._values(old, new, where, asked=asked)
        was, now = set(old.get("required", [])), set(new.get("required", []))
        for name in sorted(now - was if asked else was - now):
            yield f"{where}: {name} is {'required' if asked else 'no longer certain'}"
        for name, member in old.get("properties", {}).items():
            if name not in new.get("properties", {}):
                yield f"{where}: member {name} is gone"
            else:
                inner = new["properties"][name]
                yield from self._shape(member, inner, f"{where}.{name}", asked=asked)
        if "items" in old:
            inner = new.get("items", {})
            yield from self._shape(old["items"], inner, f"{where}[]", asked=asked)
        for word in ("oneOf", "anyOf", "allOf"):
            kept = new.get(word, [])
            for n, each in enumerate(old.get(word, [])):
                if n >= len(kept):
                    yield f"{where}: choice {n} of {word} is gone"
                else:
                    yield from self._shape(each, kept[n], f"{where} {word} {n}", asked=asked)

    def _values(self, old: Shape, new: Shape, where: str, *, asked: bool) -> Iterator[str]:
        """The values themselves: narrower than before is a break for who sends, wider for who reads."""
        was, now = _types(old), _types(new)
        if (was - now if asked else now - was) or (was and not now and not asked):
            yield f"{where}: type {sorted(was)} became {sorted(now)}"
        only_before, only_now = _only(old), _only(new)
        gone = [value for value in only_before if value not in (only_now or [value])]
        if gone or (only_now and not only_before and asked):
            yield f"{where}: value {gone or 'free before'} is gone"
        for word in ("const", "pattern", "format"):
            if old.get(word) != new.get(word) and (word in new or not asked):
                yield f"{where}: {word} {old.get(word)} became {new.get(word)}"
        for word in LOWER_IS_NARROWER if asked else ():
            if new.get(word, float("inf")) < old.get(word, float("inf")):
                yield f"{where}: {word} is {new[word]}"
        for word in HIGHER_IS_NARROWER if asked else ():
            if new.get(word, 0) > old.get(word, 0):
                yield f"{where}: {word} is {new[word]}"


def _types(shape: Shape) -> set[str]:
    """The types as they are told; where they are not, those of the only values."""
    told = shape.get("type", [TYPE_NAMES[type(value)] for value in _only(shape)])
    return {told} if isinstance(told, str) else set(told)


def _only(shape: Shape) -> list[Any]:
    """The values that a shape is bound to; none: it is free."""
    values: list[Any] = shape.get("enum", [shape["const"]] if "const" in shape else [])
    return values


def _resolved(shape: Shape, document: Shape) -> Shape:
    while "$ref" in shape:
        shape = document["components"]["schemas"][shape["$ref"].rpartition("/")[2]]
    return _one(shape, document) if "discriminator" in shape else shape


def _one(union: Shape, document: Shape) -> Shape:
    """What software that knows of no union reads: any member, and as certain only what all have."""
    shapes = [_resolved(each, document) for each in union["oneOf"]]
    members: Shape = {}
    for name in dict.fromkeys(name for shape in shapes for name in shape["properties"]):
        found = [
            _resolved(shape["properties"][name], document)
            for shape in shapes
            if name in shape["properties"]
        ]
        members[name] = found[0] if len(found) == 1 else _merged(found, document)
    required = set.intersection(*(set(shape["required"]) for shape in shapes))
    return {"type": "object", "properties": members, "required": sorted(required)}


def _merged(shapes: list[Shape], document: Shape) -> Shape:
    if all("properties" in shape for shape in shapes):
        return _one({"oneOf": shapes}, document)
    merged = {
        word: value
        for word, value in shapes[0].items()
        if all(shape.get(word) == value for shape in shapes)
    }
    if all("enum" in shape for shape in shapes):
        merged["enum"] = [value for shape in shapes for value in shape["enum"]]
    return merged
