"""Access tokens (connect-api section 3): oauth-toolkit issues and revokes them."""

from __future__ import annotations

from typing import Any

import orjson
from django.core.exceptions import TooManyFieldsSent
from django.db import DataError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.multipartparser import MultiPartParserError
from oauth2_provider.oauth2_backends import get_oauthlib_core
from rest_framework.request import Request

from partner_api.negotiation import whole_body
from partner_api.schema import EVERYWHERE, answers, body, ref
from partner_api.views.root import Open

FORM = "application/x-www-form-urlencoded"
JSON = ["application/json"]
REFUSALS = [413, 429, *EVERYWHERE]
DESCRIPTIONS = {
    "invalid_client": "The client identifier or its secret is wrong.",
    "unsupported_grant_type": "Only grant_type=client_credentials is known here.",
    "invalid_request": "Send grant_type=client_credentials once, as form data.",
}


class Token(Open):
    @answers(
        "Get an access token",
        [
            (200, ref("Token"), JSON, "Opaque; several of one application live side by side."),
            (400, ref("TokenError"), JSON, "unsupported_grant_type or invalid_request."),
            (401, ref("TokenError"), JSON, "invalid_client."),
        ],
        REFUSALS,
        request=body("TokenRequest", FORM),
        auth=[{"clientCredentials": []}],
    )
    def post(self, request: Request) -> HttpResponse:
        return token(request._request)


class Revoke(Open):
    @answers(
        "Revoke an access token",
        [
            (200, {"type": "object"}, JSON, "Whatever the token (RFC 7009)."),
            (401, ref("TokenError"), JSON, "invalid_client."),
        ],
        REFUSALS,
        request=body("RevokeRequest", FORM),
        auth=[{"clientCredentials": []}],
    )
    def post(self, request: Request) -> HttpResponse:
        return revoke(request._request)


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
        _url, _headers, told, status = get_oauthlib_core().create_token_response(request)
    except DataError:
        return _error(401, "invalid_client")  # PostgreSQL holds no NUL, so no such client exists
    answer = orjson.loads(told)
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
        _headers, told, status = get_oauthlib_core().create_revocation_response(request)[1:]
    except DataError:
        return _error(401, "invalid_client")
    if status == 401 or (told and b"invalid_client" in told.encode()):
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


def _error(status: int, error: str) -> HttpResponse:
    description = DESCRIPTIONS.get(error, "The request was refused.")
    response = _json(status, {"error": error, "error_description": description})
    if status == 401:
        response["WWW-Authenticate"] = 'Basic realm="codabox-connect"'
    return response
