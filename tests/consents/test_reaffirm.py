"""Who allowed software leaves the office: its Admins are asked whether the consent goes on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.db.models.functions import Now
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from accounts.models import Membership, Role, User
from consents.access import AccessContext
from consents.evidence.verify import faults
from consents.models import Consent, DecisionConflict, EventKind, Evidence, NotAnAdmin
from consents.scope import ScopeChange, change_scope
from consents.terms_acceptance import accept_terms
from mailer.tasks import send
from notifications.fan_out import fan_out
from notifications.models import FanOut
from tests import factories
from tests.accounts.people import logged_in
from tests.conftest import Cast
from tests.consents.test_races import at_once
from tests.factories import acting, allow
from tests.outbox import emails_about

pytestmark = pytest.mark.requirement(38)


SWITCHED_ON = {"accept_terms": "on"}


@pytest.fixture
def bea(cast: Cast) -> User:
    """Another Admin of Janssens; Anna allowed Ledgerly."""
    allow(cast.consent, cast.anna)
    return factories.make_person("Bea", cast.janssens)


def leave(cast: Cast, person: User | None = None) -> None:
    Membership.objects.get(office=cast.janssens, user=person or cast.anna).leave()


def page(cast: Cast, name: str = "/reaffirm") -> str:
    return f"/offices/{cast.janssens.slug}/consents/{cast.consent.uuid}{name}"


def dashboard(cast: Cast, person: User) -> str:
    return logged_in(person).get(f"/offices/{cast.janssens.slug}").content.decode()


def sentence(cast: Cast, giver: str = "Anna") -> str:
    return f"{giver}, who gave the consent for {cast.ledgerly.name}, has left the office. Do you want to keep it?"


def is_asked(cast: Cast, person: User, giver: str = "Anna") -> bool:
    """Whether the dashboard of this person has the task."""
    told = dashboard(cast, person)
    assert (sentence(cast, giver) in told) == (page(cast) in told)
    return page(cast) in told


def reaffirm(cast: Cast, person: User) -> Any:
    return accept_terms(
        cast.fresh(), acting(person), factories.terms_in_force(), EventKind.REAFFIRMED
    )


def confirm(cast: Cast, browser: Browser, **fields: Any) -> Any:
    """Press the button on the page as it was shown."""
    shown = {"terms": factories.terms_in_force().pk}
    return browser.post(page(cast), {**shown, **SWITCHED_ON, **fields})


def test_anna_leaves_and_only_the_admins_of_her_office_are_asked(cast: Cast, bea: User) -> None:
    assert not is_asked(cast, bea)
    leave(cast)
    assert is_asked(cast, bea)
    assert not is_asked(cast, cast.bram)
    peeters = logged_in(cast.chloe).get(f"/offices/{cast.peeters.slug}").content.decode()
    assert page(cast) not in peeters
    detail = logged_in(bea).get(page(cast, "")).content.decode()
    assert sentence(cast) in detail
    assert page(cast) in detail


def test_anna_who_is_disabled_has_left_and_anna_who_becomes_a_user_has_not(
    cast: Cast, bea: User
) -> None:
    Membership.objects.get(user=cast.anna).change_role(Role.USER, bea)
    assert not is_asked(cast, bea)
    User.objects.filter(pk=cast.anna.pk).update(is_active=False)
    assert is_asked(cast, bea)


def test_bea_reads_what_was_allowed_and_confirms_it_in_her_own_name(cast: Cast, bea: User) -> None:
    leave(cast)
    before, access = cast.fresh(), AccessContext.of(cast.consent.pk)
    browser = logged_in(bea)
    shown = browser.get(page(cast)).content.decode()
    assert "Anna gave this consent on" in shown
    assert "If you do nothing, it stays in place" in shown
    for part in (cast.ledgerly.name, "Bank account statement", "<strong>1</strong> company today"):
        assert part in shown
    assert factories.terms_in_force().body.split("\n")[0] in shown
    assert "What has changed" not in shown
    refused = confirm(cast, browser, accept_terms="")
    assert "Turn on the switch to confirm" in refused.content.decode()
    assert is_asked(cast, bea)
    answer = confirm(cast, browser)
    assert (answer.status_code, answer["Location"]) == (303, page(cast, ""))
    event = cast.consent.events.latest("number")
    assert (event.kind, event.person, event.actor_name) == ("reaffirmed", bea, "Bea")
    kept = Evidence.objects.get(event=event)
    assert (kept.person_name, kept.person_email) == ("Bea", bea.email)
    assert (kept.terms, kept.partner_name) == (factories.terms_in_force(), cast.ledgerly.name)
    assert (kept.document_kinds, kept.companies) == (cast.ledgerly.document_kinds, 1)
    assert kept.authentication == ["password"]
    # Nothing else moved, the seals hold, and the page tells it.
    after = cast.fresh()
    assert AccessContext.of(cast.consent.pk) == access
    for column in (
        "status",
        "decided_at",
        "decided_by_id",
        "terms_id",
        "accept_terms_by",
        "paused_at",
    ):
        assert getattr(after, column) == getattr(before, column), column
    assert list(faults(cast.janssens.pk)) == []
    assert not is_asked(cast, bea)
    detail = browser.get(page(cast, "")).content.decode()
    assert "Reconfirmed" in detail
    assert page(cast) not in detail
    assert "Bea" in browser.get(page(cast, "/receipt")).content.decode()
    # Back and a second click are harmless.
    assert browser.get(page(cast))["Location"] == page(cast, "")
    assert confirm(cast, browser)["Location"] == page(cast, "")
    assert cast.consent.events.filter(kind="reaffirmed").count() == 1


def test_access_goes_on_while_nobody_answers_and_a_pause_stays_a_pause(
    cast: Cast, bea: User
) -> None:
    leave(cast)
    assert cast.fresh().access() is None
    cast.fresh().pause(acting(bea))
    assert is_asked(cast, bea)
    assert reaffirm(cast, bea) is not None
    assert cast.fresh().access() == "consentPaused"


def test_bea_confirms_and_leaves_and_the_next_one_is_asked_about_her(cast: Cast, bea: User) -> None:
    eva = factories.make_person("Eva", cast.janssens)
    leave(cast)
    reaffirm(cast, bea)
    leave(cast, bea)
    assert is_asked(cast, eva, "Bea")
    assert sentence(cast) not in dashboard(cast, eva)


@pytest.mark.parametrize("act", ["terms", "scope"])
def test_who_agreed_last_counts_whatever_she_agreed_to(cast: Cast, bea: User, act: str) -> None:
    if act == "terms":
        newer = factories.make_terms(factories.terms_in_force().version + 1)["en"]
        Consent.objects.filter(pk=cast.consent.pk).update(accept_terms_by=Now() + timedelta(days=9))
        assert accept_terms(cast.fresh(), acting(bea), newer) is not None
    else:
        kind = ScopeChange(kinds_out=("payrollStatement",))
        change_scope(cast.fresh(), acting(cast.anna), kind)
        more = ScopeChange(kinds_in=("payrollStatement",))
        change_scope(cast.fresh(), acting(bea), more, factories.terms_in_force())
    leave(cast)
    assert not is_asked(cast, bea)
    eva = factories.make_person("Eva", cast.janssens)
    leave(cast, bea)
    assert is_asked(cast, eva, "Bea")


def test_anna_comes_back_and_nobody_is_asked_any_more(cast: Cast, bea: User) -> None:
    leave(cast)
    assert is_asked(cast, bea)
    Membership.objects.admit(cast.janssens, cast.anna, Role.USER)
    assert not is_asked(cast, bea)
    assert logged_in(bea).get(page(cast))["Location"] == page(cast, "")
    assert reaffirm(cast, bea) is None


def test_a_consent_that_was_cancelled_meanwhile_asks_nothing_and_is_not_confirmed(
    cast: Cast, bea: User
) -> None:
    leave(cast)
    browser = logged_in(bea)
    assert browser.get(page(cast)).status_code == 200
    cast.fresh().cancel(acting(bea))
    assert confirm(cast, browser)["Location"] == page(cast, "")
    with pytest.raises(DecisionConflict):
        reaffirm(cast, bea)
    assert not is_asked(cast, bea)
    assert not cast.consent.events.filter(kind="reaffirmed").exists()


def test_bram_is_refused_and_chloe_finds_nothing(cast: Cast, bea: User) -> None:
    leave(cast)
    for person, status in ((cast.bram, 403), (cast.chloe, 404), (cast.anna, 404)):
        browser = logged_in(person)
        assert browser.get(page(cast)).status_code == status
        assert confirm(cast, browser).status_code == status
        with pytest.raises(NotAnAdmin):
            reaffirm(cast, person)
    assert is_asked(cast, bea)


def test_bea_is_asked_for_her_password_when_her_login_is_old(cast: Cast, bea: User) -> None:
    leave(cast)
    browser = Browser()
    browser.force_login(bea)  # a session that proves nothing
    assert browser.get(page(cast)).status_code == 200
    assert "/accounts/reauthenticate/" in confirm(cast, browser)["Location"]
    assert is_asked(cast, bea)


@pytest.mark.parametrize("overdue", [False, True])
def test_where_the_terms_changed_as_well_one_act_accepts_them(
    cast: Cast, bea: User, overdue: bool
) -> None:
    leave(cast)
    newer = factories.make_terms(factories.terms_in_force().version + 1)["en"]
    left = timedelta(days=-1 if overdue else 9)
    Consent.objects.filter(pk=cast.consent.pk).update(accept_terms_by=Now() + left)
    browser = logged_in(bea)
    shown = browser.get(page(cast)).content.decode()
    assert "What has changed" in shown
    assert "The terms have changed since they were accepted." in shown
    # Access hangs on the answer here: the page must not say that nothing does.
    assert "it stays in place" not in shown
    assert ("has been paused since" if overdue else "access is paused on") in shown
    confirm(cast, browser)
    consent = cast.fresh()
    assert (consent.access(), consent.accept_terms_by) == (None, None)
    assert consent.terms == newer
    kept = Evidence.objects.get(event__consent=consent, event__kind="reaffirmed")
    assert kept.terms == consent.terms
    assert not consent.events.filter(kind="reaccepted").exists()


def test_terms_that_change_before_the_click_are_shown_first(cast: Cast, bea: User) -> None:
    leave(cast)
    browser, read = logged_in(bea), factories.terms_in_force()
    factories.make_terms(read.version + 1)
    answer = confirm(cast, browser, terms=read.pk)
    assert (
        "The terms have changed. Read the new version before you accept." in answer.content.decode()
    )
    assert not Evidence.objects.filter(event__kind="reaffirmed").exists()


def test_colleagues_confirm_at_once_and_there_is_one_event(people: Cast, rounds: float) -> None:
    terms = factories.terms_in_force()
    colleagues = [factories.make_person(f"Eva{n}", people.janssens) for n in range(3)]
    for number in range(int(10 * rounds)):
        giver = factories.make_person(f"Giver{number}", people.janssens)
        consent = factories.make_allowed(people.janssens, factories.make_partner("Racer"), giver)
        Membership.objects.get(user=giver).leave()

        def answer(person: User, consent: Consent = consent) -> Any:
            own = Consent.objects.select_related("office", "partner").get(pk=consent.pk)
            return accept_terms(own, acting(person), terms, EventKind.REAFFIRMED)

        outcomes = at_once([lambda person=person: answer(person) for person in colleagues])  # type: ignore[misc]
        assert [outcome for outcome in outcomes if isinstance(outcome, Exception)] == []
        written = [outcome for outcome in outcomes if outcome is not None]
        assert len(written) == 1
        assert list(consent.events.filter(kind="reaffirmed")) == written
        assert Evidence.objects.filter(event__in=written).count() == 1


def test_the_dashboard_does_not_ask_per_consent_of_who_left(cast: Cast, bea: User) -> None:
    leave(cast)
    browser, address = logged_in(bea), f"/offices/{cast.janssens.slug}"
    counts = []
    for extra in (1, 5):
        for _ in range(extra):
            giver = factories.make_person("Giver", cast.janssens)
            factories.make_allowed(cast.janssens, factories.make_partner(), giver)
            leave(cast, giver)
        browser.get(address)
        with CaptureQueriesContext(connection) as queries:
            told = browser.get(address).content.decode()
        counts.append((told.count("/reaffirm"), len(queries)))
    (few, asked), (many, asked_again) = counts
    assert (few, many) == (2, 7)
    assert asked == asked_again


def test_the_other_admins_hear_of_it_and_the_software_does_not(cast: Cast, bea: User) -> None:
    eva = factories.make_person("Eva", cast.janssens, language="en")
    leave(cast)
    event = reaffirm(cast, bea)
    fan_out(event.pk)
    assert FanOut.objects.get(event=event).partner_id is None
    email = emails_about([event]).get()
    assert email.recipient == eva.email
    mail.outbox.clear()  # who left was written about as well
    send(email.pk)
    (sent,) = mail.outbox
    assert "Bea confirmed" in sent.body
    assert cast.ledgerly.name in sent.subject
