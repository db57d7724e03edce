"""Where a browser may be sent: more than a thousand ways to bend an address (assurance 23)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from consents.return_redirect import UnregisteredRedirect, return_redirect_of
from partners.redirects import lies_on_origin
from tests import factories
from tests.conftest import Cast

pytestmark = pytest.mark.requirement(23)


ADDRESS = "https://app.example/back/here?tenant=7&x=1"
ORIGIN = "https://app.example"
# What parsers drop, repair or read as something else.
SIGNS = ["\t", "\n", "\r", " ", "\0", "\\", "@", "%00", "%09", "/", "//", "..", "..;/", "%2e%2e/", "#", ";a=b", "。", "．", "\u200b", "%ff"]  # fmt: skip
WHOLE = [
    *("javascript:alert(1)", "data:text/html,x", "//evil.example/", "https:evil.example"),
    *("https:///evil.example", "https://evil.example", "http://app.example/back/here?tenant=7&x=1"),
    *("https://app.example.evil.example/back", "https://evil.example/https://app.example/"),
    *("https://user@app.example/", "https://user:word@app.example/", "https://a@b@app.example/"),
    *("https://app.example:443/", "https://app.example:0443/", "https://app.example:8443/"),
    *("https://app.example./", "https://APP.example/", "https://аpp.example/", "HTTPS://app.example/"),
    *("https://app.example/#", "https://app.example/#x", "https://*.example/", "https://[::1]/"),
    *("https://2130706433/", "https://0x7f.1/", "https://127.1/", "ftp://app.example/", "/back", ""),
    *(f"{ADDRESS}&tenant=7", "https://app.example/back/here?x=1&tenant=7", f"{ADDRESS}&state=a"),
    *("https://app.example/back/here/", "https://app.example/back", "https://app.example/BACK/here?tenant=7&x=1"),
]  # fmt: skip


def bent() -> Iterator[str]:
    """Every sign at every place, every letter in the other case, every character left out."""
    yield from WHOLE
    for place in range(len(ADDRESS) + 1):
        head, tail = ADDRESS[:place], ADDRESS[place:]
        yield from (head + sign + tail for sign in SIGNS)
        if tail:
            yield head + tail[0].swapcase() + tail[1:]
            yield head + tail[1:]


BENT = [uri for uri in dict.fromkeys(bent()) if uri != ADDRESS]


@pytest.mark.django_db
def test_a_bent_address_is_neither_registered_nor_used(cast: Cast) -> None:
    assert len(BENT) > 800
    partner = factories.make_partner(redirects=[ADDRESS])
    consent = factories.make_request(cast.janssens, partner, redirect_uri=ADDRESS)
    assert return_redirect_of(consent)
    for uri in BENT:
        assert not partner.accepts_redirect(uri), repr(uri)
        consent.redirect_uri = uri
        if uri:
            with pytest.raises(UnregisteredRedirect):
                return_redirect_of(consent)


def test_what_lies_on_an_origin_is_read_in_one_way_only() -> None:
    on = [uri for uri in BENT if lies_on_origin(uri, ORIGIN)]
    assert 100 < len(on) < len(BENT) / 2
    for uri in on:
        assert uri == ORIGIN or uri.startswith((f"{ORIGIN}/", f"{ORIGIN}?"))
        assert uri.isascii()
        assert uri.isprintable()
        assert not set(uri) & set(" \\#"), repr(uri)
        path = uri[len(ORIGIN) :].partition("?")[0]
        assert not any(sign in path for sign in ("..", "//", "%2e")), repr(uri)
