"""The root document: where everything is, as templates on the host the caller used."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from documents.kinds import KINDS
from partner_api.errors import not_found
from partner_api.schema import EVERYWHERE, answers, ref
from partner_api.views.base import Resource


class Open(Resource):
    """A resource that needs no token."""

    authentication_classes: list[Any] = []


class Root(Open):
    @answers("Where everything is", [(200, ref("Root"), ["application/json"], "")], EVERYWHERE)
    def get(self, request: Request) -> HttpResponse:
        base = request.build_absolute_uri("/codabox-connect")
        office = f"{base}/accounting-offices/{{accountingOfficeId}}"
        documents = {
            f"{kind.type}s": f"{office}/clients/{{clientId}}/{kind.path}/{{{kind.type}Id}}"
            for kind in KINDS
        }
        return Response(
            {
                "links": {
                    "self": base,
                    "oauth2": {"token": f"{base}/oauth2/token"},
                    "accountingOfficeConsents": (
                        f"{base}/accounting-office-consents/{{accountingOfficeConsentId}}"
                    ),
                    "accountingOffices": {
                        "documentSearches": f"{office}/document-searches",
                        **documents,
                    },
                }
            },
            content_type="application/json",
        )


class Nothing(Open):
    """Every path that is no resource."""

    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise not_found()
