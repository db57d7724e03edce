"""connect-api section 4: nobody is sent to an address that is not registered."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from consents.handback import UnknownAddress, handback
from partners.models import RedirectUri
from tests import factories
from tests.conftest import Cast, Software
from tests.factories import CALLBACK
from tests.partner_api.answers import errors

HOST = "software.example"
# What browsers, proxies and parsers read in more than one way; none of it is registered.
MUTATIONS = [
    f"https://{HOST}", f"https://{HOST}/", f"https://{HOST}/callback/", f"https://{HOST}/Callback",
    f"https://{HOST}/callback?", f"https://{HOST}/callback?a=1", f"https://{HOST}/callback#",
    f"https://{HOST}/callback#x", f"http://{HOST}/callback", f"https://{HOST}:443/callback",
    f"https://{HOST}:8443/callback", f"https://{HOST}./callback", f"https://{HOST.upper()}/callback",
    f"HTTPS://{HOST}/callback", f"https://x@{HOST}/callback", f"https://{HOST}@evil.example/callback",
    f"https://{HOST}:x@evil.example/callback", f"https://a@b@{HOST}/callback",
    f"https://evil.example/https://{HOST}/callback", f"https://{HOST}.evil.example/callback",
    f"https://evil{HOST}/callback", f"https://{HOST}/callback/../x", f"https://{HOST}/x/../callback",
    f"https://{HOST}/callback/..;/x", f"https://{HOST}/callback;x", f"https://{HOST}/callback%2f",
    f"https://{HOST}/%63allback", f"https://{HOST}/callback%00", f"https://{HOST}/callback%0d%0a",
    f"https://{HOST}\\callback", f"https://{HOST}\\@evil.example", f"https:\\\\{HOST}/callback",
    f"https:/{HOST}/callback", f"https:{HOST}/callback", f"//{HOST}/callback", f"///{HOST}/callback",
    f" https://{HOST}/callback", f"https://{HOST}/callback ", f"https://{HOST}/call back",
    f"https://{HOST}/callback\t", f"\thttps://{HOST}/callback", f"https://{HOST}/call\nback",
    f"ht\ntps://{HOST}/callback", f"https://{HOST}/callback\r\nLocation: https://evil.example",
    "https://sоftware.example/callback", "https://ｓoftware.example/callback",
    "https://software。example/callback", "https://xn--sftware-3ya.example/callback",
    "https://[::1]/callback", "https://127.0.0.1/callback", "http://localhost/callback",
    "https://*.example/callback", "https://*/callback", "*", "/callback", "callback", "",
    "javascript:alert(1)", f"javascript://{HOST}/%0aalert(1)", "data:text/html,x", "about:blank",
    "ftp://software.example/callback", "file:///etc/passwd", "software.example/callback",
    f"https://{HOST}//callback", f"https://{HOST}/./callback", f"https://{HOST}/callback/.",
    f"https://{HOST}/callback?state=x&state=y", f"https://{HOST}/callback?redirect=https://evil.example",
    f"https://{HOST}:/callback", f"https://{HOST}:0443/callback", f"https://{HOST}:65536/callback",
    f"https://{HOST}/callback&x", f"https://{HOST}/callback\u202e", f"https://{HOST}/callbac\u212a",
    f"https://{HOST}/callback\u0085", f"https://{HOST}/callback\u2028", f"https://{HOST}/callback\ufeff",
    f"\ufeffhttps://{HOST}/callback", f"https://{HOST}/callback\u200b", f"https://{HOST}/callb\u0430ck",
    f"https://{HOST}/callback\u0301", f"https://{HOST}/callback\x0b", f"https://{HOST}/callback\x1f",
    f"https://{HOST}/callback\x7f", f"https:///{HOST}/callback", f"https:////{HOST}/callback",
    f"https:\t//{HOST}/callback", f"https://\t{HOST}/callback", "https://software\t.example/callback",
    f"https://{HOST}%2eevil.example/callback", f"https://{HOST}%00.evil.example/callback",
    f"https://{HOST}%40evil.example/callback", "https://%73oftware.example/callback",
    f"https://{HOST}#@evil.example/callback", f"https://{HOST}?@evil.example/callback",
    f"https://{HOST};@evil.example/callback", f"https://evil.example#{HOST}/callback",
    f"https://evil.example?{HOST}/callback", f"https://evil.example\\@{HOST}/callback",
    f"https://evil.example%23@{HOST}/callback", f"https://[{HOST}]/callback", f"https://@{HOST}/callback",
    f"https://:@{HOST}/callback", f"https://:x@{HOST}/callback", f"httpss://{HOST}/callback",
    f"xhttps://{HOST}/callback", f"view-source:https://{HOST}/callback", f"blob:https://{HOST}/callback",
    f"intent://{HOST}/callback#Intent;scheme=https;end", f"software.example://{HOST}/callback",
    f"https://sub.{HOST}/callback", f"https://www.{HOST}/callback", "https://example/callback",
    f"https://{HOST}/callback,https://evil.example", f"https://{HOST}/callback https://evil.example",
    f"https://{HOST}/CALLBACK", f"https://{HOST}/callback?", f"https://{HOST}/callback/%2e%2e/x",
    f"https://{HOST}/callback\"onload=x", f"https://{HOST}/callback<x>", f"https://{HOST}/callback'",
    f"https://{HOST}/callback%", f"https://{HOST}/callback|x", f"https://{HOST}/callback^", "https://", "https:",
    f"https://{HOST}:443@evil.example/callback", f"https://{HOST}:+443/callback",
    "https://0x7f000001/callback", "https://2130706433/callback", "https://127.1/callback",
    "https://" + "a" * 3000 + ".example/callback", f"https://{HOST}/callback" + "/x" * 2000,
]  # fmt: skip


@pytest.mark.parametrize("uri", MUTATIONS)
def test_only_a_registered_address_is_accepted(people: Cast, ledgerly: Software, uri: str) -> None:
    answer = ledgerly.create(
        accountingOfficeCompanyNumber=people.janssens.company_number, redirectUri=uri
    )
    assert answer.status_code == 400
    assert ("validationError", "/data/attributes/redirectUri") in errors(answer)
    assert people.fresh().redirect_uri == CALLBACK


@pytest.mark.django_db
@pytest.mark.parametrize("uri", sorted({*MUTATIONS} - {""}))
def test_nobody_is_sent_to_it_even_if_it_stands_in_the_row(cast: Cast, uri: str) -> None:
    cast.consent.redirect_uri = uri
    with pytest.raises(UnknownAddress):
        handback(cast.consent)


def test_the_corpus_has_at_least_a_hundred_addresses() -> None:
    assert len({*MUTATIONS}) >= 100


def test_the_registered_address_itself_is_accepted_and_used(
    people: Cast, ledgerly: Software
) -> None:
    number = people.janssens.company_number
    answer = ledgerly.create(accountingOfficeCompanyNumber=number, redirectUri=CALLBACK)
    assert answer.status_code == 200
    assert handback(people.fresh()) == (CALLBACK, HOST)


def test_an_address_is_refused_from_the_moment_it_is_unregistered(
    people: Cast, ledgerly: Software
) -> None:
    RedirectUri.objects.filter(partner=people.ledgerly).delete()
    with pytest.raises(UnknownAddress):
        handback(people.fresh())
    number = people.janssens.company_number
    answer = ledgerly.create(accountingOfficeCompanyNumber=number, redirectUri=CALLBACK)
    assert errors(answer) == [("validationError", "/data/attributes/redirectUri")]


def test_an_address_of_another_partner_is_not_accepted(people: Cast, ledgerly: Software) -> None:
    answer = ledgerly.create(
        accountingOfficeCompanyNumber=people.janssens.company_number,
        redirectUri="https://tally.example/back",
    )
    assert errors(answer) == [("validationError", "/data/attributes/redirectUri")]


@pytest.mark.parametrize("uri", [7, True, ["https://software.example/callback"], {"uri": "x"}, 1.5])
def test_an_address_that_is_no_text_is_400(people: Cast, ledgerly: Software, uri: object) -> None:
    answer = ledgerly.create(
        accountingOfficeCompanyNumber=people.janssens.company_number, redirectUri=uri
    )
    assert errors(answer) == [("validationError", "/data/attributes/redirectUri")]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("uri", "state", "url"),
    [("https://a.example/x", "", "https://a.example/x"),
     ("https://a.example/x?b=1&c=%20", "", "https://a.example/x?b=1&c=%20"),
     ("https://a.example/x", "s&t=é #", "https://a.example/x?accountingOfficeConsentId={id}&state=s%26t%3D%C3%A9+%23"),
     ("https://a.example/x?b=1", "s", "https://a.example/x?b=1&accountingOfficeConsentId={id}&state=s")],
)  # fmt: skip
def test_the_way_back_is_the_address_exactly_as_given_plus_the_state_if_one_was_sent(
    cast: Cast, uri: str, state: str, url: str
) -> None:
    RedirectUri.objects.create(partner=cast.ledgerly, uri=uri)
    cast.consent.redirect_uri, cast.consent.state = uri, state
    way = handback(cast.consent)
    assert way is not None
    assert way.url == url.format(id=cast.consent.uuid)
    assert way.host == "a.example"


@pytest.mark.django_db
def test_without_an_address_there_is_no_way_back(cast: Cast) -> None:
    cast.consent.redirect_uri, cast.consent.state = "", "s"
    assert handback(cast.consent) is None


@pytest.mark.parametrize(
    "uri", ["http://localhost:5000/cb", "http://127.0.0.1/cb", "http://[::1]:8001/cb"]
)
def test_plain_http_is_accepted_for_a_registered_loopback(
    people: Cast, ledgerly: Software, uri: str
) -> None:
    RedirectUri.objects.create(partner=people.ledgerly, uri=uri)
    answer = ledgerly.create(
        accountingOfficeCompanyNumber=people.janssens.company_number, redirectUri=uri
    )
    assert answer.status_code == 200


@pytest.mark.parametrize("uri", ["http://software.example/cb", "http://localhost.evil.example/cb", "https://u:p@software.example/cb", "https://software.example/cb#x", "https://*.software.example/cb", "software.example/cb", "javascript:alert(1)", "https://software.example/ c"])  # fmt: skip
def test_an_operator_cannot_register_an_unsafe_address(uri: str) -> None:
    with pytest.raises(ValidationError):
        RedirectUri(uri=uri).clean()


ON_ORIGIN = ["https://app.example", "https://app.example/", "https://app.example/any/path", "https://app.example?x=1", "https://app.example/a?next=https://x.example/y"]  # fmt: skip
OFF_ORIGIN = ["https://app.example.evil.example/", "https://app.example:443/", "http://app.example/", "https://app.example@evil.example/", "https://APP.example/", "https://app.example/../x", "https://app.example/%2e%2e/x", "https://app.example//evil.example", "https://app.example\\evil", "https://sub.app.example/", "https://app.example/x#y"]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("uri", ON_ORIGIN)
def test_an_origin_takes_every_path_below_it(uri: str) -> None:
    partner = factories.make_partner(redirects=[], origins=["https://app.example"])
    assert partner.accepts_redirect(uri)


@pytest.mark.django_db
@pytest.mark.parametrize("uri", OFF_ORIGIN)
def test_an_origin_is_exact(uri: str) -> None:
    partner = factories.make_partner(redirects=[], origins=["https://app.example"])
    assert not partner.accepts_redirect(uri)
