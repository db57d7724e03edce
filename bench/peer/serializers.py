"""Serializers as DRF's documentation teaches them: every member of a body is a field."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.parsers import JSONParser
from rest_framework.renderers import BaseRenderer, JSONRenderer

from bench.cast import CODA
from documents.models import Document

TYPE = "bankAccountStatement"


class JsonApiParser(JSONParser):
    media_type = "application/vnd.api+json"


class JsonApiRenderer(JSONRenderer):
    media_type = "application/vnd.api+json"
    format = "json"


class CodaRenderer(BaseRenderer):
    """Only negotiates: the view sends the file itself."""

    media_type = CODA
    format = "coda"


class ClientSerializer(serializers.Serializer[Any]):
    type = serializers.ChoiceField(["client"])
    id = serializers.RegexField(r"^[01][0-9]{9}$")


class ClientListSerializer(serializers.Serializer[Any]):
    data = ClientSerializer(many=True)  # type: ignore[assignment]  # the name is the contract's


class RelationshipsSerializer(serializers.Serializer[Any]):
    clients = ClientListSerializer()


class AttributesSerializer(serializers.Serializer[Any]):
    documentType = serializers.ChoiceField([TYPE])
    to = serializers.DateTimeField()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        # `from` is a word of Python, so it cannot be declared like the others.
        return {**super().get_fields(), "from": serializers.DateTimeField()}


class DataSerializer(serializers.Serializer[Any]):
    type = serializers.ChoiceField(["documentSearch"])
    attributes = AttributesSerializer()
    relationships = RelationshipsSerializer()


class PagingSerializer(serializers.Serializer[Any]):
    limit = serializers.IntegerField(min_value=1, max_value=1000, default=100)
    after = serializers.UUIDField(required=False)


class MetaSerializer(serializers.Serializer[Any]):
    paging = PagingSerializer()


class SearchSerializer(serializers.Serializer[Any]):
    data = DataSerializer()  # type: ignore[assignment]  # the name is the contract's
    meta = MetaSerializer()


class DocumentSerializer(serializers.ModelSerializer[Document]):
    """One document in JSON:API's shape."""

    client = serializers.SlugRelatedField("company_number", read_only=True)  # type: ignore[var-annotated]

    class Meta:
        model = Document
        fields = ["uuid", "public_id", "client", "available_at", "attributes"]

    def to_representation(self, instance: Document) -> dict[str, Any]:
        plain = super().to_representation(instance)
        return {
            "type": TYPE,
            "id": plain["public_id"] or plain["uuid"],
            "attributes": {**plain["attributes"], "createdAt": plain["available_at"]},
            "relationships": {"client": {"data": {"type": "client", "id": plain["client"]}}},
        }
