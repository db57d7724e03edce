"""The contract for machines (OpenAPI), and the guide for people."""

from __future__ import annotations

import orjson
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from partner_api import call_reference, guide
from partner_api.collection import collection
from partner_api.hot_path.resource import OpenResource
from partner_api.openapi import openapi


class OpenApi(OpenResource):
    """The document, for generators of clients and for tests."""

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        document = orjson.loads(openapi())
        # What differs from one portal to the next, as the caller reached it.
        host = _host(request)
        document["servers"] = [{"url": host}]
        document["info"]["contact"] = {"name": "Guide", "url": f"{host}/developers"}
        return HttpResponse(orjson.dumps(document), content_type="application/json")


@require_safe
def postman(request: HttpRequest) -> HttpResponse:
    """All calls as one file that Postman, Bruno and others import."""
    body = orjson.dumps(collection(orjson.loads(openapi()), _host(request)))
    response = HttpResponse(body, content_type="application/json")
    response["Content-Disposition"] = 'attachment; filename="codabox-connect.postman.json"'
    return response


def _host(request: HttpRequest | Request) -> str:
    return request.build_absolute_uri("/").rstrip("/")


@require_safe
def developers(request: HttpRequest) -> HttpResponse:
    """The first page of the guide, or what a search in it finds."""
    q = request.GET.get("q", "").strip()
    if not q:
        return guide_page(request, guide.FIRST)
    context = {"menu": guide.menu(), "q": q, "found": guide.search(q)}
    return render(request, "partner_api/guide_search.html", context)


@require_safe
def guide_page(request: HttpRequest, name: str) -> HttpResponse:
    """One page of the guide."""
    try:
        page = guide.page(name)
    except KeyError as error:
        raise Http404 from error
    context = {"menu": guide.menu(), "current": name, "page": page}
    return render(request, "partner_api/guide.html", context)


@require_safe
def calls(request: HttpRequest) -> HttpResponse:
    """Every call, for people to read."""
    context = {
        "menu": guide.menu(),
        "current": "reference",
        "groups": call_reference.groups(),
    }
    return render(request, "partner_api/reference.html", context)
