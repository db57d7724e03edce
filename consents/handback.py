"""The way back to the software: checked when the consent is made, and again before it is used."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from consents.models import Consent

IDENTIFIER, STATE = "accountingOfficeConsentId", "state"


class Handback(NamedTuple):
    """Where the browser goes, and the host name that the person reads before."""

    url: str
    host: str


class UnknownAddress(Exception):
    """The address is not, or no longer, registered for the partner: never go there."""


def handback(consent: Consent) -> Handback | None:
    """Return the way back, None when the software gave none; raise UnknownAddress.

    The address is used exactly as given. Only when a `state` was sent, it and the consent's
    identifier are appended; the outcome is never in the address, software asks by GET.
    """
    uri = consent.redirect_uri
    if not uri:
        return None
    if not consent.partner.accepts_redirect(uri):
        raise UnknownAddress
    if consent.state:
        added = {IDENTIFIER: str(consent.uuid), STATE: consent.state}
        # A blank as %20: not every software takes a plus for one.
        uri += ("&" if "?" in uri else "?") + urlencode(added, safe="", quote_via=quote)
    return Handback(uri, urlsplit(uri).netloc)


def has_room_for_a_state(uri: str) -> bool:
    """False where the address names already what would be appended: nobody reads two alike."""
    query = parse_qsl(urlsplit(uri).query, keep_blank_values=True)
    return not {IDENTIFIER, STATE} & {name for name, _ in query}
