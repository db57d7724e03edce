"""Webhook keys, events and deliveries (connect-api section 9)."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from notifications.models import Delivery
from notifications.webhooks.sign import resource_of
from partner_api.serializers.fields import Constant, Described, Moment
from partner_api.serializers.paging import PagingMetaSerializer


class KeysLinkSerializer(serializers.Serializer[Any]):
    keys = serializers.CharField()


class WebhooksSerializer(serializers.Serializer[Any]):
    """Where the keys are."""

    links = KeysLinkSerializer()


class KeySerializer(serializers.Serializer[Any]):
    """A public key as a JSON Web Key (RFC 7517)."""

    kty = Constant("RSA")
    n = serializers.CharField()
    e = serializers.CharField()
    kid = serializers.CharField()
    use = Constant("sig")
    alg = Constant("RS512")
    status = Constant("ACTIVE")


class KeysSerializer(serializers.Serializer[Any]):
    """The keys that sign webhooks: at most two, so that a rotation interrupts nothing."""

    keys = KeySerializer(many=True, max_length=2)  # type: ignore[call-arg]  # not in the stubs


class ConsentIdentifierSerializer(serializers.Serializer[Any]):
    type = Constant("accountingOfficeConsent")
    id = serializers.UUIDField()


class ConsentLinkageSerializer(serializers.Serializer[Any]):
    data: Any = ConsentIdentifierSerializer()


class EventRelationshipsSerializer(serializers.Serializer[Any]):
    accountingOfficeConsent = ConsentLinkageSerializer()


class EventAttributesSerializer(serializers.Serializer[Any]):
    createdAt = Described({"type": "string", "format": "date-time"})


class EventSerializer(serializers.Serializer[Any]):
    """One event of a consent: the same body that a webhook carries."""

    type = serializers.CharField()
    id = serializers.UUIDField()
    attributes = EventAttributesSerializer()
    relationships = EventRelationshipsSerializer()


class EventsSerializer(serializers.Serializer[Any]):
    """One page of events, oldest first."""

    data: Any = EventSerializer(many=True)
    meta = PagingMetaSerializer()


class DeliveryAttributesSerializer(serializers.Serializer[Delivery]):
    attempts = serializers.IntegerField()
    answer = serializers.SerializerMethodField()
    deliveredAt = Moment(source="delivered_at", allow_null=True)
    givenUpAt = Moment(source="given_up_at", allow_null=True)

    def get_answer(self, delivery: Delivery) -> str | None:
        """What the receiver answered last; null before the first attempt."""
        return delivery.answer or None


class EventIdentifierSerializer(serializers.Serializer[Delivery]):
    type = serializers.SerializerMethodField()
    id = serializers.UUIDField(source="message.uuid")

    def get_type(self, delivery: Delivery) -> str:
        return str(resource_of(delivery.message)["type"])


class EventLinkageSerializer(serializers.Serializer[Delivery]):
    data: Any = EventIdentifierSerializer(source="*")


class DeliveryRelationshipsSerializer(serializers.Serializer[Delivery]):
    event = EventLinkageSerializer(source="*")


class OneDeliverySerializer(serializers.Serializer[Delivery]):
    """What became of one event at the webhook endpoint."""

    type = Constant("webhookDelivery")
    id = serializers.UUIDField(source="message.uuid")
    attributes = DeliveryAttributesSerializer(source="*")
    relationships = DeliveryRelationshipsSerializer(source="*")


class DeliveriesSerializer(serializers.Serializer[Any]):
    """What was sent to the webhook endpoint, newest first."""

    data: Any = OneDeliverySerializer(many=True)


class DeliverySerializer(serializers.Serializer[Any]):
    data: Any = OneDeliverySerializer()
