"""oauth-toolkit within the limits of the API: a partner takes as many tokens as it has calls."""

from typing import Any

from partner_api.throttling import count_token
from partners.oauth import PartnerValidator


class LimitedValidator(PartnerValidator):
    """Who proved who it is may have to wait. A stranger uses up the tokens of nobody."""

    def authenticate_client(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        known = super().authenticate_client(request, *args, **kwargs)
        if known:
            partner = request.client.partner
            count_token(partner.pk, partner.calls_per_minute)
        return known
