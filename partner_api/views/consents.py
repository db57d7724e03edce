"""Accounting office consents (connect-api section 4)."""

from __future__ import annotations

from typing import Any

import orjson
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request

from accounts.models import Office
from consents.actors import GIVEN_UP, Actor
from consents.models import Consent, DecisionConflict
from consents.models.block import BlockedByOffice
from consents.models.querysets import AskedTooOften, CoolingDown, PartyHasEnded
from core.clock import database_time
from partner_api.budgets import count_unknown_number, refuse_after_many_unknown_numbers
from partner_api.cached_answer import cached_answer
from partner_api.document_shapes import IDENTIFIER
from partner_api.errors import Fault, invalid, not_found, refused, too_many_requests
from partner_api.hot_path.authentication import Caller, uuid_in_path
from partner_api.hot_path.resource import PartnerResource
from partner_api.idempotency import StoredAnswer, run_once
from partner_api.negotiation import whole_body
from partner_api.schema import IDEMPOTENCY_KEY, IF_NONE_MATCH, NOT_MODIFIED, in_path, refusals
from partner_api.serializers.consents import (
    ConsentPageSerializer,
    ConsentRequestSerializer,
    ConsentSerializer,
    ConsentsSerializer,
)
from partner_api.serializers.paging import checked_query, paging
from partners.models import Partner


class Consents(PartnerResource):
    methods_when_suspended = ("GET", "HEAD")

    @extend_schema(
        operation_id="listConsents",
        summary="List your consents",
        responses={
            200: OpenApiResponse(ConsentsSerializer, "The newest first."),
            **NOT_MODIFIED,
        },
        parameters=[ConsentPageSerializer, IF_NONE_MATCH],
    )
    def get(self, request: Request) -> HttpResponse:
        """Every consent that the software asked for, the newest first."""
        query = checked_query(ConsentPageSerializer, request)
        own = Consent.objects.filter(partner_id=self.caller(request).partner_id)
        page = own.select_related("office").order_by("-pk")
        if query["status"]:
            page = page.filter(status__in=query["status"])
        if query["after"]:
            last = own.filter(uuid=query["after"]).first()
            if last is None:
                raise invalid(Fault("invalidParameter", "after must be a consent of yours."))
            page = page.filter(pk__lt=last.pk)
        limit = query["limit"]
        found = list(page[: limit + 1])
        after = found[limit - 1].uuid if len(found) > limit else None
        context = {"request": request, "at": database_time()}
        answer = {"data": found[:limit], "meta": paging(limit, after)}
        body = orjson.dumps(ConsentsSerializer(answer, context=context).data)
        return cached_answer(StoredAnswer(200, body), request)

    @extend_schema(
        operation_id="requestConsent",
        summary="Ask an office for access",
        request=ConsentRequestSerializer,
        responses={
            200: OpenApiResponse(ConsentSerializer, "The live consent of this office."),
            201: OpenApiResponse(ConsentSerializer, "A new request."),
            **refusals(403, 404, 409, 413, 415),
        },
        parameters=[IDEMPOTENCY_KEY],
    )
    def post(self, request: Request) -> HttpResponse:
        """Give the open consent of this office: 201 and a new one, or 200 and the live one."""
        partner = Partner.objects.prefetch_related("redirect_uris").get(
            pk=self.caller(request).partner_id
        )
        body = ConsentRequestSerializer(data=request.data, context={"partner": partner})
        body.is_valid(raise_exception=True)
        asked = body.validated_data["data"]["attributes"]
        office = _office(asked["accountingOfficeCompanyNumber"], partner)

        def ask() -> StoredAnswer:
            consent, created = _requested(office, partner, asked)
            return StoredAnswer(201 if created else 200, _body(consent, request))

        raw = whole_body(request._request)
        return cached_answer(run_once(request._request, raw, partner.pk, ask), request)


class OneConsent(PartnerResource):
    methods_when_suspended = ("GET", "HEAD")

    @extend_schema(
        operation_id="readConsent",
        summary="Read a consent",
        responses={
            200: OpenApiResponse(ConsentSerializer, "As it is now."),
            **NOT_MODIFIED,
            **refusals(404),
        },
        parameters=[*in_path(consent=IDENTIFIER), IF_NONE_MATCH],
    )
    def get(self, request: Request, consent: str) -> HttpResponse:
        """The consent as it is now; cheap to poll with `If-None-Match`."""
        found = _own(self.caller(request), consent)
        return cached_answer(StoredAnswer(200, _body(found, request)), request)

    @extend_schema(
        operation_id="giveUpConsent",
        summary="Give up access",
        responses={
            204: OpenApiResponse(
                description="Allowed is cancelled now, an open request is withdrawn."
            ),
            **refusals(403, 404),
        },
        parameters=in_path(consent=IDENTIFIER),
    )
    def delete(self, request: Request, consent: str) -> HttpResponse:
        """The partner gives up access or withdraws its request; an ended consent stays as it is."""
        own = _own(self.caller(request), consent)
        by = Actor.partner(own.partner)
        try:
            own.cancel(by, reason=GIVEN_UP)
        except DecisionConflict:
            own.withdraw(by)
        return HttpResponse(status=204)


def _office(company_number: str, partner: Partner) -> Office:
    """The office; one that is suspended is shown only to a partner that asked it before."""
    known = Office.objects.known_to(partner.uuid, partner.kind)
    office = known.filter(company_number=company_number).first()
    asked_before = office is not None and office.consents.filter(partner=partner).exists()
    if not asked_before:
        refuse_after_many_unknown_numbers(partner.pk)
    if office is None or not (office.is_active or asked_before):
        count_unknown_number(partner.pk)
        raise refused(
            404, "unknownAccountingOffice", "No accounting office here has this enterprise number."
        )
    if not office.is_active:
        raise refused(403, "accountingOfficeSuspended", "The office is suspended for now.")
    return office


def _own(caller: Caller, identifier: str) -> Consent:
    uuid = uuid_in_path(identifier, "accountingOfficeConsentId")
    own = Consent.objects.filter(partner_id=caller.partner_id, uuid=uuid)
    consent: Consent | None = own.select_related("office", "partner").first()
    if consent is None:
        raise not_found()
    return consent


def _requested(office: Office, partner: Partner, asked: dict[str, Any]) -> tuple[Consent, bool]:
    try:
        return Consent.objects.request(
            office=office,
            partner=partner,
            redirect_uri=asked.get("redirectUri") or "",
            state=asked.get("state") or "",
        )
    except BlockedByOffice as error:
        raise refused(
            403, "blockedByAccountingOffice", "The office does not want requests of your software."
        ) from error
    except AskedTooOften as wait:
        raise too_many_requests(
            wait.seconds, "You made too many requests to this office today; ask again later."
        ) from wait
    except PartyHasEnded as error:
        raise refused(
            403, "accountingOfficeSuspended", "The office or your software was closed just now."
        ) from error
    except CoolingDown as wait:
        raise too_many_requests(
            wait.seconds, "The office refused a short while ago; ask again later."
        ) from wait


def _body(consent: Consent, request: Request) -> bytes:
    context = {"request": request, "at": database_time()}
    return orjson.dumps(ConsentSerializer(consent, context=context).data)
