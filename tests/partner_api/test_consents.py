"""connect-api section 4: accounting office consents, over real HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from accounts.models import Office
from consents.models import Consent
from consents.return_redirect import UnregisteredRedirect, return_redirect_of
from partners.models import Partner, RedirectUri
from tests import factories
from tests.conftest import Cast, Software
from tests.factories import CALLBACK, acting, allow

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
    "https://" + "a" * 3000 + ".example/callback", f"https://{HOST}/callback" + "/x" * 2000,
]  # fmt: skip


def errors(answer: Any) -> list[tuple[str, str | None]]:
    return [
        (error["code"], error.get("source", {}).get("pointer")) for error in answer.json()["errors"]
    ]


def test_a_first_request_is_201_and_the_next_ones_are_200(people: Cast, ledgerly: Software) -> None:
    office = factories.make_office("Maes")
    first = ledgerly.create(
        accountingOfficeCompanyNumber=office.company_number, redirectUri=CALLBACK, state="s"
    )
    assert first.status_code == 201
    again = ledgerly.create(accountingOfficeCompanyNumber=office.company_number)
    assert again.status_code == 200
    assert again.json()["data"]["id"] == first.json()["data"]["id"]
    consent = Consent.objects.get(office=office)
    assert (consent.redirect_uri, consent.state) == ("", "")


def test_the_resource_has_every_member(people: Cast, ledgerly: Software, portal: str) -> None:
    consent = people.consent
    path = f"/accounting-office-consents/{consent.uuid}"
    assert ledgerly.call("GET", path).json() == {
        "data": {
            "type": "accountingOfficeConsent",
            "id": str(consent.uuid),
            "attributes": {
                "accountingOfficeCompanyNumber": people.janssens.company_number,
                "accountingOfficeId": str(people.janssens.uuid),
                "confirmationUri": f"{portal}/consent/{consent.uuid}",
                "requestedAt": consent.requested_at.strftime("%Y-%m-%dT%H:%M:%S.")
                + f"{consent.requested_at.microsecond // 1000:03d}Z",
                "status": "unconfirmed",
                "portalStatus": "to_be_determined",
                "decidedAt": None,
                "cancelledAt": None,
                "lapsedAt": None,
                "pausedAt": None,
            },
            "links": {"self": f"{portal}/codabox-connect{path}"},
        }
    }


def test_the_status_knows_three_words_only(people: Cast, ledgerly: Software) -> None:
    path = f"/accounting-office-consents/{people.consent.uuid}"

    def words() -> tuple[str, str]:
        attributes = ledgerly.call("GET", path).json()["data"]["attributes"]
        return attributes["status"], attributes["portalStatus"]

    assert words() == ("unconfirmed", "to_be_determined")
    allow(people.consent, people.anna)
    assert words() == ("confirmed", "allowed")
    people.fresh().cancel(acting(people.anna))
    assert words() == ("denied", "cancelled")


def test_a_denied_consent_is_denied_and_asking_again_waits(
    people: Cast, ledgerly: Software
) -> None:
    people.consent.deny(acting(people.anna))
    path = f"/accounting-office-consents/{people.consent.uuid}"
    assert ledgerly.call("GET", path).json()["data"]["attributes"]["status"] == "denied"
    again = ledgerly.create(accountingOfficeCompanyNumber=people.janssens.company_number)
    assert again.status_code == 429
    assert errors(again) == [("tooManyRequests", None)]
    assert 86_000 < int(again.headers["Retry-After"]) <= 86_400


def test_a_lapsed_request_stays_unconfirmed_and_says_when(people: Cast, ledgerly: Software) -> None:
    Consent.objects.filter(pk=people.consent.pk).update(lapses_at=Now() - timedelta(hours=1))
    path = f"/accounting-office-consents/{people.consent.uuid}"
    attributes = ledgerly.call("GET", path).json()["data"]["attributes"]
    assert (attributes["status"], attributes["portalStatus"]) == ("unconfirmed", "to_be_determined")
    assert attributes["lapsedAt"] is not None
    again = ledgerly.create(accountingOfficeCompanyNumber=people.janssens.company_number)
    assert again.status_code == 201


@pytest.mark.parametrize(
    "number", ["", "BE0100509123", "0100.509.123", "100509123", "0100509124", 100509123, ["x"], {}, True, "😀"],
)  # fmt: skip
def test_a_wrong_number_is_400(ledgerly: Software, number: Any) -> None:
    answer = ledgerly.create(accountingOfficeCompanyNumber=number)
    assert answer.status_code == 400
    pointer = "/data/attributes/accountingOfficeCompanyNumber"
    assert errors(answer) == [("validationError", pointer)]
    assert answer.json()["errors"][0]["meta"] == {"attribute": "accountingOfficeCompanyNumber"}


def test_all_faults_are_told_at_once(ledgerly: Software) -> None:
    answer = ledgerly.create(redirectUri="https://evil.example", state="x" * 501)
    assert errors(answer) == [
        ("validationError", "/data/attributes/accountingOfficeCompanyNumber"),
        ("validationError", "/data/attributes/redirectUri"),
        ("validationError", "/data/attributes/state"),
    ]


def test_a_client_of_an_office_answers_like_an_unknown_number(
    people: Cast, ledgerly: Software
) -> None:
    client = ledgerly.create(accountingOfficeCompanyNumber=people.bakery.company_number)
    unknown = ledgerly.create(accountingOfficeCompanyNumber=factories.company_number())
    assert client.status_code == unknown.status_code == 404
    assert errors(client) == [("unknownAccountingOffice", None)]
    assert client.content == unknown.content


@pytest.mark.requirement(23)
@pytest.mark.parametrize("uri", MUTATIONS)
def test_only_a_registered_address_is_accepted(people: Cast, ledgerly: Software, uri: str) -> None:
    answer = ledgerly.create(
        accountingOfficeCompanyNumber=people.janssens.company_number, redirectUri=uri
    )
    assert answer.status_code == 400
    assert ("validationError", "/data/attributes/redirectUri") in errors(answer)
    # And should it ever stand in the row, nobody is sent there.
    consent = people.fresh()
    consent.redirect_uri = uri
    if uri:
        with pytest.raises(UnregisteredRedirect):
            return_redirect_of(consent)


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


@pytest.mark.requirement(27)
@pytest.mark.parametrize("state", ["", "a", "x" * 500, "a&b=c#d%20é😀", " "])
def test_a_state_is_kept_letter_for_letter(people: Cast, ledgerly: Software, state: str) -> None:
    ledgerly.create(
        accountingOfficeCompanyNumber=people.janssens.company_number,
        redirectUri=CALLBACK,
        state=state,
    )
    assert people.fresh().state == state


@pytest.mark.requirement(27)
@pytest.mark.parametrize("query", ["state=a", "a=1&state=", "accountingOfficeConsentId=x", "st%61te=a"])  # fmt: skip
def test_an_address_that_has_a_state_already_gets_no_second_one(
    people: Cast, ledgerly: Software, query: str
) -> None:
    """Of two with one name some take the first and some the last."""
    uri = f"{CALLBACK}?{query}"
    RedirectUri.objects.create(partner=people.ledgerly, uri=uri)
    number = people.janssens.company_number
    asked = {"accountingOfficeCompanyNumber": number, "redirectUri": uri}
    answer = ledgerly.create(**asked, state="b")
    assert answer.status_code == 400
    assert errors(answer) == [("validationError", "/data/attributes/redirectUri")]
    # Without a state nothing is added, so the address is as good as any.
    assert ledgerly.create(**asked).status_code == 200


def test_polling_is_cheap(people: Cast, ledgerly: Software) -> None:
    path = f"/accounting-office-consents/{people.consent.uuid}"
    etag = ledgerly.call("GET", path).headers["ETag"]
    for known in (etag, f"W/{etag}", f'"x", {etag}', "*"):
        same = ledgerly.call("GET", path, headers={"If-None-Match": known})
        assert (same.status_code, same.content) == (304, b"")
        # A cache would take a length of 0, or HTML, for those of what it has.
        assert not {"content-type", "content-length"} & set(same.headers)
    allow(people.consent, people.anna)
    assert ledgerly.call("GET", path, headers={"If-None-Match": etag}).status_code == 200


def test_a_malformed_identifier_is_400(ledgerly: Software) -> None:
    answer = ledgerly.call("GET", "/accounting-office-consents/not-a-uuid")
    assert (answer.status_code, errors(answer)) == (400, [("invalidParameter", None)])


def test_giving_up_an_allowed_consent_cancels_it(people: Cast, ledgerly: Software) -> None:
    allow(people.consent, people.anna)
    path = f"/accounting-office-consents/{people.consent.uuid}"
    answer = ledgerly.call("DELETE", path)
    assert (answer.status_code, answer.content) == (204, b"")
    assert not {"content-type", "content-length"} & set(answer.headers)
    assert people.fresh().status == "cancelled"
    assert people.consent.events.get(kind="cancelled").actor_kind == "partner"
    assert ledgerly.call("DELETE", path).status_code == 204


def test_giving_up_a_request_withdraws_it(people: Cast, ledgerly: Software) -> None:
    path = f"/accounting-office-consents/{people.consent.uuid}"
    assert ledgerly.call("DELETE", path).status_code == 204
    assert people.fresh().closed_reason == "withdrawn"
    assert people.fresh().status == "to_be_determined"
    again = ledgerly.create(accountingOfficeCompanyNumber=people.janssens.company_number)
    assert again.status_code == 201


def test_giving_up_an_ended_consent_changes_nothing(people: Cast, ledgerly: Software) -> None:
    people.consent.deny(acting(people.anna))
    path = f"/accounting-office-consents/{people.consent.uuid}"
    assert ledgerly.call("DELETE", path).status_code == 204
    assert people.fresh().status == "denied"
    assert people.consent.events.count() == 2


@pytest.mark.requirement(110)
def test_a_suspended_partner_and_a_suspended_office_are_told(
    people: Cast, ledgerly: Software
) -> None:
    number = people.janssens.company_number
    Office.objects.filter(pk=people.janssens.pk).update(is_active=False)
    answer = ledgerly.create(accountingOfficeCompanyNumber=number)
    assert (answer.status_code, errors(answer)[0][0]) == (403, "accountingOfficeSuspended")
    Partner.objects.filter(pk=people.ledgerly.pk).update(status="suspended")
    answer = ledgerly.create(accountingOfficeCompanyNumber=number)
    assert (answer.status_code, errors(answer)[0][0]) == (403, "partnerSuspended")
