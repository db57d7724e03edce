"""The return redirect to the software: checked at the request, and again before it is used."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from consents.models import Consent

IDENTIFIER, STATE = "accountingOfficeConsentId", "state"


class ReturnRedirect(NamedTuple):
    """Where the browser goes, and the host name that the person reads before."""

    url: str
    host: str


class UnregisteredRedirect(Exception):
    """The address is not, or no longer, registered for the partner: never go there."""


def return_redirect_of(consent: Consent) -> ReturnRedirect | None:
    """The return redirect; None when the software gave no address. Raises UnregisteredRedirect.

    The address is used exactly as given. Only when a `state` was sent, it and the consent's
    identifier are appended; the outcome is never in the address, software asks by GET.
    """
    uri = consent.redirect_uri
    if not uri:
        return None
    if not consent.partner.accepts_redirect(uri):
        raise UnregisteredRedirect
    if consent.state:
        added = {IDENTIFIER: str(consent.uuid), STATE: consent.state}
        # A blank as %20: not all software reads a plus as a blank.
        uri += ("&" if "?" in uri else "?") + urlencode(added, safe="", quote_via=quote)
    return ReturnRedirect(uri, urlsplit(uri).netloc)


def has_room_for_a_state(uri: str) -> bool:
    """False where the address already has a parameter that would be appended."""
    query = parse_qsl(urlsplit(uri).query, keep_blank_values=True)
    return not {IDENTIFIER, STATE} & {name for name, _ in query}
