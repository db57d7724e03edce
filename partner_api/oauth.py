"""oauth-toolkit within the rules of the API: suspended partners and the limit of tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from partner_api.hot_path.rate_limit import RateLimit, count_token
from partners.models import PartnerStatus
from partners.oauth import PartnerValidator

# The key of the `TokenCall` among the headers that oauth-toolkit hands to the validator.
TOKEN_CALL = "partner_api.token_call"  # noqa: S105  # a key, not a secret


@dataclass
class TokenCall:
    """What the validator learns about a call, for the view that answers it."""

    rate_limit: RateLimit | None = None


class OAuthRefusal(Exception):
    """A refusal of the token endpoint, in the words of OAuth (RFC 6749, section 5.2)."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.description = description


class LimitedValidator(PartnerValidator):
    """Refuses a partner that proved who it is but may not go on.

    Without a valid secret the status is not shown and no token is counted.
    """

    def authenticate_client(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        known = super().authenticate_client(request, *args, **kwargs)
        if known:
            partner = request.client.partner
            if partner.status != PartnerStatus.ACTIVE:
                raise OAuthRefusal(
                    400, "unauthorized_client", "Your software is suspended; ask the portal."
                )
            rate_limit = count_token(partner.pk, partner.calls_per_minute)
            request.headers[TOKEN_CALL].rate_limit = rate_limit
            if rate_limit.is_exceeded:
                raise OAuthRefusal(429, "too_many_requests", rate_limit.sentence)
        return known
