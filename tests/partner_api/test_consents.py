"""connect-api section 4: accounting office consents, over real HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from accounts.models import Office
from consents.models import Consent
from partners.models import Partner, RedirectUri
from tests import factories
from tests.conftest import Cast, Software
from tests.factories import CALLBACK, acting, allow
from tests.partner_api.answers import errors


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
    allow(people.consent, people.an)
    assert words() == ("confirmed", "allowed")
    people.fresh().cancel(acting(people.an))
    assert words() == ("denied", "cancelled")


def test_a_denied_consent_is_denied_and_asking_again_waits(
    people: Cast, ledgerly: Software
) -> None:
    people.consent.deny(acting(people.an))
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


@pytest.mark.parametrize("state", ["", "a", "x" * 500, "a&b=c#d%20é😀", " "])
def test_a_state_is_kept_letter_for_letter(people: Cast, ledgerly: Software, state: str) -> None:
    ledgerly.create(
        accountingOfficeCompanyNumber=people.janssens.company_number,
        redirectUri=CALLBACK,
        state=state,
    )
    assert people.fresh().state == state


def test_polling_is_cheap(people: Cast, ledgerly: Software) -> None:
    path = f"/accounting-office-consents/{people.consent.uuid}"
    etag = ledgerly.call("GET", path).headers["ETag"]
    same = ledgerly.call("GET", path, headers={"If-None-Match": etag})
    assert (same.status_code, same.content) == (304, b"")
    allow(people.consent, people.an)
    assert ledgerly.call("GET", path, headers={"If-None-Match": etag}).status_code == 200


def test_a_malformed_identifier_is_400(ledgerly: Software) -> None:
    answer = ledgerly.call("GET", "/accounting-office-consents/not-a-uuid")
    assert (answer.status_code, errors(answer)) == (400, [("invalidParameter", None)])


def test_giving_up_an_allowed_consent_cancels_it(people: Cast, ledgerly: Software) -> None:
    allow(people.consent, people.an)
    path = f"/accounting-office-consents/{people.consent.uuid}"
    answer = ledgerly.call("DELETE", path)
    assert (answer.status_code, answer.content) == (204, b"")
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
    people.consent.deny(acting(people.an))
    path = f"/accounting-office-consents/{people.consent.uuid}"
    assert ledgerly.call("DELETE", path).status_code == 204
    assert people.fresh().status == "denied"
    assert people.consent.events.count() == 2


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


def test_asking_again_takes_over_the_new_address_and_state(
    people: Cast, ledgerly: Software
) -> None:
    number = people.janssens.company_number
    RedirectUri.objects.create(partner=people.ledgerly, uri="https://software.example/two")
    given = {"redirectUri": "https://software.example/two", "state": "second"}
    answer = ledgerly.create(accountingOfficeCompanyNumber=number, **given)
    assert answer.status_code == 200
    assert answer.json()["data"]["id"] == str(people.consent.uuid)
    fresh = people.fresh()
    assert (fresh.redirect_uri, fresh.state) == (given["redirectUri"], "second")
    assert fresh.requested_at == people.consent.requested_at


def test_a_refused_request_takes_nothing_over(people: Cast, ledgerly: Software) -> None:
    number = people.janssens.company_number
    answer = ledgerly.create(
        accountingOfficeCompanyNumber=number, redirectUri="https://evil.example/", state="mine"
    )
    assert answer.status_code == 400
    assert (people.fresh().redirect_uri, people.fresh().state) == (CALLBACK, "")


def test_asking_for_an_allowed_consent_gives_it_unchanged(people: Cast, ledgerly: Software) -> None:
    allow(people.consent, people.an)
    number = people.janssens.company_number
    before = Consent.objects.filter(pk=people.consent.pk).values().get()
    for _ in range(5):
        answer = ledgerly.create(accountingOfficeCompanyNumber=number, state="ignored")
        assert answer.status_code == 200
        data = answer.json()["data"]
        assert (data["id"], data["attributes"]["status"]) == (str(people.consent.uuid), "confirmed")
    after = Consent.objects.filter(pk=people.consent.pk).values().get()
    assert {**before, "read_at": None} == {**after, "read_at": None}
    assert Consent.objects.filter(office=people.janssens).count() == 1


def test_asking_after_a_cancel_makes_a_new_request_at_once(
    people: Cast, ledgerly: Software
) -> None:
    allow(people.consent, people.an)
    people.fresh().cancel(acting(people.an))
    answer = ledgerly.create(accountingOfficeCompanyNumber=people.janssens.company_number)
    assert answer.status_code == 201
    data = answer.json()["data"]
    assert data["id"] != str(people.consent.uuid)
    assert data["attributes"]["accountingOfficeId"] == str(people.janssens.uuid)
    old = ledgerly.call("GET", f"/accounting-office-consents/{people.consent.uuid}").json()
    assert old["data"]["attributes"]["portalStatus"] == "cancelled"


@pytest.mark.parametrize("verb", ["allow", "deny"])
def test_the_dates_of_a_decision_are_told(people: Cast, ledgerly: Software, verb: str) -> None:
    path = f"/accounting-office-consents/{people.consent.uuid}"

    def attributes() -> dict[str, Any]:
        return dict(ledgerly.call("GET", path).json()["data"]["attributes"])

    if verb == "deny":
        people.consent.deny(acting(people.an))
        told = attributes()
        assert told["decidedAt"] is not None
        assert told["cancelledAt"] is None
        return
    allow(people.consent, people.an)
    decided = attributes()["decidedAt"]
    assert decided is not None
    people.fresh().cancel(acting(people.an))
    told = attributes()
    assert told["decidedAt"] == decided
    assert told["cancelledAt"] >= decided
    assert told["lapsedAt"] is None


def test_a_pause_is_told_while_it_lasts(people: Cast, ledgerly: Software) -> None:
    allow(people.consent, people.an)
    path = f"/accounting-office-consents/{people.consent.uuid}"
    row = Consent.objects.filter(pk=people.consent.pk)
    row.update(paused_at=Now())
    told = ledgerly.call("GET", path).json()["data"]["attributes"]
    assert (told["status"], told["pausedAt"] is not None) == ("confirmed", True)
    row.update(paused_at=Now() - timedelta(hours=2), paused_until=Now() - timedelta(hours=1))
    assert ledgerly.call("GET", path).json()["data"]["attributes"]["pausedAt"] is None


def test_a_withdrawn_request_has_not_lapsed(people: Cast, ledgerly: Software) -> None:
    path = f"/accounting-office-consents/{people.consent.uuid}"
    ledgerly.call("DELETE", path)
    told = ledgerly.call("GET", path).json()["data"]["attributes"]
    assert (told["status"], told["portalStatus"]) == ("unconfirmed", "to_be_determined")
    assert told["lapsedAt"] is None


def test_create_read_and_poll_give_one_and_the_same_resource(
    people: Cast, ledgerly: Software
) -> None:
    created = ledgerly.create(
        accountingOfficeCompanyNumber=people.janssens.company_number, redirectUri=CALLBACK
    )
    read = ledgerly.call("GET", f"/accounting-office-consents/{people.consent.uuid}")
    assert created.json() == read.json()


@pytest.mark.parametrize("template", ["{}", "W/{}", '"x", {}'])
def test_every_form_of_if_none_match_is_understood(
    people: Cast, ledgerly: Software, template: str
) -> None:
    path = f"/accounting-office-consents/{people.consent.uuid}"
    etag = ledgerly.call("GET", path).headers["ETag"]
    header = {"If-None-Match": template.format(etag)}
    answer = ledgerly.call("GET", path, headers=header)
    assert (answer.status_code, answer.headers["ETag"]) == (304, etag)
    assert answer.headers["ibanity-request-id"]
    assert ledgerly.call("GET", path, headers={"If-None-Match": '"x"'}).status_code == 200


def test_head_of_a_consent_has_the_headers_and_no_body(people: Cast, ledgerly: Software) -> None:
    path = f"/accounting-office-consents/{people.consent.uuid}"
    get, head = ledgerly.call("GET", path), ledgerly.call("HEAD", path)
    assert (head.status_code, head.content) == (200, b"")
    for name in ("ETag", "Content-Type", "Content-Length"):
        assert head.headers[name] == get.headers[name]


def test_reading_a_consent_changes_nothing(people: Cast, ledgerly: Software) -> None:
    for _ in range(3):
        ledgerly.call("GET", f"/accounting-office-consents/{people.consent.uuid}")
    assert [event.kind for event in people.consent.events.all()] == ["requested"]


def test_the_identifier_of_a_consent_may_be_written_in_capitals(
    people: Cast, ledgerly: Software
) -> None:
    capitals = str(people.consent.uuid).upper()
    assert ledgerly.call("GET", f"/accounting-office-consents/{capitals}").status_code == 200


def test_an_office_that_is_suspended_is_unknown_to_who_never_asked(
    people: Cast, portal: str
) -> None:
    Office.objects.filter(pk=people.janssens.pk).update(is_active=False)
    tally = Software(portal, people.tally)
    hidden = tally.create(accountingOfficeCompanyNumber=people.janssens.company_number)
    unknown = tally.create(accountingOfficeCompanyNumber=factories.company_number())
    assert hidden.status_code == unknown.status_code == 404
    assert hidden.content == unknown.content


@pytest.mark.parametrize("body", [{"data": {"type": "documentSearch", "attributes": {}}}, {"data": {"type": 5}}, {"data": {"type": ["accountingOfficeConsent"]}}])  # fmt: skip
def test_a_resource_of_another_type_is_400(ledgerly: Software, body: dict[str, Any]) -> None:
    answer = ledgerly.call("POST", "/accounting-office-consents", json=body)
    assert answer.status_code == 400
    assert ("validationError", "/data/type") in errors(answer)


@pytest.mark.parametrize("state", [7, True, ["x"], {"a": 1}, "x" * 501, "é" * 501])
def test_a_state_that_is_no_text_or_too_long_is_400(
    people: Cast, ledgerly: Software, state: Any
) -> None:
    answer = ledgerly.create(
        accountingOfficeCompanyNumber=people.janssens.company_number, state=state
    )
    assert errors(answer) == [("validationError", "/data/attributes/state")]
