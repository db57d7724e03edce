"""The consents of the demo: every status and every reason, and what waits there for whom."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.test import Client as Browser

from accounts.models import Membership, User
from consents.models import Consent
from demo import loader, story
from demo.data import books
from tests import factories

SOFTWARE = "http://localhost:8001"


@pytest.fixture
def told(db: None) -> None:
    """The demo without its documents."""
    factories.terms_in_force()
    loader.make_partners(books.all_software(SOFTWARE), {})
    for office in books.offices():
        loader.make_office(office)
    story.tell()


def test_every_status_and_every_reason_is_there(told: None) -> None:
    assert set(Consent.objects.values_list("status", "closed_reason")) == {
        ("to_be_determined", ""),
        ("to_be_determined", "lapsed"),
        ("to_be_determined", "withdrawn"),
        ("allowed", ""),
        ("denied", ""),
        ("cancelled", ""),
    }
    assert Consent.objects.filter(status="allowed").exclude(paused_at=None).count() == 1
    last_day = Now() + timedelta(days=1, minutes=1)
    assert Consent.objects.awaiting_decision().filter(lapses_at__lt=last_day).count() == 1


def test_anna_is_asked_whether_the_consent_of_a_colleague_who_left_goes_on(told: None) -> None:
    (left,) = Consent.objects.whose_giver_left()
    rik = User.objects.get(pk=left.giver_id)
    assert not Membership.objects.active().filter(user=rik).exists()
    assert rik.email not in {person.email for office in books.offices() for person in office.people}
    anna = Browser()
    anna.force_login(User.objects.get(email="an@janssens.example"))
    dashboard = anna.get("/offices/janssens").content.decode()
    assert f"/consents/{left.uuid}/reaffirm" in dashboard
