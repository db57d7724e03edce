"""Software is suspended, comes back, or is retired: the story of each consent and the mails."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail

from accounts.models import User
from consents import scheduled_events
from consents.models import ConsentEvent, Status
from partners.models import PartnerStatus
from tests import factories
from tests.backoffice.test_four_eyes import confirmed
from tests.backoffice.test_operators import another_operator, proven
from tests.conftest import Cast
from tests.factories import allow
from tests.notifications.test_emails import deliver
from tests.outbox import emails_about
from tests.test_access_matrix import as_person


def state(cast: Cast, status: str) -> Any:
    page = f"/admin/partners/partner/{cast.ledgerly.pk}/state/"
    return proven(cast.dirk).post(page, {"status": status, "reason": "Leaked its secret"})


def kinds(cast: Cast) -> list[str]:
    return list(cast.consent.events.order_by("number").values_list("kind", flat=True))


def test_the_admins_hear_that_software_is_suspended_and_that_it_is_back(
    cast: Cast, commits: None, eager: None
) -> None:
    allow(cast.consent, cast.anna)
    # What protects the office comes also to who switched off everything.
    User.objects.filter(pk=cast.anna.pk).update(muted_notifications=["decisions", "use"])
    mail.outbox.clear()
    for status, kind in (("suspended", "suspended"), ("active", "reinstated")) * 2:
        assert state(cast, status).status_code == 302
        event = cast.consent.events.latest("number")
        assert (event.kind, event.actor_kind) == (kind, "operator")
        mine = [message for message in mail.outbox if cast.ledgerly.name in message.subject]
        assert [message.to for message in mine] == [[cast.anna.email]]
        mail.outbox.clear()
    # Nothing is said twice.
    before = kinds(cast)
    scheduled_events.write_software_status_events()
    assert kinds(cast) == before
    story = as_person(cast.anna).get(f"/offices/{cast.janssens.slug}/consents/{cast.consent.uuid}")
    assert "Software suspended" in story.content.decode()


def test_an_office_without_an_allowed_consent_hears_nothing(cast: Cast) -> None:
    waiting = factories.make_request(cast.peeters, cast.ledgerly)
    state(cast, "suspended")
    scheduled_events.write_software_status_events()
    assert [event.kind for event in waiting.events.all()] == ["requested"]


def test_what_a_killed_worker_did_not_say_is_said_by_the_clock(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    cast.ledgerly.move(PartnerStatus.SUSPENDED)
    scheduled_events.write_due_events()
    assert kinds(cast)[-1] == "suspended"
    scheduled_events.write_due_events()
    assert kinds(cast).count("suspended") == 1


@pytest.mark.parametrize("language", ["en", "nl", "fr", "de"])
def test_the_mail_of_a_suspension_is_in_the_language_of_its_reader(
    cast: Cast, language: str
) -> None:
    allow(cast.consent, cast.anna)
    User.objects.filter(pk=cast.anna.pk).update(language=language)
    cast.ledgerly.move(PartnerStatus.SUSPENDED)
    scheduled_events.write_software_status_events()
    sent = deliver(cast.consent.events.latest("number"))[cast.anna.email]
    assert f'<html lang="{language}">' in sent.alternatives[0][0]


def test_one_operator_does_not_retire_software_that_offices_allowed(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    page = state(cast, "retired")
    assert page.status_code == 200
    assert "two operators" in page.content.decode()
    cast.ledgerly.refresh_from_db()
    assert cast.ledgerly.status == PartnerStatus.ACTIVE


@pytest.mark.requirement(84)
def test_two_operators_retire_software_and_each_consent_ends_with_its_event(
    cast: Cast, eager: None
) -> None:
    allow(cast.consent, cast.anna)
    chloe = factories.make_allowed(cast.peeters, cast.ledgerly, cast.chloe)
    nova = factories.make_office("Nova")
    waiting = factories.make_request(nova, cast.ledgerly)
    other = factories.make_allowed(cast.janssens, cast.tally, cast.anna)
    page = f"/admin/partners/partner/{cast.ledgerly.pk}/retire/"
    dirk, eva = proven(cast.dirk), proven(another_operator(cast))
    shown = dirk.get(page).content.decode()
    assert "2 allowed consents" in shown
    assert cast.peeters.name in shown
    confirmed(page, dirk, eva, reason="Out of business")
    cast.ledgerly.refresh_from_db()
    assert cast.ledgerly.status == PartnerStatus.RETIRED
    for consent in (cast.consent, chloe):
        consent.reread()
        assert consent.status == Status.CANCELLED
        event = consent.events.get(kind="cancelled")
        assert (event.actor_name, event.reason) == ("Dirk & Eva", "Out of business")
    waiting.reread()
    assert (waiting.status, waiting.closed_reason) == ("to_be_determined", "withdrawn")
    assert waiting.events.get(kind="withdrawn").reason == "Out of business"
    other.reread()
    assert other.status == Status.ALLOWED
    mail.outbox.clear()
    for event in (cast.consent.events.latest("number"), chloe.events.latest("number")):
        ((to, message),) = deliver(event).items()
        assert to in (cast.anna.email, cast.chloe.email)
        assert "Out of business" in message.body
    assert emails_about(ConsentEvent.objects.filter(consent__partner=cast.ledgerly)).count() >= 2
    assert dirk.get(page).status_code == 404
    history = dirk.get(f"/admin/partners/partner/{cast.ledgerly.pk}/history/").content.decode()
    assert "active → retired" in history
