"""What every resource of the API has in common."""

from __future__ import annotations

from typing import Any, cast

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from partner_api.errors import refused, too_many_requests
from partner_api.hot_path.authentication import Caller
from partner_api.hot_path.rate_limit import count_call
from partner_api.negotiation import ApiRequest, JsonRenderer


class Resource(APIView):
    """A resource of the API; a method that it does not define is 405, also OPTIONS."""

    http_method_names = ["get", "head", "post", "delete", "put", "patch"]

    def caller(self, request: Request) -> Caller:
        return cast(Caller, request.user)

    def initialize_request(self, request: Any, *args: Any, **kwargs: Any) -> Request:
        return ApiRequest(
            request,
            parsers=self.get_parsers(),
            authenticators=self.get_authenticators(),
            negotiator=self.get_content_negotiator(),
            parser_context=self.get_parser_context(request),
        )

    def perform_authentication(self, request: Request) -> None:
        """Know the caller and count the call, before anything else can refuse it."""
        super().perform_authentication(request)
        caller = cast(Caller | None, request.user)
        if caller is not None:
            rate_limit = count_call(caller.partner_id, caller.calls_per_minute)
            request._request.rate_limit = rate_limit  # type: ignore[attr-defined]
            if rate_limit.is_exceeded:
                raise too_many_requests(rate_limit.seconds, rate_limit.sentence)

    def http_method_not_allowed(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        error = refused(405, "methodNotAllowed", "This resource does not know that method.")
        error.headers["Allow"] = ", ".join(self.allowed_methods)
        raise error


class PartnerIsActive(BasePermission):
    """A suspended partner reads the status of its own consents, and nothing else."""

    def has_permission(self, request: Request, view: Any) -> bool:
        caller = cast(Caller, request.user)
        if not caller.partner_active and request.method not in view.methods_when_suspended:
            raise refused(403, "partnerSuspended", "Your software is suspended; ask the portal.")
        return True


class PartnerResource(Resource):
    """A resource of the calling partner, such as its consents."""

    permission_classes = [PartnerIsActive]
    methods_when_suspended: tuple[str, ...] = ()


class OpenResource(Resource):
    """A resource that needs no access token and answers plain JSON."""

    authentication_classes: list[Any] = []
    renderer_classes = [JsonRenderer]
