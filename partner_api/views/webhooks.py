"""Webhooks as a partner sees them: keys, the event feed, deliveries, and sending again."""

from __future__ import annotations

from typing import Any

import orjson
from django.db import transaction
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from notifications.event_feed import UnknownEvent, events_of
from notifications.models import Delivery
from notifications.webhooks import signing_keys
from notifications.webhooks.endpoints import deliver
from notifications.webhooks.sign import event_resource
from partner_api.document_shapes import IDENTIFIER
from partner_api.errors import MEDIA_TYPE, Fault, invalid
from partner_api.hot_path.authentication import uuid_in_path
from partner_api.hot_path.resource import OpenResource, PartnerResource
from partner_api.idempotency import StoredAnswer, run_once
from partner_api.negotiation import whole_body
from partner_api.schema import IDEMPOTENCY_KEY, in_path, refusals
from partner_api.serializers.paging import EventPageSerializer, LimitSerializer, checked_query
from partner_api.serializers.webhooks import (
    DeliveriesSerializer,
    DeliverySerializer,
    EventsSerializer,
    KeysSerializer,
    WebhooksSerializer,
)


class Webhooks(OpenResource):
    @extend_schema(summary="Where the keys are", responses=WebhooksSerializer)
    def get(self, request: Request) -> Response:
        """The address of the keys that sign webhooks."""
        keys = request.build_absolute_uri(f"{request.path}/keys")
        return Response(WebhooksSerializer({"links": {"keys": keys}}).data)


class Keys(OpenResource):
    @extend_schema(summary="Keys that sign webhooks", responses=KeysSerializer)
    def get(self, request: Request) -> Response:
        """A JSON Web Key set (RFC 7517): at most two, so that a rotation interrupts nothing."""
        keys = [key.as_jwk() for key in signing_keys.published()]
        return Response(KeysSerializer({"keys": keys}).data)


class Events(PartnerResource):
    @extend_schema(
        operation_id="listEvents",
        summary="Catch up on events",
        responses={
            200: OpenApiResponse(EventsSerializer, "In order and complete, oldest first."),
            **refusals(403),
        },
        parameters=[EventPageSerializer],
    )
    def get(self, request: Request) -> HttpResponse:
        """The software's own events after the one named; nothing named: from the beginning."""
        query = checked_query(EventPageSerializer, request)
        after, limit = query["after"], query["limit"]
        try:
            found = events_of(self.caller(request).partner_id, after, limit)
        except UnknownEvent as error:
            raise invalid(Fault("invalidParameter", "after is no event of yours.")) from error
        last = str(found[-1].uuid) if found else after and str(after)
        paging = {"limit": limit} | ({"after": last} if last else {})
        page = {"data": [event_resource(event) for event in found], "meta": {"paging": paging}}
        return Response(EventsSerializer(page).data)


class Deliveries(PartnerResource):
    @extend_schema(
        operation_id="listDeliveries",
        summary="See what was sent",
        responses={
            200: OpenApiResponse(DeliveriesSerializer, "The newest first."),
            **refusals(403),
        },
        parameters=[LimitSerializer],
    )
    def get(self, request: Request) -> Response:
        """What was sent to the webhook endpoint, and how it answered."""
        limit = checked_query(LimitSerializer, request)["limit"]
        mine = _deliveries(self.caller(request).partner_id).order_by("-pk")
        return Response(DeliveriesSerializer({"data": mine[:limit]}).data)


class Redelivery(PartnerResource):
    @extend_schema(
        operation_id="sendEventAgain",
        summary="Send again",
        request=None,
        responses={
            202: OpenApiResponse(DeliverySerializer, "It is sent again with the same identifier."),
            **refusals(403, 404, 409, 413),
        },
        parameters=[*in_path(event=IDENTIFIER), IDEMPOTENCY_KEY],
    )
    def post(self, request: Request, event: str) -> HttpResponse:
        """Send one event to the webhook endpoint again."""
        wanted = uuid_in_path(event, "eventId")
        partner_id = self.caller(request).partner_id
        delivery = get_object_or_404(
            _deliveries(partner_id), Q(event__uuid=wanted) | Q(notice__uuid=wanted)
        )

        def again() -> StoredAnswer:
            delivery.send_again()
            transaction.on_commit(lambda: deliver.delay(delivery.endpoint_id) and None, robust=True)
            delivery.refresh_from_db()
            return StoredAnswer(202, orjson.dumps(DeliverySerializer({"data": delivery}).data))

        answer = run_once(request._request, whole_body(request._request), partner_id, again)
        return HttpResponse(answer.body, status=answer.status, content_type=MEDIA_TYPE)


def _deliveries(partner_id: int) -> Any:
    return Delivery.objects.filter(endpoint__partner=partner_id).select_related(
        "event__consent", "notice__office"
    )
