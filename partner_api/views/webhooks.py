"""Webhooks as the partner sees them: keys, the feed, what was sent, and sending again."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from notifications.feed import UnknownEvent, events_of
from notifications.models import Delivery, WebhookKey
from notifications.tasks import deliver
from notifications.webhooks import resource_of
from partner_api.authentication import uuid_in_path
from partner_api.errors import MEDIA_TYPE, Fault, invalid
from partner_api.idempotency import Kept, once
from partner_api.negotiation import whole_body
from partner_api.schema import (
    AUTHENTICATED,
    EVERYWHERE,
    IDEMPOTENCY_KEY,
    IDENTIFIER,
    answers,
    in_path,
    in_query,
    ref,
)
from partner_api.times import in_milliseconds
from partner_api.views.base import Resource
from partner_api.views.root import Open

PAGING = in_query(after=IDENTIFIER, limit={"type": "integer", "minimum": 1, "maximum": 1000})


class Webhooks(Open):
    @answers("Where the keys are", [(200, ref("Webhooks"), ["application/json"], "")], EVERYWHERE)
    def get(self, request: Request) -> HttpResponse:
        keys = request.build_absolute_uri(f"{request.path}/keys")
        return Response({"links": {"keys": keys}}, content_type="application/json")


class Keys(Open):
    @answers("Keys that sign webhooks", [(200, ref("Keys"), ["application/json"], "")], EVERYWHERE)
    def get(self, request: Request) -> HttpResponse:
        """A JSON Web Key set (RFC 7517): at most two, so that a rotation is never felt."""
        keys = [key.as_jwk() for key in WebhookKey.objects.published()]
        return Response({"keys": keys}, content_type="application/json")


class Events(Resource):
    @answers(
        "Catch up on events",
        [(200, ref("Events"), [], "In order and complete, oldest first.")],
        AUTHENTICATED,
        parameters=PAGING,
    )
    def get(self, request: Request) -> HttpResponse:
        """The software's own events after the one named; nothing named: from the beginning."""
        after, limit = _paging(request._request)
        try:
            found = events_of(self.caller(request).partner_id, after, limit)
        except UnknownEvent as error:
            raise invalid(Fault("invalidParameter", "after is no event of yours.")) from error
        last = str(found[-1].uuid) if found else after and str(after)
        paging = {"limit": limit} | ({"after": last} if last else {})
        return Response({"data": [resource_of(e) for e in found], "meta": {"paging": paging}})


class Deliveries(Resource):
    @answers(
        "See what was sent",
        [(200, ref("Deliveries"), [], "The newest first.")],
        AUTHENTICATED,
        parameters=in_query(limit={"type": "integer", "minimum": 1, "maximum": 1000}),
    )
    def get(self, request: Request) -> HttpResponse:
        _after, limit = _paging(request._request)
        mine = _deliveries(self.caller(request).partner_id).order_by("-event")
        return Response({"data": [_resource(delivery) for delivery in mine[:limit]]})


class Redelivery(Resource):
    @answers(
        "Send again",
        [(202, ref("Delivery"), [], "It is sent again with the same identifier.")],
        [*AUTHENTICATED, 404, 409, 413],
        parameters=[*in_path(event=IDENTIFIER), IDEMPOTENCY_KEY],
        request=None,
    )
    def post(self, request: Request, event: str) -> HttpResponse:
        wanted = uuid_in_path(event, "eventId")
        partner_id = self.caller(request).partner_id
        delivery = get_object_or_404(_deliveries(partner_id), event__uuid=wanted)

        def again() -> Kept:
            delivery.send_again()
            transaction.on_commit(lambda: deliver.delay(delivery.endpoint_id) and None, robust=True)
            delivery.refresh_from_db()
            return Kept(202, orjson.dumps({"data": _resource(delivery)}))

        kept = once(request._request, whole_body(request._request), partner_id, again)
        return HttpResponse(kept.answer, status=kept.status, content_type=MEDIA_TYPE)


def _deliveries(partner_id: int) -> Any:
    return Delivery.objects.filter(endpoint__partner=partner_id).select_related("event__consent")


def _resource(delivery: Delivery) -> dict[str, Any]:
    attributes = {
        "attempts": delivery.attempts,
        "answer": delivery.answer or None,
        "deliveredAt": in_milliseconds(delivery.delivered_at),
        "givenUpAt": in_milliseconds(delivery.given_up_at),
    }
    told = resource_of(delivery.event)
    event = {"data": {"type": told["type"], "id": told["id"]}}
    return {
        "type": "webhookDelivery",
        "id": told["id"],
        "attributes": attributes,
        "relationships": {"event": event},
    }


def _paging(request: HttpRequest) -> tuple[UUID | None, int]:
    """`after` and `limit` of the query; all faults at once."""
    faults = []
    after, limit = request.GET.get("after"), request.GET.get("limit", "100")
    cursor: UUID | None = None
    try:
        cursor = UUID(after) if after is not None else None
    except ValueError:
        faults.append(Fault("invalidParameter", "after is not the identifier of an event."))
    if not (limit.isascii() and limit.isdecimal() and 1 <= int(limit[:6]) <= 1000):
        faults.append(Fault("invalidParameter", "limit is a number from 1 to 1000."))
    if faults:
        raise invalid(*faults)
    return cursor, int(limit)
