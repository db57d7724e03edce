"""The contract for machines, as the code describes it."""

from __future__ import annotations

from functools import cache

import orjson
from drf_spectacular.generators import SchemaGenerator


@cache
def openapi() -> bytes:
    """The document; it only changes with the code."""
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    return orjson.dumps(generator.get_schema(request=None, public=True))  # type: ignore[no-untyped-call]
