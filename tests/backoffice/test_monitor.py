"""The API monitor: what software was served and refused, counted by real calls."""

from __future__ import annotations

import re
from datetime import timedelta

from django.db.models.functions import Now
from django.utils import timezone

from backoffice.admin.monitor import chart, quiet_consents, refusals
from consents.models import Consent, ConsentActivity
from partner_api.models import RefusalCount
from partner_api.refusal_counts import count_refusal
from partners.models import Partner
from tests import factories
from tests.conftest import Cast, Software
from tests.factories import allow
from tests.test_access_matrix import as_person


def counts(partner: Partner) -> dict[str, int]:
    return dict(RefusalCount.objects.filter(partner=partner).values_list("code", "count"))


def test_each_refusal_of_ledgerly_is_counted_by_its_code(people: Cast, ledgerly: Software) -> None:
    """Not allowed yet, no such consent, wrong method, wrong body, throttled; served counts none."""
    office, number = people.janssens, people.bakery.company_number
    for _ in range(3):
        assert ledgerly.search(office, [number]).status_code == 403
    assert ledgerly.call("GET", f"/accounting-office-consents/{office.uuid}").status_code == 404
    assert ledgerly.call("PUT", "/accounting-office-consents").status_code == 405
    assert ledgerly.create(accountingOfficeCompanyNumber="1").status_code == 400
    before = {
        "consentNotConfirmed": 3,
        "notFound": 1,
        "methodNotAllowed": 1,
        "validationError": 1,
    }
    assert counts(people.ledgerly) == before
    allow(people.consent, people.anna)
    assert ledgerly.search(office, [number]).status_code == 201
    assert counts(people.ledgerly) == before
    Partner.objects.filter(pk=people.ledgerly.pk).update(calls_per_minute=1)
    answers = [ledgerly.search(office, [number]).status_code for _ in range(3)]
    assert counts(people.ledgerly)["tooManyRequests"] == answers.count(429) >= 2
    assert counts(people.tally) == {}
    page = as_person(people.dirk).get(f"/admin/partners/partner/{people.ledgerly.pk}/monitor/")
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.content.decode()))
    assert "consentNotConfirmed 3 3 3" in text
    assert re.search(r"of which throttled \(429\) [23] ", text)
    assert "style=" not in page.content.decode().partition("<h2>Day by day")[2]


def test_a_stranger_without_a_token_is_counted_for_nobody(people: Cast, ledgerly: Software) -> None:
    before = RefusalCount.objects.count()
    ledgerly.token = "wrong"
    assert ledgerly.search(people.janssens, ["0010000034"]).status_code == 401
    assert RefusalCount.objects.count() == before


def test_dirk_sees_which_offices_allowed_and_fetch_nothing(cast: Cast) -> None:
    """Never fetched, fetched long ago: yes. Fetched lately, or allowed lately: no."""
    today = timezone.localdate()
    made = {}
    for name, days in {"Never": None, "Long ago": 45, "Lately": 2, "New": None}.items():
        office = factories.make_office(name.replace(" ", "-"))
        consent = factories.make_allowed(
            office, cast.ledgerly, factories.make_person("Nora", office)
        )
        age = timedelta(days=1 if name == "New" else 90)
        Consent.objects.filter(pk=consent.pk).update(decided_at=Now() - age)
        if days is not None:
            ConsentActivity.objects.create(
                consent=consent,
                day=today - timedelta(days=days),
                served=4,
                last_served_at=timezone.now() - timedelta(days=days),
            )
        made[name] = consent.pk
    found = set(quiet_consents(cast.ledgerly).values_list("pk", flat=True))
    assert found == {made["Never"], made["Long ago"]}
    page = as_person(cast.dirk).get(f"/admin/partners/partner/{cast.ledgerly.pk}/monitor/")
    text = page.content.decode()
    assert "Long-ago" in text
    assert ">never<" in text
    assert "Lately" not in text


def test_the_chart_is_as_high_as_its_busiest_day(cast: Cast) -> None:
    today = timezone.localdate()
    allow(cast.consent, cast.anna)
    for ago, served in ((0, 10), (1, 40), (29, 20), (30, 999)):
        ConsentActivity.objects.create(
            consent=cast.consent, day=today - timedelta(days=ago), served=served
        )
    for _ in range(5):
        count_refusal(cast.ledgerly.pk, "consentPaused")
    RefusalCount.objects.create(
        partner=cast.ledgerly, day=today - timedelta(days=8), code="consentPaused", count=7
    )
    days = chart(cast.ledgerly, today)
    assert len(days) == 30
    assert (days[0].served_height, days[-2].served_height, days[-1].served_height) == (50, 100, 25)
    assert (days[-1].refused, days[-9].refused) == (5, 7)
    assert days[-1].refused_height == 13
    assert refusals(cast.ledgerly, today) == [
        {"code": "consentPaused", "today": 5, "week": 5, "month": 12}
    ]
    assert (
        "40 downloaded"
        in as_person(cast.dirk)
        .get(f"/admin/partners/partner/{cast.ledgerly.pk}/monitor/")
        .content.decode()
    )
