"""The root document (connect-api section 2)."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from core.document_kinds import KINDS


class TokenLinkSerializer(serializers.Serializer[Any]):
    token = serializers.CharField()


class OfficeLinksSerializer(serializers.Serializer[Any]):
    """The addresses below an accounting office: one for searches, one for each kind."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        names = ["acknowledgements", "clients"]
        names += ["documentChanges", "documentDownloads", "documentSearches"]
        names += [f"{kind.type}s" for kind in KINDS]
        return {name: serializers.CharField() for name in names}


class WebhookLinksSerializer(serializers.Serializer[Any]):
    keys = serializers.CharField()
    endpoint = serializers.CharField()
    deliveries = serializers.CharField()


class LinksSerializer(serializers.Serializer[Any]):
    self = serializers.CharField()
    oauth2 = TokenLinkSerializer()
    accountingOfficeConsents = serializers.CharField()
    accountingOffices = OfficeLinksSerializer()
    events = serializers.CharField()
    webhooks = WebhookLinksSerializer()


class RootSerializer(serializers.Serializer[Any]):
    """Templates of all addresses, on the host that the caller used."""

    links = LinksSerializer()
