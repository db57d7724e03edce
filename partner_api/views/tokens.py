"""Access tokens (connect-api section 3): oauth-toolkit issues and revokes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from django.core.exceptions import TooManyFieldsSent
from django.db import DataError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.multipartparser import MultiPartParserError
from drf_spectacular.utils import OpenApiResponse, extend_schema
from oauth2_provider.oauth2_backends import get_oauthlib_core
from rest_framework.parsers import FormParser
from rest_framework.request import Request

from partner_api.hot_path.resource import OpenResource
from partner_api.negotiation import whole_body
from partner_api.oauth import TOKEN_CALL, OAuthRefusal, TokenCall
from partner_api.schema import refusals
from partner_api.serializers.tokens import (
    RevokeRequestSerializer,
    TokenErrorSerializer,
    TokenRequestSerializer,
    TokenSerializer,
)

FORM = "application/x-www-form-urlencoded"
DESCRIPTIONS = {
    "invalid_client": "The client identifier or its secret is wrong.",
    "unsupported_grant_type": "Only grant_type=client_credentials is known here.",
    "unauthorized_client": "This application may not do that.",
    "invalid_request": "Send grant_type=client_credentials once, as form data.",
}
BASIC: Any = [{"clientCredentials": []}]


class Token(OpenResource):
    parser_classes = [FormParser]

    @extend_schema(
        operation_id="issueToken",
        summary="Get an access token",
        request=TokenRequestSerializer,
        responses={
            200: OpenApiResponse(
                TokenSerializer, "Opaque; several of one application live side by side."
            ),
            400: OpenApiResponse(
                TokenErrorSerializer,
                "unsupported_grant_type, invalid_request or unauthorized_client.",
            ),
            401: OpenApiResponse(TokenErrorSerializer, "invalid_client."),
            429: OpenApiResponse(TokenErrorSerializer, "too_many_requests; see `Retry-After`."),
            **refusals(413),
        },
        auth=BASIC,
    )
    def post(self, request: Request) -> HttpResponse:
        """Exchange the credentials of an application for an access token."""
        return _refusable(token, request._request)


class Revoke(OpenResource):
    parser_classes = [FormParser]

    @extend_schema(
        operation_id="revokeToken",
        summary="Revoke an access token",
        request=RevokeRequestSerializer,
        responses={
            200: OpenApiResponse({"type": "object"}, "Whatever the token (RFC 7009)."),
            400: OpenApiResponse(TokenErrorSerializer, "unauthorized_client."),
            401: OpenApiResponse(TokenErrorSerializer, "invalid_client."),
            429: OpenApiResponse(TokenErrorSerializer, "too_many_requests; see `Retry-After`."),
            **refusals(413),
        },
        auth=BASIC,
    )
    def post(self, request: Request) -> HttpResponse:
        """Give an access token back."""
        return _refusable(revoke, request._request)


def _refusable(act: Callable[[HttpRequest], HttpResponse], request: HttpRequest) -> HttpResponse:
    """Answer the call, or a refusal of `LimitedValidator`; either says what the limit is."""
    request.META[TOKEN_CALL] = call = TokenCall()
    try:
        response = act(request)
    except OAuthRefusal as refusal:
        response = _error(refusal.status, refusal.error, refusal.description)
        if refusal.status == 429 and call.rate_limit is not None:
            response["Retry-After"] = str(call.rate_limit.seconds)
    request.rate_limit = call.rate_limit  # type: ignore[attr-defined]
    return response


def token(request: HttpRequest) -> HttpResponse:
    """Give a token for `client_credentials`; several of one application live side by side."""
    _read_form(request)
    grants = request.POST.getlist("grant_type") or request.GET.getlist("grant_type")
    if len(grants) != 1:
        return _error(400, "invalid_request")
    # Some programs end a body with a line break.
    if grants[0].strip() != "client_credentials":
        return _error(400, "unsupported_grant_type")
    # Extra fields are ignored, so oauth-toolkit sees only the ones that count.
    _keep_only(request, {"client_id", "client_secret"}, grant_type="client_credentials")
    try:
        _url, _headers, body, status = get_oauthlib_core().create_token_response(request)
    except DataError:
        return _error(401, "invalid_client")  # PostgreSQL holds no NUL, so no such client exists
    answer = orjson.loads(body)
    if status != 200:
        error = str(answer.get("error", "invalid_request"))
        return _error(401 if error == "invalid_client" else 400, error)
    return _json(
        200,
        {
            "access_token": answer["access_token"],
            "expires_in": int(answer["expires_in"]),
            "token_type": "bearer",
            "scope": "",
        },
    )


def revoke(request: HttpRequest) -> HttpResponse:
    """RFC 7009: 200 whatever the token, so that nobody can ask which tokens exist."""
    _read_form(request)
    _keep_only(request, {"client_id", "client_secret", "token"})
    try:
        _headers, body, status = get_oauthlib_core().create_revocation_response(request)[1:]
    except DataError:
        return _error(401, "invalid_client")
    if status == 401 or (body and b"invalid_client" in body.encode()):
        return _error(401, "invalid_client")
    return _json(200, {})


def _read_form(request: HttpRequest) -> None:
    """Take a body that cannot be read as a form for an empty one: what it must name is missing.

    Whatever charset it names: all that counts in it is ASCII.
    """
    try:
        if request.content_type == FORM:
            request.POST = QueryDict(whole_body(request), encoding="utf-8")
        else:
            request.POST  # noqa: B018  # Django reads the body here
    except (MultiPartParserError, TooManyFieldsSent):
        request.POST = QueryDict()


def _keep_only(request: HttpRequest, names: set[str], **given: str) -> None:
    form = QueryDict(mutable=True)
    for name in names & set(request.POST):
        # PostgreSQL holds no NUL, so nothing has such a name.
        if "\0" not in request.POST[name]:
            form[name] = request.POST[name]
    form.update(given)
    request.POST = form  # type: ignore[assignment]
    # oauth-toolkit refuses a query string, where some clients put the grant type.
    request.META["QUERY_STRING"] = ""


def _json(status: int, body: dict[str, Any]) -> HttpResponse:
    return HttpResponse(
        orjson.dumps(body),
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store", "Pragma": "no-cache"},
    )


def _error(status: int, error: str, description: str = "") -> HttpResponse:
    description = description or DESCRIPTIONS.get(error, "The request was refused.")
    response = _json(status, {"error": error, "error_description": description})
    if status == 401:
        response["WWW-Authenticate"] = 'Basic realm="codabox-connect"'
    return response
