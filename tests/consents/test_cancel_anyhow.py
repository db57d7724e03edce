"""Whatever has become of the other side: an Admin cancels, and access is over at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models.functions import Now

from accounts.models import Office
from consents.models import Consent, Status, Terms
from notifications.fan_out import fan_out
from notifications.models import Delivery, WebhookEndpoint
from partners.models import Partner, RedirectUri
from tests import factories
from tests.accounts.people import logged_in
from tests.conftest import Cast
from tests.factories import acting, allow
from tests.owner import rules_off

pytestmark = pytest.mark.requirement(10)


def partner_gone(cast: Cast) -> None:
    """Retired without its consents ending, which only a lost transaction could leave."""
    RedirectUri.objects.filter(partner=cast.ledgerly).delete()
    with rules_off("partners_partner"):
        Partner.objects.filter(pk=cast.ledgerly.pk).update(status="retired", email="")


def endpoint_dead(cast: Cast) -> None:
    """Nobody has answered there for days."""
    WebhookEndpoint.objects.create(
        partner=cast.ledgerly, url="https://gone.invalid/hook", flagged_at=Now()
    )


def terms_retired(cast: Cast) -> None:
    """Newer terms are in force, and the day is over by which they had to be accepted."""
    for language in ("en", "nl", "fr", "de"):
        Terms.objects.create(version=98, language=language, body="New words", material=True)
    Consent.objects.filter(pk=cast.consent.pk).update(accept_terms_by=Now())


def giver_left(cast: Cast) -> None:
    """Bea gave the consent and works here no more; Anna is left."""
    cast.janssens.memberships.get(user__name="Bea").leave()


def company_gone(cast: Cast) -> None:
    cast.bakery.archive(cast.anna, "Bankrupt")


CONDITIONS: dict[str, Callable[[Cast], Any]] = {
    "nothing": lambda cast: None,
    "partner suspended": lambda cast: Partner.objects.filter(pk=cast.ledgerly.pk).update(
        status="suspended"
    ),
    "partner gone": partner_gone,
    "endpoint dead": endpoint_dead,
    "terms retired": terms_retired,
    "giver left": giver_left,
    "company gone": company_gone,
    "paused": lambda cast: cast.fresh().pause(acting(cast.anna)),
    "office suspended": lambda cast: Office.objects.filter(pk=cast.janssens.pk).update(
        is_active=False
    ),
}


@pytest.mark.parametrize("condition", CONDITIONS)
def test_anna_cancels_on_the_page_in_every_condition(cast: Cast, condition: str) -> None:
    bea = factories.make_person("Bea", cast.janssens)
    allow(cast.consent, bea)
    CONDITIONS[condition](cast)
    anna = logged_in(cast.anna)
    page = f"/offices/{cast.janssens.slug}/consents/{cast.consent.uuid}/cancel"
    assert anna.get(page).status_code == 200
    assert anna.post(page, {"understood": "on"}).status_code == 303
    consent = cast.fresh()
    assert consent.status == Status.CANCELLED
    assert consent.access() is not None
    event = consent.events.get(kind="cancelled")
    assert event.person == cast.anna
    fan_out(event.pk)
    assert Delivery.objects.filter(event=event).count() == (condition == "endpoint dead")
