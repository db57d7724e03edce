"""The root document: where everything is, as templates on the host that the caller used."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.document_kinds import KINDS
from partner_api.errors import not_found
from partner_api.hot_path.resource import OpenResource
from partner_api.serializers.root import RootSerializer


class Root(OpenResource):
    @extend_schema(operation_id="readRoot", summary="Where everything is", responses=RootSerializer)
    def get(self, request: Request) -> Response:
        """Templates of all addresses of the API."""
        base = request.build_absolute_uri("/codabox-connect")
        office = f"{base}/accounting-offices/{{accountingOfficeId}}"
        documents = {
            f"{kind.type}s": f"{office}/clients/{{clientId}}/{kind.path}/{{{kind.type}Id}}"
            for kind in KINDS
        }
        links = {
            "self": base,
            "oauth2": {"token": f"{base}/oauth2/token"},
            "accountingOfficeConsents": (
                f"{base}/accounting-office-consents/{{accountingOfficeConsentId}}"
            ),
            "accountingOffices": {
                "acknowledgements": f"{office}/acknowledgements",
                "clients": f"{office}/clients",
                "documentChanges": f"{office}/document-changes",
                "documentDownloads": f"{office}/document-downloads",
                "documentSearches": f"{office}/document-searches",
                **documents,
            },
            "events": f"{base}/events",
            "webhooks": {
                "keys": f"{base}/webhooks/keys",
                "endpoint": f"{base}/webhooks/endpoint",
                "deliveries": f"{base}/webhooks/deliveries",
            },
        }
        return Response(RootSerializer({"links": links}).data)


class Nothing(OpenResource):
    """Every path that is no resource."""

    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise not_found()
