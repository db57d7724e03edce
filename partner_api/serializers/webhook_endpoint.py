"""The webhook endpoint that a partner manages, and its test (connect-api sections 11 and 12)."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from notifications.models import WebhookEndpoint
from notifications.models.webhook_endpoint import LONGEST_ADDRESS, OffReason, check_address
from partner_api.serializers.fields import (
    Body,
    Constant,
    Data,
    Described,
    Member,
    Moment,
    Shape,
    Shaped,
)

STATES = ["on", "off"]
OFF_REASONS = [reason.value for reason in OffReason if reason != OffReason.REMOVED]


class EndpointAddress(Member, Shaped):
    """The https address that receives webhooks."""

    default_error_messages = {
        "invalid": (
            "{name} must begin with https://, without a user name, a password, a blank or a #, "
            "and have at most 2000 ASCII characters."
        ),
        "not_public": "{name} must be on the public internet.",
    }
    shape: Shape = {
        "type": "string",
        "format": "uri",
        "maxLength": LONGEST_ADDRESS,
        "examples": ["https://hooks.example/codabox"],
    }

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or len(data) > LONGEST_ADDRESS:
            self.fail("invalid")
        if not data.isascii() or not data.isprintable() or " " in data:
            self.fail("invalid")
        try:
            check_address(data)
        except ValidationError as error:
            self.fail("not_public" if error.code == "not_public" else "invalid")
        except ValueError:
            self.fail("invalid")
        return data


class EndpointState(Member, Shaped):
    """Whether webhooks are sent."""

    default_error_messages = {"invalid": "{name} must be on or off."}
    shape: Shape = {"type": "string", "enum": STATES, "default": "on"}

    def to_internal_value(self, data: Any) -> str:
        if data not in STATES:
            self.fail("invalid")
        return str(data)


class EndpointRequestAttributesSerializer(Body):
    """What the software wants of its endpoint."""

    url = EndpointAddress()
    state = EndpointState(required=False, allow_null=True)


class EndpointRequestDataSerializer(Data):
    """The endpoint, as a resource without an identifier."""

    type = Constant("webhookEndpoint", required=False)
    attributes = EndpointRequestAttributesSerializer()


class EndpointRequestSerializer(Body):
    """A partner registers or changes its webhook endpoint."""

    data: Any = EndpointRequestDataSerializer()


class Secret(Shaped):
    """The secret in the context; the member is absent where there is none to show."""

    shape: Shape = {"type": "string", "pattern": "^whsec_"}

    def get_attribute(self, instance: WebhookEndpoint) -> str:
        secret = self.context.get("secret")
        if secret is None:
            raise serializers.SkipField
        return str(secret)

    def to_representation(self, value: str) -> str:
        return value


class EndpointAttributesSerializer(serializers.Serializer[WebhookEndpoint]):
    """`offReason` is `gone` after a 410; `secret` is shown once, in the first answer to a PUT."""

    url = Described({"type": "string", "format": "uri"})
    state = serializers.SerializerMethodField()
    offReason = serializers.SerializerMethodField()
    createdAt = Moment(source="created_at")
    secret = Secret(required=False)

    @extend_schema_field({"type": "string", "enum": STATES})
    def get_state(self, endpoint: WebhookEndpoint) -> str:
        return "on" if endpoint.off_at is None else "off"

    @extend_schema_field({"type": ["string", "null"], "enum": [*OFF_REASONS, None]})
    def get_offReason(self, endpoint: WebhookEndpoint) -> str | None:
        return endpoint.off_reason or None


class EndpointResourceSerializer(serializers.Serializer[WebhookEndpoint]):
    type = Constant("webhookEndpoint")
    id = serializers.UUIDField(source="uuid")
    attributes = EndpointAttributesSerializer(source="*")


class EndpointSerializer(serializers.Serializer[WebhookEndpoint]):
    """The one address that receives the webhooks of a partner."""

    data: Any = EndpointResourceSerializer(source="*")


class EndpointTestAttributesSerializer(serializers.Serializer[Any]):
    """`status` is what the receiver answered; null where `error` says why there is no answer."""

    status = serializers.IntegerField(allow_null=True)
    milliseconds = serializers.IntegerField()
    error = serializers.CharField(allow_null=True)


class EndpointTestResourceSerializer(serializers.Serializer[Any]):
    type = Constant("webhookTest")
    attributes = EndpointTestAttributesSerializer(source="*")


class EndpointTestSerializer(serializers.Serializer[Any]):
    """What came of a test event."""

    data: Any = EndpointTestResourceSerializer(source="*")
