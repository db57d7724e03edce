"""The files inside a document (product section 10)."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from partner_api.serializers.fields import Constant


class AttachmentAttributesSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="The last part of its address, percent-encoded there.")
    mediaType = serializers.CharField(source="media_type")
    size = serializers.IntegerField(min_value=0, help_text="Bytes.")


class AttachmentSerializer(serializers.Serializer[Any]):
    type = Constant("attachment")
    id = serializers.CharField(source="name")
    attributes = AttachmentAttributesSerializer(source="*")


class AttachmentsSerializer(serializers.Serializer[Any]):
    """All files inside one document, in the order in which they stand there."""

    data: Any = AttachmentSerializer(many=True)
