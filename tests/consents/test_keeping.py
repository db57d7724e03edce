"""What an office does after it allowed: pause, resume, look, export, prove."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client as Browser
from django.utils import timezone

from accounts.spreadsheet import harmless
from consents.models import Consent, DecisionConflict, NotAnAdmin
from documents.models import Outcome
from documents.reads import Reader, record
from tests import factories
from tests.conftest import Cast
from tests.factories import PASSWORD, acting, allow


@pytest.fixture
def an(cast: Cast) -> Browser:
    """An, logged in a moment ago, as everybody does: with her password."""
    browser = Browser()
    browser.post("/accounts/login/", {"login": cast.an.email, "password": PASSWORD})
    return browser


def page(cast: Cast, name: str = "") -> str:
    path = f"/offices/{cast.janssens.slug}/consents/{cast.consent.uuid}"
    return f"{path}/{name}" if name else path


def test_a_pause_stops_access_and_a_resume_gives_it_back(cast: Cast) -> None:
    allow(cast.consent, cast.an)
    assert cast.consent.pause(acting(cast.an)) is not None
    assert cast.fresh().access() == "consentPaused"
    assert cast.fresh().pause(acting(cast.an)) is None
    assert cast.fresh().resume(acting(cast.an)) is not None
    assert cast.fresh().access() is None
    assert cast.fresh().resume(acting(cast.an)) is None
    kinds = cast.consent.events.order_by("number").values_list("kind", flat=True)
    assert list(kinds) == ["requested", "allowed", "paused", "resumed"]


def test_a_pause_ends_by_the_clock_of_the_database(cast: Cast) -> None:
    allow(cast.consent, cast.an)
    cast.consent.pause(acting(cast.an), timezone.now() + timedelta(days=1))
    assert cast.fresh().access() == "consentPaused"
    Consent.objects.filter(pk=cast.consent.pk).update(paused_until=Now())
    assert cast.fresh().access() is None
    # It may be paused again, and that is a new event.
    assert cast.fresh().pause(acting(cast.an)) is not None


def test_only_an_admin_pauses_and_only_what_is_allowed(cast: Cast) -> None:
    with pytest.raises(DecisionConflict):
        cast.consent.pause(acting(cast.an))
    allow(cast.consent, cast.an)
    for person in (cast.bram, cast.chloe):
        with pytest.raises(NotAnAdmin):
            cast.fresh().pause(acting(person))


def test_an_pauses_on_the_screen_until_a_day(cast: Cast, an: Browser) -> None:
    allow(cast.consent, cast.an)
    yesterday = timezone.localdate() - timedelta(days=1)
    refused = an.post(page(cast, "pause"), {"until": yesterday.isoformat()})
    assert "This day is over" in refused.content.decode()
    assert cast.fresh().access() is None
    nonsense = an.post(page(cast, "pause"), {"until": "tomorrow"})
    assert "Write the day as" in nonsense.content.decode()
    day = timezone.localdate() + timedelta(days=3)
    done = an.post(page(cast, "pause"), {"until": day.isoformat()})
    assert (done.status_code, done["Location"]) == (303, page(cast))
    consent = cast.fresh()
    assert consent.is_paused
    assert timezone.localtime(consent.paused_until).date() == day + timedelta(days=1)
    assert "Paused until" in an.get(page(cast)).content.decode()
    assert an.post(page(cast, "resume")).status_code == 303
    assert cast.fresh().access() is None


def test_get_pauses_nothing(cast: Cast, an: Browser) -> None:
    allow(cast.consent, cast.an)
    assert an.get(page(cast, "pause")).status_code == 200
    assert cast.fresh().access() is None


def test_the_detail_page_tells_the_whole_story(cast: Cast, an: Browser) -> None:
    allow(cast.consent, cast.an)
    reader = Reader(cast.janssens.pk, cast.consent.pk, application_id=1)
    record(reader, Outcome.SERVED, media_type="search")
    cast.fresh().pause(acting(cast.an))
    record(reader, Outcome.REFUSED, reason="consentPaused")
    cast.fresh().cancel(acting(cast.an), reason="moved away")
    record(reader, Outcome.REFUSED, reason="consentNotConfirmed")
    record(reader, Outcome.REFUSED, reason="consentNotConfirmed")
    text = an.get(page(cast)).content.decode()
    for word in ("Requested", "Allowed", "First fetch", "Paused", "Cancelled", "moved away"):
        assert word in text
    terms = factories.terms_in_force()
    assert terms.sha256 in text
    # Refused while it was paused is no proof that the cancel works: only what came after counts.
    proof = text[text.index("Refused attempts since") :]
    assert ">2</dd>" in proof[:120]


@pytest.mark.parametrize(
    ("days_ago", "level"),
    [(0, "good"), (1, "good"), (10, "warn"), (20, "bad")],
)
def test_health_comes_from_real_fetches(cast: Cast, an: Browser, days_ago: int, level: str) -> None:
    allow(cast.consent, cast.an)
    past = Now() - timedelta(days=40)
    Consent.objects.filter(pk=cast.consent.pk).update(decided_at=past)
    for day in range(days_ago, days_ago + 10):
        at = timezone.now() - timedelta(days=day)
        cast.consent.activity.create(day=timezone.localdate(at), served=5, last_served_at=at)
    text = an.get(f"/offices/{cast.janssens.slug}/consents").content.decode()
    assert f"health-{level}" in text


def test_the_export_cannot_run_in_a_spreadsheet(cast: Cast, an: Browser) -> None:
    evil = factories.make_partner('=HYPERLINK("http://x";"y")')
    factories.make_request(cast.janssens, evil)
    answer = an.get(f"/offices/{cast.janssens.slug}/consents.csv")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == 3
    assert rows[1][0].startswith("'=HYPERLINK")
    assert {len(row) for row in rows} == {9}
    for start in ("=", "+", "-", "@", "\t", "\r", "\0"):
        assert harmless(f"{start}1") == f"'{start}1"
    assert harmless("Ledgerly") == "Ledgerly"


def test_without_an_allow_there_is_no_receipt(cast: Cast, an: Browser) -> None:
    for name in ("receipt", "evidence"):
        assert an.get(page(cast, name)).status_code == 404


def test_the_overview_does_not_ask_per_row(cast: Cast, an: Browser) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def statements() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert an.get(f"/offices/{cast.janssens.slug}/consents").status_code == 200
        return len(queries)

    statements()  # the first visit also notes that An is here
    few = statements()
    for number in range(12):
        allow(factories.make_request(cast.janssens, factories.make_partner(f"S{number}")), cast.an)
    assert statements() == few


@pytest.mark.parametrize("sort", ["", "oldest", "software"])
def test_an_sees_every_consent_once_in_the_order_she_chose(
    cast: Cast, an: Browser, sort: str
) -> None:
    for n in range(58):
        factories.make_request(cast.janssens, factories.make_partner(f"Software {n % 7}"))
    seen: list[Any] = []
    address = f"/offices/{cast.janssens.slug}/consents?sort={sort}"
    for _page in range(3):
        shown = an.get(address)
        seen += shown.context["consents"]
        address = f"/offices/{cast.janssens.slug}/consents{shown.context['next_url']}"
    assert shown.context["next_url"] is None
    order = {"": ["-pk"], "oldest": ["pk"], "software": ["partner__name", "pk"]}[sort]
    expected = Consent.objects.filter(office=cast.janssens).order_by(*order)
    assert len(seen) == 59
    assert [consent.pk for consent in seen] == list(expected.values_list("pk", flat=True))
