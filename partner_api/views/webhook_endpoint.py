"""The webhook endpoint of a partner: read, register, remove and try it (connect-api section 12)."""

from __future__ import annotations

import structlog
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from notifications.models import WebhookEndpoint
from notifications.webhooks.standard_webhooks import secret_of
from notifications.webhooks.try_out import TestIsRunning, try_out
from partner_api.errors import not_found, too_many_requests
from partner_api.hot_path.authentication import Caller
from partner_api.hot_path.resource import PartnerResource
from partner_api.schema import refusals
from partner_api.serializers.webhook_endpoint import (
    EndpointRequestSerializer,
    EndpointSerializer,
    EndpointTestSerializer,
)

log = structlog.get_logger(__name__)
# How long a test may take: the receiver has 15 seconds.
TRY_AGAIN_AFTER = 15


def _own(caller: Caller) -> WebhookEndpoint:
    endpoint = WebhookEndpoint.objects.of_partner(caller.partner_id)
    if endpoint is None:
        raise not_found()
    return endpoint


class Endpoint(PartnerResource):
    @extend_schema(
        operation_id="readWebhookEndpoint",
        summary="Read the webhook endpoint",
        responses={200: OpenApiResponse(EndpointSerializer, "As it is now."), **refusals(403, 404)},
    )
    def get(self, request: Request) -> Response:
        """The address that receives your webhooks, and whether it is on."""
        return Response(EndpointSerializer(_own(self.caller(request))).data)

    @extend_schema(
        operation_id="registerWebhookEndpoint",
        summary="Register the webhook endpoint",
        request=EndpointRequestSerializer,
        responses={
            200: OpenApiResponse(EndpointSerializer, "Changed."),
            201: OpenApiResponse(EndpointSerializer, "New, with its secret."),
            **refusals(403, 413, 415),
        },
    )
    def put(self, request: Request) -> Response:
        """Register or change the address, and switch it on or off. The secret is shown once."""
        body = EndpointRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data["data"]["attributes"]
        partner_id = self.caller(request).partner_id
        endpoint, created = WebhookEndpoint.objects.register(
            partner_id, wanted["url"], is_on=wanted.get("state") != "off"
        )
        log.info("webhook_endpoint_registered", endpoint=endpoint.pk, created=created)
        secret = secret_of(endpoint) if endpoint.may_show_secret() else None
        answer = EndpointSerializer(endpoint, context={"secret": secret})
        return Response(answer.data, status=201 if created else 200)

    @extend_schema(
        operation_id="removeWebhookEndpoint",
        summary="Remove the webhook endpoint",
        responses={
            204: OpenApiResponse(description="Nothing is sent any more; the secret is void."),
            **refusals(403, 404),
        },
    )
    def delete(self, request: Request) -> Response:
        """Stop all webhooks. Events stay in the event feed."""
        endpoint = _own(self.caller(request))
        endpoint.remove()
        log.info("webhook_endpoint_removed", endpoint=endpoint.pk)
        return Response(status=204)


class EndpointTest(PartnerResource):
    @extend_schema(
        operation_id="tryWebhookEndpoint",
        summary="Try the webhook endpoint",
        request=None,
        responses={
            200: OpenApiResponse(EndpointTestSerializer, "What the receiver said."),
            **refusals(403, 404),
        },
    )
    def post(self, request: Request) -> Response:
        """Send `codaboxConnect.test` now and wait for the answer, 15 seconds at most."""
        try:
            result = try_out(_own(self.caller(request)))
        except TestIsRunning as error:
            raise too_many_requests(
                TRY_AGAIN_AFTER, "A test of this endpoint is on its way; try again after it."
            ) from error
        return Response(EndpointTestSerializer(result).data)
