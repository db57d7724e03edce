"""How a partner proves who it is at the token endpoint; oauth-toolkit does the rest."""

from collections.abc import Callable
from typing import Any

from oauth2_provider.oauth2_validators import OAuth2Validator

from partners.certificates import NoCertificate, presented_fingerprint


class PartnerValidator(OAuth2Validator):  # type: ignore[misc]  # oauth-toolkit has no types
    """Two secrets are valid during a rotation; mutual TLS, where it is on, must fit as well."""

    def authenticate_client(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        known = super().authenticate_client(request, *args, **kwargs)
        return bool(known and self._certified(request))

    def save_bearer_token(self, token: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Save one row, without the transaction that oauth-toolkit opens for other grants."""
        return self._save_bearer_token(token, request, *args, **kwargs)

    def _extract_basic_auth(self, request: Any) -> str | None:
        """Accept the name of the scheme in capitals or not (RFC 9110, section 11.1)."""
        scheme, _, words = request.headers.get("HTTP_AUTHORIZATION", "").partition(" ")
        return words.strip() if scheme.lower() == "basic" else None

    def _authenticate_basic_auth(self, request: Any) -> bool:
        return self._by_either_secret(super()._authenticate_basic_auth, request)

    def _authenticate_request_body(self, request: Any) -> bool:
        return self._by_either_secret(super()._authenticate_request_body, request)

    def _by_either_secret(self, check: Callable[[Any], bool], request: Any) -> bool:
        if check(request):
            request.client.note_use()
            return True
        application = request.client
        if application is None or not application.previous_secret:
            return False
        current, application.client_secret = application.client_secret, application.previous_secret
        try:
            known = check(request)
        finally:
            application.client_secret = current
        return bool(known and application.note_use(previous=True))

    def _certified(self, request: Any) -> bool:
        try:
            fingerprint = presented_fingerprint(request.headers)
        except NoCertificate:
            return False
        certificates = request.client.partner.certificates
        return fingerprint is None or certificates.filter(fingerprint=fingerprint).exists()
