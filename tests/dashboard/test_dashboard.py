"""What waits for me: the dashboard of an office, the switch between offices, the inbox over all."""

from __future__ import annotations

import re
from datetime import timedelta

from django.db.models.functions import Now

from accounts.models import Invitation, Membership, Office, Role, User
from consents.models import Consent
from tests import factories
from tests.accounts.people import logged_in
from tests.conftest import Cast
from tests.factories import acting, allow

ONLY_ADMIN = "You are the only Admin"
MARK = '<span class="status status-to_be_determined">Waiting for you</span>'


def page(person: User, path: str) -> str:
    return logged_in(person).get(path).content.decode()


def dashboard(person: User, office: Office) -> str:
    return page(person, f"/offices/{office.slug}")


def switch(person: User, office: Office) -> dict[str, bool]:
    """The offices in the top bar of a page, and whether each has the mark."""
    menu = dashboard(person, office).split('<ul class="menu-list">')[1].split("</ul>")[0]
    lines = [line for line in menu.split("<li>") if "/offices/" in line and "All your" not in line]
    return {line.split('offices/')[1].split('"')[0]: MARK in line for line in lines}  # fmt: skip


def invitation(cast: Cast, email: str, *, days: int) -> None:
    """An invitation that expires in so many days."""
    made = Invitation.objects.invite(
        cast.janssens, cast.an, email=email, role=Role.USER, language="en"
    )
    Invitation.objects.filter(pk=made.pk).update(expires_at=Now() + timedelta(days=days))


def test_an_who_is_the_only_admin_is_told_until_there_is_another(cast: Cast) -> None:
    assert ONLY_ADMIN in dashboard(cast.an, cast.janssens)
    assert ONLY_ADMIN not in dashboard(cast.bram, cast.janssens)
    bea = factories.make_person("Bea", cast.janssens)
    for admin in (cast.an, bea):
        assert ONLY_ADMIN not in dashboard(admin, cast.janssens)
    User.objects.filter(pk=bea.pk).update(is_active=False)
    assert ONLY_ADMIN in dashboard(cast.an, cast.janssens)


def test_an_is_told_of_invitations_that_are_about_to_end(cast: Cast) -> None:
    invitation(cast, "soon@office.example", days=2)
    invitation(cast, "later@office.example", days=12)
    invitation(cast, "over@office.example", days=-1)
    told = dashboard(cast.an, cast.janssens)
    assert "The invitation of soon@office.example expires on" in told
    assert "The invitation of over@office.example has expired." in told
    assert "later@office.example" not in told
    assert "soon@office.example" not in dashboard(cast.bram, cast.janssens)


def test_an_sees_who_asked_what_waits_and_how_the_connections_are(cast: Cast) -> None:
    cast.consent.ask_admins(acting(cast.bram), [], note="before Friday")
    allow(factories.make_request(cast.janssens, cast.tally), cast.an)
    told = dashboard(cast.an, cast.janssens)
    waiting, connected = told.split('id="connected"')
    assert cast.ledgerly.name in waiting
    assert "before Friday" in waiting
    assert cast.tally.name in connected
    assert "Nothing fetched yet" in connected
    assert cast.ledgerly.name not in connected


def test_the_switch_marks_the_offices_where_the_person_may_decide(cast: Cast) -> None:
    at_peeters = Membership.objects.create(office=cast.peeters, user=cast.an, role=Role.USER)
    factories.make_request(cast.peeters, cast.tally)
    janssens, peeters = cast.janssens.slug, cast.peeters.slug
    # At Peeters something waits, but she may not decide there.
    assert switch(cast.an, cast.peeters) == {janssens: True, peeters: False}
    at_peeters.change_role(Role.ADMIN, cast.chloe)
    assert switch(cast.an, cast.janssens) == {janssens: True, peeters: True}
    cast.consent.deny(acting(cast.an))
    assert switch(cast.an, cast.janssens) == {janssens: False, peeters: True}


def test_the_inbox_gathers_all_offices_where_the_person_may_decide(cast: Cast) -> None:
    third = factories.make_office("Third")
    Membership.objects.create(office=cast.peeters, user=cast.an, role=Role.ADMIN)
    factories.make_person("Tom", third)
    Membership.objects.create(office=third, user=cast.an, role=Role.USER)
    hers = {cast.consent, factories.make_request(cast.peeters, cast.tally)}
    others = {
        factories.make_request(third, cast.tally),
        factories.make_request(factories.make_office("Foreign"), cast.tally),
    }
    inbox = page(cast.an, "/offices")
    shown = {consent for consent in Consent.objects.all() if f"/consent/{consent.uuid}" in inbox}
    assert shown == hers
    assert shown.isdisjoint(others)
    # A person of one office has her inbox on its dashboard, and goes straight there.
    assert logged_in(cast.bram).get("/").headers["Location"] == f"/offices/{cast.janssens.slug}"


def given(office: Office, giver: User, *, left: bool = False, days: int | None = None) -> Consent:
    """An allowed consent: who gave it `left`, its changed terms are to be accepted in `days`."""
    consent = factories.make_allowed(office, factories.make_partner(), giver)
    if left:
        Membership.objects.get(office=office, user=giver).leave()
    if days is not None:
        Consent.objects.filter(pk=consent.pk).update(reaccept_by=Now() + timedelta(days=days))
    return consent


def asks_anew(told: str) -> dict[str, str]:
    """The consents that a page asks an Admin to agree to again, each with the page that asks."""
    found = re.findall(r'/offices/[^/"]+/consents/([0-9a-f-]{36})/(terms|reaffirm)"', told)
    assert len(found) == len(dict(found))
    return dict(found)


def test_the_admins_are_asked_on_the_dashboard_to_accept_changed_terms(cast: Cast) -> None:
    soon, over = given(cast.janssens, cast.an, days=9), given(cast.janssens, cast.an, days=-1)
    both = given(cast.janssens, factories.make_person("Gia", cast.janssens), left=True, days=9)
    given(cast.janssens, cast.an)
    told = dashboard(cast.an, cast.janssens)
    # Whoever answers for a colleague that left accepts the terms with it: one question, not two.
    expected = {str(soon.uuid): "terms", str(over.uuid): "terms", str(both.uuid): "reaffirm"}
    assert asks_anew(told) == expected
    for consent, sentence in (
        (soon, "The terms for {} have changed. Without an answer its access pauses on "),
        (both, "The terms for {} have changed. Without an answer its access pauses on "),
        (over, "Access of {} is paused since "),
    ):
        assert sentence.format(consent.partner.name) in told
    assert asks_anew(dashboard(cast.bram, cast.janssens)) == {}
    over.reread()
    over.cancel(acting(cast.an))
    assert str(over.uuid) not in asks_anew(dashboard(cast.an, cast.janssens))


def test_the_inbox_and_the_switch_tell_what_is_to_be_agreed_to_again(cast: Cast) -> None:
    at_peeters = Membership.objects.create(office=cast.peeters, user=cast.an, role=Role.USER)
    third = factories.make_office("Third")
    Membership.objects.create(office=third, user=cast.an, role=Role.ADMIN)
    cast.consent.deny(acting(cast.an))
    slugs = [cast.janssens.slug, cast.peeters.slug, third.slug]
    gia = factories.make_person("Gia", cast.peeters)
    left, terms = given(cast.peeters, gia, left=True), given(cast.janssens, cast.an, days=9)
    elsewhere = factories.make_office("Foreign")
    for name in ("Tom", "Tess"):
        given(elsewhere, factories.make_person(name, elsewhere), left=name == "Tess", days=9)
    given(third, cast.an)
    assert asks_anew(page(cast.an, "/offices")) == {str(terms.uuid): "terms"}
    assert switch(cast.an, third) == dict(zip(slugs, (True, False, False), strict=True))
    at_peeters.change_role(Role.ADMIN, cast.chloe)
    inbox = page(cast.an, "/offices")
    assert asks_anew(inbox) == {str(terms.uuid): "terms", str(left.uuid): "reaffirm"}
    asked = inbox.split("Waiting for you")[-1]
    assert f"Gia allowed {left.partner.name} and has left. Shall it go on?" in asked
    assert cast.peeters.name in asked
    assert switch(cast.an, third) == dict(zip(slugs, (True, True, False), strict=True))
