"""The companies that an office shares (connect-api section 11)."""

from __future__ import annotations

from uuid import UUID

import orjson
from django.db.models import Q
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request

from clients.models import Client
from consents.models import Consent
from consents.scope import clients_with_shared_since
from documents.access_log import record
from documents.models import Outcome
from partner_api.cached_answer import cached_answer
from partner_api.document_shapes import IDENTIFIER
from partner_api.errors import Fault, invalid
from partner_api.hot_path.reading import reader_of, require_access
from partner_api.hot_path.resource import Resource
from partner_api.idempotency import StoredAnswer
from partner_api.schema import IF_NONE_MATCH, NOT_MODIFIED, in_path, refusals
from partner_api.serializers.clients import ClientsSerializer
from partner_api.serializers.paging import PageSerializer, checked_query, paging


class Clients(Resource):
    @extend_schema(
        operation_id="listClients",
        summary="List the companies of an office",
        responses={
            200: OpenApiResponse(ClientsSerializer, "In an order of their own, which stays."),
            **NOT_MODIFIED,
            **refusals(403, 404),
        },
        parameters=[*in_path(office=IDENTIFIER), PageSerializer, IF_NONE_MATCH],
    )
    def get(self, request: Request, office: str) -> HttpResponse:
        """The companies that the office shares with the software now."""
        caller = self.caller(request)
        access = caller.at_office
        require_access(caller, access)
        query = checked_query(PageSerializer, request)
        limit = query["limit"]
        consent = Consent.objects.get(pk=access.consent_id)
        shared = clients_with_shared_since(consent).order_by("pk")
        if query["after"]:
            shared = shared.filter(pk__gt=_place_of(query["after"], access.office_id))
        found = list(shared[: limit + 1])
        after = found[limit - 1].uuid if len(found) > limit else None
        page = ClientsSerializer({"data": found[:limit], "meta": paging(limit, after)})
        record(reader_of(caller, access), Outcome.SERVED, media_type="clients")
        return cached_answer(StoredAnswer(200, orjson.dumps(page.data)), request)


def _place_of(cursor: UUID, office_id: int) -> int:
    """The company with this cursor keeps its place when it leaves while somebody pages."""
    here_now_or_before = Q(office=office_id) | Q(transfers__from_office=office_id)
    last = Client.objects.filter(here_now_or_before, uuid=cursor).first()
    if last is None:
        raise invalid(Fault("invalidParameter", "after must be the cursor of an earlier page."))
    return last.pk
