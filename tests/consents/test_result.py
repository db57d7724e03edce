"""The page that says what was decided: never more than what holds at this moment."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from consents.actors import GIVEN_UP, Actor
from consents.models import Consent
from tests import factories
from tests.accounts.people import logged_in
from tests.conftest import Cast
from tests.factories import acting, allow

CAN_READ = "can read the documents of"


def result(cast: Cast) -> str:
    page = logged_in(cast.anna).get(f"/consent/{cast.consent.uuid}/result").content.decode()
    return " ".join(page.split())


def pause(cast: Cast) -> None:
    cast.fresh().pause(acting(cast.anna))


def let_the_deadline_pass(cast: Cast) -> None:
    over = Now() - timedelta(days=1)
    Consent.objects.filter(pk=cast.consent.pk).update(accept_terms_by=over)


def suspend(cast: Cast) -> None:
    cast.ledgerly.status = "suspended"
    cast.ledgerly.save()


@pytest.mark.parametrize("stop", [pause, let_the_deadline_pass, suspend])
def test_what_is_allowed_but_stands_still_is_not_called_readable(cast: Cast, stop: object) -> None:
    allow(cast.consent, cast.anna)
    assert CAN_READ in result(cast)
    stop(cast)  # type: ignore[operator]
    told = result(cast)
    assert "Already allowed" in told
    assert CAN_READ not in told
    assert "access is on hold for now" in told


def test_software_that_gave_up_is_told_of_in_the_language_of_the_reader(cast: Cast) -> None:
    consent = factories.make_allowed(cast.janssens, cast.tally, cast.anna)
    consent.cancel(Actor.partner(cast.tally), reason=GIVEN_UP)
    cast.anna.language = "nl"
    cast.anna.save()
    detail = f"/offices/{cast.janssens.slug}/consents/{consent.uuid}"
    page = logged_in(cast.anna).get(detail).content.decode()
    assert GIVEN_UP not in page
    assert "beëindigd door de software" in page
