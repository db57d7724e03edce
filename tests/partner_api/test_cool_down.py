"""connect-api section 4: after a denial the partner waits, longer each time, at most a week."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection

from consents.models import Consent
from tests import factories
from tests.conftest import Cast, Software
from tests.factories import acting, allow
from tests.partner_api.answers import errors

DAY = 24 * 3600


def ask(people: Cast, software: Software) -> tuple[int, int]:
    """Ask for the consent of Janssens; return the status and how long to wait."""
    answer = software.create(accountingOfficeCompanyNumber=people.janssens.company_number)
    return answer.status_code, int(answer.headers.get("Retry-After", 0))


def let_pass(people: Cast, wait: timedelta) -> None:
    """Move every decision back in time: the waiting itself would take a week."""
    with connection.cursor() as cursor:
        cursor.execute(
            "update consents_consent set decided_at = decided_at - %s, "
            "requested_at = requested_at - %s where office_id = %s and decided_at is not null",
            [wait, wait, people.janssens.pk],
        )


def deny_the_open_one(people: Cast) -> None:
    consent = Consent.objects.awaiting_decision().get(office=people.janssens)
    consent.deny(acting(people.an))


def test_each_denial_doubles_the_wait_up_to_seven_days(people: Cast, ledgerly: Software) -> None:
    for days in (1, 2, 4, 7, 7, 7, 7):
        deny_the_open_one(people)
        status, wait = ask(people, ledgerly)
        assert status == 429
        assert days * DAY - 60 < wait <= days * DAY
        let_pass(people, timedelta(days=days, seconds=-30))
        status, wait = ask(people, ledgerly)
        assert (status, 0 < wait <= 30) == (429, True)
        let_pass(people, timedelta(seconds=30))
        assert ask(people, ledgerly) == (201, 0)


def test_a_partner_that_is_waiting_is_told_so_in_words(people: Cast, ledgerly: Software) -> None:
    deny_the_open_one(people)
    answer = ledgerly.create(accountingOfficeCompanyNumber=people.janssens.company_number)
    assert errors(answer) == [("tooManyRequests", None)]
    assert answer.json()["errors"][0]["detail"]
    assert Consent.objects.filter(office=people.janssens).count() == 1


def test_an_allow_in_between_forgets_earlier_denials(people: Cast, ledgerly: Software) -> None:
    for days in (1, 2):
        deny_the_open_one(people)
        let_pass(people, timedelta(days=days))
        assert ask(people, ledgerly)[0] == 201
    consent = Consent.objects.get(office=people.janssens, status="to_be_determined")
    allow(consent, people.an)
    consent.cancel(acting(people.an))
    assert ask(people, ledgerly)[0] == 201
    deny_the_open_one(people)
    status, wait = ask(people, ledgerly)
    assert (status, wait <= DAY) == (429, True)


def test_a_withdrawal_does_not_shorten_the_wait(people: Cast, ledgerly: Software) -> None:
    deny_the_open_one(people)
    let_pass(people, timedelta(days=1))
    answer = ledgerly.create(accountingOfficeCompanyNumber=people.janssens.company_number)
    ledgerly.call("DELETE", f"/accounting-office-consents/{answer.json()['data']['id']}")
    assert ask(people, ledgerly)[0] == 201
    deny_the_open_one(people)
    status, wait = ask(people, ledgerly)
    assert (status, wait > DAY) == (429, True)


def test_the_wait_is_between_one_partner_and_one_office(
    people: Cast, ledgerly: Software, portal: str
) -> None:
    deny_the_open_one(people)
    assert ask(people, ledgerly)[0] == 429
    assert ask(people, Software(portal, people.tally))[0] == 201
    elsewhere = factories.make_office("Maes")
    answer = ledgerly.create(accountingOfficeCompanyNumber=elsewhere.company_number)
    assert answer.status_code == 201


def test_a_denied_partner_may_still_read_what_was_decided(people: Cast, ledgerly: Software) -> None:
    deny_the_open_one(people)
    answer = ledgerly.call("GET", f"/accounting-office-consents/{people.consent.uuid}")
    assert answer.json()["data"]["attributes"]["portalStatus"] == "denied"
