"""An answer with an `ETag`, so that software that asks again gets 304 while nothing changed."""

from __future__ import annotations

import hashlib

from django.http import HttpResponse
from rest_framework.request import Request

from partner_api.errors import MEDIA_TYPE
from partner_api.idempotency import StoredAnswer
from partner_api.negotiation import is_known


def cached_answer(answer: StoredAnswer, request: Request) -> HttpResponse:
    """The answer, or 304 where the caller has it already."""
    etag = f'"{hashlib.sha256(answer.body).hexdigest()[:32]}"'
    if request.method in ("GET", "HEAD") and is_known(request, etag):
        return HttpResponse(status=304, headers={"ETag": etag})
    return HttpResponse(
        answer.body, status=answer.status, content_type=MEDIA_TYPE, headers={"ETag": etag}
    )
