"""The sandbox: software makes offices, decides for them and delivers files (connect-api 13)."""

from __future__ import annotations

from typing import Any

import orjson
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request

from accounts.models import Office
from consents.models import Consent, DecisionConflict
from core.clock import database_time
from core.sandbox import World
from documents.formats import Refused
from partner_api.document_shapes import IDENTIFIER
from partner_api.errors import MEDIA_TYPE, Fault, invalid, not_found, refused, too_many_requests
from partner_api.hot_path.authentication import uuid_in_path
from partner_api.hot_path.resource import PartnerResource
from partner_api.idempotency import StoredAnswer, run_once
from partner_api.negotiation import whole_body
from partner_api.sandbox.decisions import decide
from partner_api.sandbox.deliveries import deliver, example_for
from partner_api.sandbox.offices import TooManyOffices, make_office, offices_of
from partner_api.schema import IDEMPOTENCY_KEY, in_path, refusals
from partner_api.serializers.consents import ConsentSerializer
from partner_api.serializers.sandbox import (
    SandboxDecisionSerializer,
    SandboxDeliverySerializer,
    SandboxFileSerializer,
    SandboxOfficeRequestSerializer,
    SandboxOfficeSerializer,
    SandboxOfficesSerializer,
)
from partners.models import Partner

OWN_FILE = "your file"


class SandboxResource(PartnerResource):
    """A resource for partners of the sandbox; for every other one it does not exist."""

    def partner(self, request: Request) -> Partner:
        own = Partner.objects.filter(pk=self.caller(request).partner_id, kind=World.SANDBOX)
        partner = own.first()
        if partner is None:
            raise not_found()
        return partner


class SandboxOffices(SandboxResource):
    @extend_schema(
        operation_id="listSandboxOffices",
        summary="List your sandbox offices",
        responses={
            200: OpenApiResponse(SandboxOfficesSerializer, "The newest first."),
            **refusals(403, 404),
        },
    )
    def get(self, request: Request) -> HttpResponse:
        """The offices that were made for your software, the newest first."""
        return _json(200, SandboxOfficesSerializer({"data": offices_of(self.partner(request))}))

    @extend_schema(
        operation_id="makeSandboxOffice",
        summary="Make a sandbox office",
        request=SandboxOfficeRequestSerializer,
        responses={
            201: OpenApiResponse(SandboxOfficeSerializer, "A new office with three companies."),
            **refusals(403, 404, 409, 413, 415),
        },
        parameters=[IDEMPOTENCY_KEY],
    )
    def post(self, request: Request) -> HttpResponse:
        """Make an office with three companies. Only your software sees it."""
        partner = self.partner(request)
        body = SandboxOfficeRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data.get("data", {}).get("attributes", {})

        def make() -> StoredAnswer:
            try:
                office = make_office(partner, wanted.get("name") or "")
            except TooManyOffices as wait:
                raise too_many_requests(
                    wait.seconds, "You made as many sandbox offices as a day allows."
                ) from wait
            return StoredAnswer(201, orjson.dumps(SandboxOfficeSerializer(office).data))

        raw = whole_body(request._request)
        answer = run_once(request._request, raw, partner.pk, make)
        return HttpResponse(answer.body, status=answer.status, content_type=MEDIA_TYPE)


class SandboxDecisions(SandboxResource):
    @extend_schema(
        operation_id="decideInSandbox",
        summary="Decide for a sandbox office",
        request=SandboxDecisionSerializer,
        responses={
            200: OpenApiResponse(ConsentSerializer, "The consent as it is now."),
            **refusals(403, 404, 409, 413, 415),
        },
        parameters=in_path(consent=IDENTIFIER),
    )
    def post(self, request: Request, consent: str) -> HttpResponse:
        """Allow, deny, pause, resume or cancel, as an Admin of the office does on the screens."""
        partner = self.partner(request)
        uuid = uuid_in_path(consent, "accountingOfficeConsentId")
        own = Consent.objects.filter(partner=partner, uuid=uuid)
        found: Consent | None = own.select_related("office", "partner").first()
        if found is None:
            raise not_found()
        body = SandboxDecisionSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        try:
            decide(found, body.validated_data["data"]["attributes"]["decision"])
        except DecisionConflict as conflict:
            state = "closed" if conflict.consent.closed_at else conflict.consent.status
            raise refused(
                409, "decisionNotPossible", f"The consent is {state}: this cannot be decided now."
            ) from conflict
        context = {"request": request, "at": database_time()}
        return _json(200, ConsentSerializer(found, context=context))


class SandboxDocuments(SandboxResource):
    @extend_schema(
        operation_id="deliverToSandbox",
        summary="Deliver a file to a sandbox office",
        request=SandboxFileSerializer,
        responses={
            201: OpenApiResponse(SandboxDeliverySerializer, "The documents are there."),
            **refusals(403, 404, 413, 415),
        },
        parameters=in_path(office=IDENTIFIER),
    )
    def post(self, request: Request, office: str) -> HttpResponse:
        """Deliver an example of a kind for a company, or a file of your own.

        A file of your own must name a company of the office by its enterprise number.
        """
        partner = self.partner(request)
        offices = Office.objects.known_to(partner.uuid, World.SANDBOX)
        found = offices.filter(uuid=uuid_in_path(office, "accountingOfficeId")).first()
        if found is None:
            raise not_found()
        body = SandboxFileSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        attributes = body.validated_data["data"]["attributes"]
        data = attributes.get("content")
        if data is None:
            kind, client = attributes["documentType"].kind, attributes["client"]
            data = example_for(found, kind, client)
        if data is None:
            fault = Fault("validationError", "client must be a company of this office.")
            raise invalid(fault._replace(pointer="/data/attributes/client"))
        try:
            delivered = deliver(found, data, OWN_FILE)
        except Refused as error:
            fault = Fault("validationError", f"content was refused: {error.detail}.")
            raise invalid(fault._replace(pointer="/data/attributes/content")) from error
        return _json(201, SandboxDeliverySerializer(delivered))


def _json(status: int, serializer: Any) -> HttpResponse:
    return HttpResponse(orjson.dumps(serializer.data), status=status, content_type=MEDIA_TYPE)
