"""The bodies of the token endpoint (connect-api section 3), as OAuth (RFC 6749) has them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from partner_api.serializers.fields import Constant


class TokenRequestSerializer(serializers.Serializer[Any]):
    """The form with which software asks for an access token."""

    grant_type = Constant("client_credentials")


class TokenSerializer(serializers.Serializer[Any]):
    """A new access token."""

    access_token = serializers.CharField(max_length=100)
    expires_in = serializers.IntegerField(min_value=61)
    token_type = Constant("bearer")
    scope = serializers.CharField(allow_blank=True)


class TokenErrorSerializer(serializers.Serializer[Any]):
    """Why the token endpoint refused."""

    error = serializers.CharField()
    error_description = serializers.CharField(required=False)


class RevokeRequestSerializer(serializers.Serializer[Any]):
    """The form with which software gives an access token back."""

    token = serializers.CharField(required=False)
