"""Serializers as the documentation teaches them: every member of a body is a field."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.parsers import JSONParser
from rest_framework.renderers import BaseRenderer
from rest_framework_json_api import serializers as json_api
from rest_framework_json_api.relations import ResourceRelatedField

from core.document_kinds import CODA
from documents.models import Document

TYPE = "bankAccountStatement"


class JsonApiParser(JSONParser):
    media_type = "application/vnd.api+json"


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


class DocumentSerializer(json_api.ModelSerializer):  # type: ignore[misc]  # has no types
    """One document in JSON:API's shape."""

    id = json_api.CharField(source="uuid")
    iban = json_api.CharField(source="attributes.iban")
    version = json_api.IntegerField(source="attributes.version", default=1)
    replaces = json_api.CharField(source="attributes.replaces", default=None)
    created_at = json_api.DateTimeField(source="available_at")
    client = ResourceRelatedField(read_only=True)

    class Meta:
        model = Document
        resource_name = TYPE
        fields = ["id", "iban", "version", "replaces", "created_at", "client"]
