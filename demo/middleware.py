"""The situation "broken": the API answers as it does after a crash."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from oauth2_provider.models import get_access_token_model

from demo.sandbox import BROKEN
from partner_api.errors import answer
from partner_api.hot_path.middleware import PREFIX


class DeliberateCrash(RuntimeError):
    """A developer asked for it in the sandbox."""


def sandbox(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(f"{PREFIX}/") and _is_broken(request):
            response = answer(DeliberateCrash("asked for in the sandbox"))
            response["ibanity-request-id"] = str(uuid.uuid4())
            return response
        return get_response(request)

    return middleware


def _is_broken(request: HttpRequest) -> bool:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return False
    checksum = hashlib.sha256(token.strip().encode("utf-8", "replace")).hexdigest()
    tokens = get_access_token_model().objects.filter(token_checksum=checksum)
    partner = tokens.values_list("application__partner_id", flat=True).first()
    return partner is not None and bool(cache.get(BROKEN.format(partner)))
