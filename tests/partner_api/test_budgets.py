"""Software that asks too often is told to wait, and nobody is flooded with e-mails."""

from __future__ import annotations

from typing import Any

import pytest

from consents.actors import Actor
from consents.models import Consent, ConsentEvent, EventKind
from mailer.models import OutgoingEmail
from notifications.fan_out import fan_out
from tests import factories
from tests.conftest import Cast, Software
from tests.factories import acting

pytestmark = pytest.mark.requirement(108)


def is_told_to_wait(answer: Any, longest: int) -> bool:
    codes = [error["code"] for error in answer.json()["errors"]]
    return codes == ["tooManyRequests"] and 1 <= int(answer.headers["Retry-After"]) <= longest


def test_asking_and_giving_up_60_times_is_ten_requests_and_three_emails(
    people: Cast, ledgerly: Software
) -> None:
    office = factories.make_office("Maes")
    admins = [factories.make_person(name, office) for name in ("Eva", "Finn")]
    answers = []
    for _ in range(60):
        answer = ledgerly.create(accountingOfficeCompanyNumber=office.company_number)
        answers.append(answer)
        if answer.status_code == 201:
            path = f"/accounting-office-consents/{answer.json()['data']['id']}"
            assert ledgerly.call("DELETE", path).status_code == 204
    statuses = [answer.status_code for answer in answers]
    assert statuses == [201] * 10 + [429] * 50
    assert is_told_to_wait(answers[-1], 24 * 3600)
    assert Consent.objects.filter(office=office).count() == 10
    # Another partner is not held up, and this one not at another office.
    other = factories.make_office("Claes")
    answer = ledgerly.create(accountingOfficeCompanyNumber=other.company_number)
    assert answer.status_code == 201
    factories.make_request(office, people.tally)
    for event in ConsentEvent.objects.filter(office=office, consent__partner=people.ledgerly):
        fan_out(event.pk)
    for admin in admins:
        told = OutgoingEmail.objects.filter(context__person=admin.pk, message__startswith="consent")
        about = ConsentEvent.objects.filter(pk__in=[email.context["event"] for email in told])
        assert about.filter(consent__partner=people.ledgerly).count() == 3


def test_what_people_decide_is_told_whatever_software_did_that_day(cast: Cast) -> None:
    bea = factories.make_person("Bea", cast.janssens)
    consent = cast.consent
    for _ in range(6):
        fan_out(consent.events.get(kind=EventKind.REQUESTED).pk)
        consent.withdraw(Actor.partner(cast.ledgerly))
        consent = factories.make_request(cast.janssens, cast.ledgerly)
    told = OutgoingEmail.objects.filter(context__person=bea.pk)
    assert told.count() == 3
    denied = ConsentEvent.objects.write(consent, EventKind.DENIED, acting(cast.anna))
    fan_out(denied.pk)
    assert told.filter(context__event=denied.pk).count() == 1


def test_trying_600_unknown_numbers_ends_after_a_hundred(
    people: Cast, ledgerly: Software, portal: str
) -> None:
    unknown = [factories.company_number() for _ in range(600)]
    answers = [ledgerly.create(accountingOfficeCompanyNumber=number) for number in unknown]
    statuses = [answer.status_code for answer in answers]
    assert statuses[:100] == [404] * 100
    assert statuses.count(404) <= 200  # the hour may turn over once while this runs
    assert is_told_to_wait(answers[-1], 3600)
    # The refusal does not tell that this office exists; the office it asked before is answered.
    new, known = factories.make_office("Maes"), people.janssens
    assert ledgerly.create(accountingOfficeCompanyNumber=new.company_number).status_code == 429
    assert ledgerly.create(accountingOfficeCompanyNumber=known.company_number).status_code == 200
    tally = Software(portal, people.tally)
    assert tally.create(accountingOfficeCompanyNumber=new.company_number).status_code == 201
