"""The companies that a consent shares (connect-api section 11)."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from clients.models import Client
from partner_api.serializers.fields import COMPANY_NUMBER, Constant, Described, Moment
from partner_api.serializers.paging import PagingMetaSerializer


class ClientAttributesSerializer(serializers.Serializer[Client]):
    """`code` is what the office calls the company; since `sharedSince` the software may read it."""

    name = serializers.CharField()
    code = serializers.CharField()
    sharedSince = Moment(source="shared_since")


class ClientResourceSerializer(serializers.Serializer[Client]):
    type = Constant("client")
    id = Described(COMPANY_NUMBER, source="company_number")
    attributes = ClientAttributesSerializer(source="*")


class ClientsSerializer(serializers.Serializer[Any]):
    """One page of the companies that the office shares now."""

    data: Any = ClientResourceSerializer(many=True)
    meta = PagingMetaSerializer()
