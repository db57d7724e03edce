"""How fast a stop stops, measured at the running portal with software that is nobody's."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any

import httpx
import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models.functions import Now
from django.test import Client as Browser
from pytest_httpserver import HTTPServer
from werkzeug import Response

from accounts.models import Office
from codabox_portal.schedule import BEAT
from consents.models import Consent, ConsentEvent, Status
from monitoring.management.commands.create_probe import NAME
from monitoring.models import StopMeasurement
from monitoring.probe import ABANDONED_AFTER, measure
from monitoring.tasks import measure_stop
from partners.models import Partner, PartnerStatus
from tests import factories
from tests.conftest import Cast
from tests.factories import acting, allow
from tests.monitoring.test_metrics import figures
from tests.patience import within

pytestmark = pytest.mark.requirement(98)


def create_probe() -> dict[str, str]:
    """What the command prints: the settings, and the address of the request."""
    said = StringIO()
    call_command("create_probe", stdout=said)
    return dict(re.findall(r"^(\w+)=(\S+)$", said.getvalue(), re.M))


def the_request() -> Consent:
    requests = Consent.objects.select_related("office", "partner").filter(partner__name=NAME)
    last: Consent | None = requests.last()
    assert last is not None
    return last


def measured(**options: Any) -> StopMeasurement:
    made = measure(**options)
    assert made is not None
    return made


@pytest.fixture
def probe(portal: str, people: Cast, settings: Any) -> Consent:
    """The probe as docs/operations/monitoring.md sets it up; an Admin of its office have not answered yet."""
    for consent in Consent.objects.filter(partner__name=NAME, status=Status.ALLOWED):
        consent.cancel(acting(factories.make_person("Ida", consent.office)))
    told = create_probe()
    settings.PORTAL_PROBE_CLIENT = told["PORTAL_PROBE_CLIENT"]
    settings.PORTAL_PROBE_SECRET = told["PORTAL_PROBE_SECRET"]
    settings.PORTAL_PROBE_URL = portal
    return the_request()


@pytest.fixture
def allowed(probe: Consent) -> Consent:
    return allow(probe, factories.make_person("Ida", probe.office))


def test_a_stop_at_the_running_portal_is_measured_and_undone(
    allowed: Consent, client: Browser
) -> None:
    events = ConsentEvent.objects.filter(consent=allowed).count()
    made: Any = None

    def seconds() -> float:
        nonlocal made
        made = measured()
        made.refresh_from_db()
        assert (made.fault, made.served) == ("", 0)
        assert made.released_at is not None
        assert made.seconds is not None
        assert made.seconds > 0
        return float(made.seconds)

    within(2, seconds)
    allowed.partner.refresh_from_db()
    assert allowed.partner.status == PartnerStatus.ACTIVE
    # The office's answer was not touched: nobody gave anything, nobody took anything away.
    allowed.refresh_from_db()
    assert allowed.status == Status.ALLOWED
    assert ConsentEvent.objects.filter(consent=allowed).count() == events
    told = figures(client.get("/metrics").content.decode())
    assert told["portal_stop_seconds"] == pytest.approx(made.seconds)
    assert told["portal_stop_served_after"] == 0
    assert told["portal_stop_measured_age_seconds"] < 60


def test_nobody_but_an_admin_of_the_probe_office_gives_the_probe_access(probe: Consent) -> None:
    assert probe.status == Status.TO_BE_DETERMINED
    assert not probe.office.memberships.exclude(user__name="Ida").exists()
    made = measured()
    assert (made.fault, made.seconds) == ("consentNotConfirmed", None)
    probe.partner.refresh_from_db()
    assert probe.partner.status == PartnerStatus.ACTIVE
    probe.refresh_from_db()
    assert probe.status == Status.TO_BE_DETERMINED


def test_what_a_killed_worker_stopped_goes_on_at_the_next_measurement(allowed: Consent) -> None:
    allowed.partner.move(PartnerStatus.SUSPENDED)
    left = StopMeasurement.objects.create()
    assert measure() is None  # it may still be running
    allowed.partner.refresh_from_db()
    assert allowed.partner.status == PartnerStatus.SUSPENDED
    StopMeasurement.objects.filter(pk=left.pk).update(started_at=Now() - ABANDONED_AFTER)
    made = measured()
    assert made.fault == ""
    left.refresh_from_db()
    assert (left.fault, left.released_at is None) == ("abandoned", False)


def test_an_operator_who_suspends_the_probe_is_obeyed(allowed: Consent) -> None:
    allowed.partner.move(PartnerStatus.SUSPENDED)
    made = measured()
    assert made.fault == "token 400"
    allowed.partner.refresh_from_db()
    assert allowed.partner.status == PartnerStatus.SUSPENDED
    allowed.partner.move(PartnerStatus.ACTIVE)


def test_a_portal_that_is_away_is_a_fault_and_stops_nothing(
    allowed: Consent, settings: Any
) -> None:
    settings.PORTAL_PROBE_URL = "http://localhost:9"
    made = measured()
    assert made.fault == "ConnectError"
    allowed.partner.refresh_from_db()
    assert allowed.partner.status == PartnerStatus.ACTIVE


def test_a_cache_that_goes_on_serving_is_found(
    allowed: Consent, settings: Any, client: Browser
) -> None:
    with HTTPServer() as cache:
        cache.expect_request("/codabox-connect/oauth2/token").respond_with_json(
            {"access_token": "x"}
        )
        cache.expect_request(
            re.compile("/codabox-connect/accounting-offices/.*")
        ).respond_with_json({"data": {}}, status=201)
        settings.PORTAL_PROBE_URL = cache.url_for("")
        made = measured(limit=0.3)
    assert made.fault == ""
    assert made.seconds is not None
    assert made.seconds >= 0.3
    assert made.served > 0
    told = figures(client.get("/metrics").content.decode())
    assert told["portal_stop_served_after"] == made.served
    allowed.partner.refresh_from_db()
    assert allowed.partner.status == PartnerStatus.ACTIVE


def test_a_portal_that_breaks_after_the_stop_is_a_fault_and_goes_on(
    allowed: Consent, settings: Any
) -> None:
    with HTTPServer() as broken:
        broken.expect_request("/codabox-connect/oauth2/token").respond_with_json(
            {"access_token": "x"}
        )
        search = re.compile("/codabox-connect/accounting-offices/.*")
        answers = iter([201, 503])
        broken.expect_request(search).respond_with_handler(lambda _: Response(status=next(answers)))
        settings.PORTAL_PROBE_URL = broken.url_for("")
        made = measured()
    assert (made.fault, made.seconds) == ("503", None)
    allowed.partner.refresh_from_db()
    assert allowed.partner.status == PartnerStatus.ACTIVE


def test_it_is_off_unless_it_is_configured(allowed: Consent, settings: Any) -> None:
    before = StopMeasurement.objects.count()
    settings.PORTAL_PROBE_SECRET = ""
    measure_stop()
    assert StopMeasurement.objects.count() == before
    assert BEAT["measure how fast a stop takes effect"]["schedule"] == 60
    settings.PORTAL_PROBE_SECRET = create_probe()["PORTAL_PROBE_SECRET"]
    measure_stop()
    assert StopMeasurement.objects.count() == before + 1


def test_measurements_are_kept_for_a_month(allowed: Consent) -> None:
    old = measured()
    StopMeasurement.objects.filter(pk=old.pk).update(started_at=Now() - 31 * ABANDONED_AFTER * 1440)
    measure_stop()
    assert not StopMeasurement.objects.filter(pk=old.pk).exists()


def test_no_visitor_and_no_office_sees_the_probe_in_the_directory(
    probe: Consent, portal: str, people: Cast
) -> None:
    page = httpx.get(f"{portal}/software").text
    assert people.ledgerly.name in page
    assert probe.partner.name not in page
    browser = Browser()
    browser.force_login(people.anna)
    page = browser.get(f"/offices/{people.janssens.slug}/software").content.decode()
    assert people.ledgerly.name in page
    assert probe.partner.name not in page


def test_the_command_makes_one_probe_however_often_it_is_typed(committed: None) -> None:
    first, second = create_probe(), create_probe()
    assert [made.listed for made in Partner.objects.filter(name__startswith=NAME)] == [False]
    office = Office.objects.get(consents__uuid=first["CONFIRMATION_URI"].rpartition("/")[2])
    assert office.company_number.startswith("0010")
    assert second["PORTAL_PROBE_CLIENT"] == first["PORTAL_PROBE_CLIENT"]
    # The secret is shown once; the second run cannot know the first.
    assert second["PORTAL_PROBE_SECRET"] != first["PORTAL_PROBE_SECRET"]


def test_two_measurements_never_run_at_once(committed: None) -> None:
    StopMeasurement.objects.filter(released_at=None).update(released_at=Now(), fault="test")
    StopMeasurement.objects.create()
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into monitoring_stopmeasurement (started_at, served, fault)"
            " values (now(), 0, '') on conflict do nothing"
        )
        assert cursor.rowcount == 0
    StopMeasurement.objects.filter(released_at=None).update(released_at=Now(), fault="test")
