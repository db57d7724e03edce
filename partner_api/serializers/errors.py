"""The body of every refusal (connect-api section 7), as the OpenAPI document describes it."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class FaultSourceSerializer(serializers.Serializer[Any]):
    """Where the fault is, as a JSON pointer into the body of the request."""

    pointer = serializers.CharField()


class FaultMetaSerializer(serializers.Serializer[Any]):
    """What software may want to know besides."""

    attribute = serializers.CharField(required=False)
    portalStatus = serializers.CharField(required=False)


class FaultSerializer(serializers.Serializer[Any]):
    """One fault of the request."""

    code = serializers.CharField()
    detail = serializers.CharField()
    source: Any = FaultSourceSerializer(required=False)
    meta = FaultMetaSerializer(required=False)


class ErrorsSerializer(serializers.Serializer[Any]):
    """Why a request was refused: all its faults at once."""

    errors: Any = FaultSerializer(many=True, min_length=1)  # type: ignore[call-arg]  # not in the stubs
