"""What a screen reader finds in a tagged PDF."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from pypdf import PdfReader


class Part(NamedTuple):
    """A part of the structure tree; `depth` 2 is a part of the document itself."""

    depth: int
    name: str
    attributes: Any


def parts(paper: PdfReader) -> list[Part]:
    """All parts, in the order in which they are read."""
    root: Any = paper.trailer["/Root"]
    return list(_walk(root["/StructTreeRoot"], 0))


def _walk(node: Any, depth: int) -> Iterator[Part]:
    node = node.get_object()
    if isinstance(node, list):
        for one in node:
            yield from _walk(one, depth)
    elif isinstance(node, dict):
        if "/S" in node:
            yield Part(depth, str(node["/S"]), node.get("/A", [{}])[0])
        if "/K" in node:
            yield from _walk(node["/K"], depth + 1)
