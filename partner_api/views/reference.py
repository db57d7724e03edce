"""The contract for machines (OpenAPI) and for people (its readable page)."""

from __future__ import annotations

from functools import cache

import orjson
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from partner_api.views.root import Open


@cache
def openapi() -> bytes:
    """The document; it only changes with the code."""
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    return orjson.dumps(generator.get_schema(request=None, public=True))  # type: ignore[no-untyped-call]


class OpenApi(Open):
    """The document, for generators of clients and for tests."""

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        return HttpResponse(openapi(), content_type="application/json")


@require_safe
def developers(request: HttpRequest) -> HttpResponse:
    """The page a software maker reads: every call, to try out in the browser."""
    return render(request, "partner_api/developers.html")
