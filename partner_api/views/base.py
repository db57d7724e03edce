"""What every resource of the API has in common."""

from __future__ import annotations

from typing import Any, cast

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from partner_api.authentication import Caller
from partner_api.errors import refused
from partner_api.throttling import count_call


class Resource(APIView):
    """A resource: methods it does not define are 405 with `Allow`, OPTIONS included."""

    http_method_names = ["get", "head", "post", "delete", "put", "patch"]

    def caller(self, request: Request) -> Caller:
        return cast(Caller, request.user)

    def check_throttles(self, request: Request) -> None:
        caller = cast(Caller | None, request.user)
        if caller is not None:
            count_call(caller.partner_id, caller.calls_per_minute)

    def http_method_not_allowed(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        error = refused(405, "methodNotAllowed", "This resource does not know that method.")
        error.headers["Allow"] = ", ".join(self.allowed_methods)
        raise error
