"""Accounting office consents (connect-api section 4)."""

from __future__ import annotations

import hashlib

import orjson
from django.http import HttpResponse
from rest_framework.request import Request

from accounts.models import Office
from consents.actors import GIVEN_UP, Actor
from consents.blocks import BlockedByOffice
from consents.models import Consent, DecisionConflict
from consents.querysets import CoolingDown
from partner_api.authentication import Caller, uuid_in_path
from partner_api.errors import MEDIA_TYPE, not_found, refused, too_many_requests
from partner_api.idempotency import Kept, once
from partner_api.negotiation import is_known, read_json
from partner_api.schema import (
    AUTHENTICATED,
    IDEMPOTENCY_KEY,
    IDENTIFIER,
    answers,
    body,
    in_path,
    ref,
)
from partner_api.serializers import ConsentDemand, consent_demand, consent_resource
from partner_api.views.base import Resource
from partners.models import Partner


class Consents(Resource):
    @answers(
        "Ask an office for access",
        [
            (200, ref("Consent"), [], "The live consent of this office."),
            (201, ref("Consent"), [], "A new request."),
        ],
        [*AUTHENTICATED, 403, 404, 409, 413, 415],
        request=body("ConsentRequest"),
        parameters=[IDEMPOTENCY_KEY],
    )
    def post(self, request: Request) -> HttpResponse:
        """Give the open consent of this office: 201 and a new one, or 200 and the live one."""
        partner = Partner.objects.prefetch_related("redirect_uris").get(
            pk=self.caller(request).partner_id
        )
        given, raw = read_json(request._request)
        demand = consent_demand(given, partner)
        if not self.caller(request).partner_active:
            raise refused(403, "partnerSuspended", "Your software is suspended; ask the portal.")
        office = _office(demand.company_number, partner)

        def ask() -> Kept:
            consent, created = _requested(office, partner, demand)
            return Kept(201 if created else 200, _body(consent, request))

        return _answer(once(request._request, raw, partner.pk, ask), request)


class OneConsent(Resource):
    @answers(
        "Read a consent",
        [(200, ref("Consent"), [], "As it stands now.")],
        [304, *AUTHENTICATED, 404],
        parameters=in_path(consent=IDENTIFIER),
    )
    def get(self, request: Request, consent: str) -> HttpResponse:
        """The consent as it stands now; cheap to poll with `If-None-Match`."""
        return _answer(Kept(200, _body(_own(self.caller(request), consent), request)), request)

    @answers(
        "Give up access",
        [(204, None, [], "Allowed is cancelled now, an open request is withdrawn.")],
        [*AUTHENTICATED, 404],
        parameters=in_path(consent=IDENTIFIER),
    )
    def delete(self, request: Request, consent: str) -> HttpResponse:
        """The partner gives up access, or withdraws its request; an ended consent stays."""
        own = _own(self.caller(request), consent)
        by = Actor.partner(own.partner)
        try:
            own.cancel(by, reason=GIVEN_UP)
        except DecisionConflict:
            own.withdraw(by)
        return HttpResponse(status=204)


def _office(company_number: str, partner: Partner) -> Office:
    """The office by its number; a suspended one is known only to who asked it before."""
    office = Office.objects.filter(company_number=company_number).first()
    known = office is not None and (
        office.is_active or office.consents.filter(partner=partner).exists()
    )
    if office is None or not known:
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


def _requested(office: Office, partner: Partner, demand: ConsentDemand) -> tuple[Consent, bool]:
    try:
        return Consent.objects.request(
            office=office, partner=partner, redirect_uri=demand.redirect_uri, state=demand.state
        )
    except BlockedByOffice as error:
        raise refused(
            403, "blockedByAccountingOffice", "The office does not want requests of your software."
        ) from error
    except CoolingDown as wait:
        raise too_many_requests(
            wait.seconds, "The office refused a short while ago; ask again later."
        ) from wait


def _body(consent: Consent, request: Request) -> bytes:
    return orjson.dumps(consent_resource(consent, request))


def _answer(kept: Kept, request: Request) -> HttpResponse:
    etag = f'"{hashlib.sha256(kept.answer).hexdigest()[:32]}"'
    if request.method in ("GET", "HEAD") and is_known(request, etag):
        return HttpResponse(status=304, headers={"ETag": etag})
    return HttpResponse(
        kept.answer, status=kept.status, content_type=MEDIA_TYPE, headers={"ETag": etag}
    )
