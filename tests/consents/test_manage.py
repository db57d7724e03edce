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

from consents.models import Consent, DecisionConflict, NotAnAdmin
from core.clock import database_time
from core.csv_export import harmless
from core.dates import day_in_words
from documents.access_log import Reader, record
from documents.models import Outcome
from tests import factories
from tests.conftest import Cast
from tests.factories import PASSWORD, acting, allow


@pytest.fixture
def anna(cast: Cast) -> Browser:
    """Anna, logged in a moment ago, as everybody does: with her password."""
    browser = Browser()
    browser.post("/accounts/login/", {"login": cast.anna.email, "password": PASSWORD})
    return browser


def page(cast: Cast, name: str = "") -> str:
    path = f"/offices/{cast.janssens.slug}/consents/{cast.consent.uuid}"
    return f"{path}/{name}" if name else path


def test_a_pause_stops_access_and_a_resume_gives_it_back(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    assert cast.consent.pause(acting(cast.anna)) is not None
    assert cast.fresh().access() == "consentPaused"
    assert cast.fresh().pause(acting(cast.anna)) is None
    assert cast.fresh().resume(acting(cast.anna)) is not None
    assert cast.fresh().access() is None
    assert cast.fresh().resume(acting(cast.anna)) is None
    kinds = cast.consent.events.order_by("number").values_list("kind", flat=True)
    assert list(kinds) == ["requested", "allowed", "paused", "resumed"]


@pytest.mark.requirement(6)
def test_a_pause_ends_by_the_clock_of_the_database(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    cast.consent.pause(acting(cast.anna), timezone.now() + timedelta(days=1))
    assert cast.fresh().access() == "consentPaused"
    Consent.objects.filter(pk=cast.consent.pk).update(paused_until=Now())
    assert cast.fresh().access() is None
    # It may be paused again, and that is a new event.
    assert cast.fresh().pause(acting(cast.anna)) is not None


def test_only_an_admin_pauses_and_only_what_is_allowed(cast: Cast) -> None:
    with pytest.raises(DecisionConflict):
        cast.consent.pause(acting(cast.anna))
    allow(cast.consent, cast.anna)
    for person in (cast.bram, cast.chloe):
        with pytest.raises(NotAnAdmin):
            cast.fresh().pause(acting(person))


def test_anna_pauses_on_the_screen_until_a_day(cast: Cast, anna: Browser) -> None:
    allow(cast.consent, cast.anna)
    yesterday = timezone.localdate() - timedelta(days=1)
    refused = anna.post(page(cast, "pause"), {"until": yesterday.isoformat()})
    assert "This date is in the past" in refused.content.decode()
    assert cast.fresh().access() is None
    nonsense = anna.post(page(cast, "pause"), {"until": "tomorrow"})
    assert "Enter a date, for example 31/12/2026." in nonsense.content.decode()
    day = timezone.localdate() + timedelta(days=3)
    done = anna.post(page(cast, "pause"), {"until": f"{day:%d/%m/%Y}"})
    assert (done.status_code, done["Location"]) == (303, page(cast))
    consent = cast.fresh()
    assert consent.is_paused(database_time())
    assert timezone.localtime(consent.paused_until).date() == day + timedelta(days=1)
    words = f"Paused up to and including {day_in_words(day)}"
    assert words in anna.get(page(cast)).content.decode()
    assert anna.post(page(cast, "resume")).status_code == 303
    assert cast.fresh().access() is None


def test_get_pauses_nothing(cast: Cast, anna: Browser) -> None:
    allow(cast.consent, cast.anna)
    assert anna.get(page(cast, "pause")).status_code == 200
    assert cast.fresh().access() is None


def test_the_detail_page_shows_the_whole_timeline(cast: Cast, anna: Browser) -> None:
    allow(cast.consent, cast.anna)
    reader = Reader(cast.janssens.pk, cast.consent.pk, application_id=1)
    record(reader, Outcome.SERVED, media_type="search")
    cast.fresh().pause(acting(cast.anna))
    record(reader, Outcome.REFUSED, reason="consentPaused")
    cast.fresh().cancel(acting(cast.anna), reason="moved away")
    record(reader, Outcome.REFUSED, reason="consentNotConfirmed")
    record(reader, Outcome.REFUSED, reason="consentNotConfirmed")
    text = anna.get(page(cast)).content.decode()
    for word in ("Requested", "Allowed", "First download", "Paused", "Cancelled", "moved away"):
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
def test_health_comes_from_real_fetches(
    cast: Cast, anna: Browser, days_ago: int, level: str
) -> None:
    allow(cast.consent, cast.anna)
    past = Now() - timedelta(days=40)
    Consent.objects.filter(pk=cast.consent.pk).update(decided_at=past)
    for day in range(days_ago, days_ago + 10):
        at = timezone.now() - timedelta(days=day)
        cast.consent.activity.create(day=timezone.localdate(at), served=5, last_served_at=at)
    text = anna.get(f"/offices/{cast.janssens.slug}/consents").content.decode()
    assert f"health-{level}" in text


@pytest.mark.requirement(61, 111)
def test_the_export_cannot_run_in_a_spreadsheet(cast: Cast, anna: Browser) -> None:
    evil = factories.make_partner('=HYPERLINK("http://x";"y")')
    factories.make_request(cast.janssens, evil)
    answer = anna.get(f"/offices/{cast.janssens.slug}/consents.csv")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == 3
    assert rows[1][0].startswith("'=HYPERLINK")
    assert {len(row) for row in rows} == {10}
    for start in ("=", "+", "-", "@", "\t", "\r", "\0"):
        assert harmless(f"{start}1") == f"'{start}1"
    assert harmless("Ledgerly") == "Ledgerly"


def test_the_cancel_page_says_what_was_downloaded_and_only_that(cast: Cast, anna: Browser) -> None:
    allow(cast.consent, cast.anna)
    nothing, stays = "has not downloaded anything yet", "already downloaded stay with"
    text = anna.get(page(cast, "cancel")).content.decode()
    assert nothing in text
    assert stays not in text
    # What the software downloaded under an earlier consent stays with it as well.
    now = timezone.now()
    cast.consent.activity.create(day=timezone.localdate(), served=1, last_served_at=now)
    cast.fresh().cancel(acting(cast.anna))
    cast.consent = factories.make_request(cast.janssens, cast.ledgerly)
    allow(cast.consent, cast.anna)
    text = anna.get(page(cast, "cancel")).content.decode()
    assert nothing not in text
    assert stays in text


def test_without_an_allow_there_is_no_receipt(cast: Cast, anna: Browser) -> None:
    for name in ("receipt", "evidence"):
        assert anna.get(page(cast, name)).status_code == 404


def test_the_overview_does_not_ask_per_row(cast: Cast, anna: Browser) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def statements() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert anna.get(f"/offices/{cast.janssens.slug}/consents").status_code == 200
        return len(queries)

    statements()  # the first visit also notes that Anna is here
    few = statements()
    for number in range(12):
        allow(
            factories.make_request(cast.janssens, factories.make_partner(f"S{number}")), cast.anna
        )
    assert statements() == few


def test_the_overview_puts_what_needs_an_answer_first_and_folds_what_ended(
    cast: Cast, anna: Browser
) -> None:
    path = f"/offices/{cast.janssens.slug}/consents"
    soon = factories.make_request(cast.janssens, factories.make_partner("Soon"))
    Consent.objects.filter(pk=soon.pk).update(lapses_at=Now() + timedelta(days=1))
    over = factories.make_request(cast.janssens, factories.make_partner("Over"))
    over.deny(acting(cast.anna))
    well = factories.make_allowed(cast.janssens, factories.make_partner("Well"), cast.anna)
    held = factories.make_allowed(cast.janssens, factories.make_partner("Held"), cast.anna)
    held.pause(acting(cast.anna))
    context = anna.get(path).context
    found = {group.name: [one.pk for one in group.consents] for group in context["groups"]}
    assert list(found) == ["waiting", "paused", "well"]
    assert found["waiting"] == [soon.pk, cast.consent.pk]
    assert (found["paused"], found["well"]) == ([held.pk], [well.pk])
    assert [consent.pk for consent in context["ended"]] == [over.pk]
    text = anna.get(path).content.decode()
    assert "Lapses tomorrow" in text
    assert "<summary>Ended consents</summary>" in text
    only = anna.get(path, {"group": "paused"}).context
    assert [group.name for group in only["groups"]] == ["paused"]
    assert only["ended"] == []


@pytest.mark.parametrize("sort", ["newest", "oldest", "software"])
def test_anna_sees_every_consent_once_in_the_order_she_chose(
    cast: Cast, anna: Browser, sort: str
) -> None:
    for n in range(58):
        factories.make_request(cast.janssens, factories.make_partner(f"Software {n % 7}"))
    seen: list[Any] = []
    address = f"/offices/{cast.janssens.slug}/consents?sort={sort}"
    for _page in range(3):
        shown = anna.get(address)
        seen += shown.context["consents"]
        address = f"/offices/{cast.janssens.slug}/consents{shown.context['page'].next}"
    assert not shown.context["page"].next
    order = {"newest": ["-pk"], "oldest": ["pk"], "software": ["partner__name", "pk"]}[sort]
    expected = Consent.objects.filter(office=cast.janssens).order_by(*order)
    assert len(seen) == 59
    assert [consent.pk for consent in seen] == list(expected.values_list("pk", flat=True))
