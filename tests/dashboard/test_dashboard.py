"""What waits for me: the dashboard of an office, the switch between offices, the inbox over all."""

from __future__ import annotations

import re
from datetime import timedelta

from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Invitation, Membership, Office, Role, User
from consents.models import Consent, ConsentActivity
from demo.data.names import COUNTERPARTIES
from tests import factories
from tests.accounts.people import logged_in
from tests.conftest import Cast
from tests.documents import examples
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
        cast.janssens, cast.anna, email=email, role=Role.USER, language="en"
    )
    Invitation.objects.filter(pk=made.pk).update(expires_at=Now() + timedelta(days=days))


def test_anna_who_is_the_only_admin_is_told_until_there_is_another(cast: Cast) -> None:
    assert ONLY_ADMIN in dashboard(cast.anna, cast.janssens)
    assert ONLY_ADMIN not in dashboard(cast.bram, cast.janssens)
    bea = factories.make_person("Bea", cast.janssens)
    for admin in (cast.anna, bea):
        assert ONLY_ADMIN not in dashboard(admin, cast.janssens)
    User.objects.filter(pk=bea.pk).update(is_active=False)
    assert ONLY_ADMIN in dashboard(cast.anna, cast.janssens)


def test_anna_is_told_of_invitations_that_are_about_to_end(cast: Cast) -> None:
    invitation(cast, "soon@office.example", days=2)
    invitation(cast, "later@office.example", days=12)
    invitation(cast, "over@office.example", days=-1)
    told = dashboard(cast.anna, cast.janssens)
    assert "The invitation for soon@office.example expires on" in told
    assert "The invitation for over@office.example has expired." in told
    assert "later@office.example" not in told
    assert "soon@office.example" not in dashboard(cast.bram, cast.janssens)


def test_anna_sees_who_asked_what_waits_and_how_the_connections_are(cast: Cast) -> None:
    cast.consent.ask_admins(acting(cast.bram), [], note="before Friday")
    allow(factories.make_request(cast.janssens, cast.tally), cast.anna)
    told = dashboard(cast.anna, cast.janssens)
    waiting, rest = told.split('id="lately"')
    lately, connected = rest.split('id="connected"')
    assert f"{cast.ledgerly.name} asks for access" in waiting
    assert "before Friday" in waiting
    assert "Lapses on" in waiting
    assert cast.tally.name in lately
    assert "1 / 1" in connected


def test_what_lapses_first_stands_first(cast: Cast) -> None:
    later = factories.make_request(cast.janssens, cast.tally)
    Consent.objects.filter(pk=later.pk).update(lapses_at=Now() + timedelta(days=1))
    told = dashboard(cast.anna, cast.janssens)
    assert "Lapses tomorrow" in told
    assert told.index(f"{cast.tally.name} asks") < told.index(f"{cast.ledgerly.name} asks")


def test_anna_sees_a_sick_connection_and_that_the_rest_is_well(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    Consent.objects.filter(pk=cast.consent.pk).update(decided_at=Now() - timedelta(days=9))
    sick = dashboard(cast.anna, cast.janssens).split('id="sick"')[1].split("</section>")[0]
    assert cast.ledgerly.name in sick
    assert "No downloads yet" in sick
    assert "0 / 1" in dashboard(cast.anna, cast.janssens)
    assert f"/consents/{cast.consent.uuid}" not in dashboard(cast.bram, cast.janssens)


def test_when_all_is_done_the_page_says_so(cast: Cast) -> None:
    cast.consent.deny(acting(cast.anna))
    factories.make_person("Bea", cast.janssens)
    assert "Nothing needs your attention." in dashboard(cast.anna, cast.janssens)


def test_the_dashboard_counts_what_arrived_and_what_software_fetched(cast: Cast) -> None:
    factories.make_filed_document(cast.bakery)
    allow(cast.consent, cast.anna)
    today = timezone.localdate()
    ConsentActivity.objects.create(consent=cast.consent, day=today, served=7)
    tiles = dashboard(cast.bram, cast.janssens).split('class="tiles"')[1].split("</nav>")[0]
    assert re.findall(r"<b>(\d+)</b>", tiles) == ["0", "0", "1", "7"]


def test_the_search_finds_companies_documents_consents_and_people(cast: Cast) -> None:
    factories.make_filed_document(cast.bakery, number="F-77", counterparty="Noël")
    found = page(cast.anna, f"/offices/{cast.janssens.slug}/search?q=d’hondt")
    assert f"/companies/{cast.bakery.company_number}" in found
    found = page(cast.anna, f"/offices/{cast.janssens.slug}/search?q=NOEL")
    assert "F-77" in found
    assert "<mark>Noël</mark>" in found
    name = cast.ledgerly.name
    assert str(cast.consent.uuid) in page(
        cast.anna, f"/offices/{cast.janssens.slug}/search?q={name}"
    )
    assert cast.bram.email in page(cast.anna, f"/offices/{cast.janssens.slug}/search?q=bram")
    for person, office in ((cast.bram, cast.janssens), (cast.chloe, cast.peeters)):
        nothing = page(person, f"/offices/{office.slug}/search?q={name}")
        assert str(cast.consent.uuid) not in nothing
    assert "F-77" not in page(cast.chloe, f"/offices/{cast.peeters.slug}/search?q=noel")


def test_a_found_statement_shows_the_movement_that_matched(cast: Cast) -> None:
    company = examples.company_of(cast.bakery)
    examples.take_files({"a.cod": examples.statement(company)})
    name = COUNTERPARTIES[0].name
    found = page(cast.anna, f"/offices/{cast.janssens.slug}/search?q={name.split()[0].upper()}")
    line = found.split('class="hit-line"')[1].split("</p>")[0]
    assert f"<mark>{name.split()[0]}</mark>" in line
    # The page of the statement marks the same.
    link = re.search(r'class="hit" href="([^"]+)"', found)
    assert link
    assert f"<mark>{name.split()[0]}</mark>" in page(cast.anna, link[1])


def test_the_switch_marks_the_offices_where_the_person_may_decide(cast: Cast) -> None:
    at_peeters = Membership.objects.create(office=cast.peeters, user=cast.anna, role=Role.USER)
    factories.make_request(cast.peeters, cast.tally)
    janssens, peeters = cast.janssens.slug, cast.peeters.slug
    # At Peeters something waits, but she may not decide there.
    assert switch(cast.anna, cast.peeters) == {janssens: True, peeters: False}
    at_peeters.change_role(Role.ADMIN, cast.chloe)
    assert switch(cast.anna, cast.janssens) == {janssens: True, peeters: True}
    cast.consent.deny(acting(cast.anna))
    assert switch(cast.anna, cast.janssens) == {janssens: False, peeters: True}


def test_the_inbox_gathers_all_offices_where_the_person_may_decide(cast: Cast) -> None:
    third = factories.make_office("Third")
    Membership.objects.create(office=cast.peeters, user=cast.anna, role=Role.ADMIN)
    factories.make_person("Tom", third)
    Membership.objects.create(office=third, user=cast.anna, role=Role.USER)
    hers = {cast.consent, factories.make_request(cast.peeters, cast.tally)}
    others = {
        factories.make_request(third, cast.tally),
        factories.make_request(factories.make_office("Foreign"), cast.tally),
    }
    inbox = page(cast.anna, "/offices")
    shown = {consent for consent in Consent.objects.all() if f"/consent/{consent.uuid}" in inbox}
    assert shown == hers
    assert shown.isdisjoint(others)
    # A person of one office has her inbox on its dashboard, and goes straight there.
    assert logged_in(cast.bram).get("/").headers["Location"] == f"/offices/{cast.janssens.slug}"


def given(office: Office, giver: User, *, left: bool = False, days: int | None = None) -> Consent:
    """Anna allowed consent: who gave it `left`, its changed terms are to be accepted in `days`."""
    consent = factories.make_allowed(office, factories.make_partner(), giver)
    if left:
        Membership.objects.get(office=office, user=giver).leave()
    if days is not None:
        Consent.objects.filter(pk=consent.pk).update(accept_terms_by=Now() + timedelta(days=days))
    return consent


def asks_anew(told: str) -> dict[str, str]:
    """The consents that a page asks an Admin to agree to again, each with the page that asks."""
    found = re.findall(r'/offices/[^/"]+/consents/([0-9a-f-]{36})/(terms|reaffirm)"', told)
    assert len(found) == len(dict(found))
    return dict(found)


def test_the_admins_are_asked_on_the_dashboard_to_accept_changed_terms(cast: Cast) -> None:
    soon, over = given(cast.janssens, cast.anna, days=9), given(cast.janssens, cast.anna, days=-1)
    both = given(cast.janssens, factories.make_person("Gia", cast.janssens), left=True, days=9)
    given(cast.janssens, cast.anna)
    told = dashboard(cast.anna, cast.janssens)
    # Whoever answers for a colleague that left accepts the terms with it: one question, not two.
    expected = {str(soon.uuid): "terms", str(over.uuid): "terms", str(both.uuid): "reaffirm"}
    assert asks_anew(told) == expected
    for consent, sentence in (
        (soon, "The terms for {} have changed. If nobody accepts them, access is paused on "),
        (both, "The terms for {} have changed. If nobody accepts them, access is paused on "),
        (over, "Access by {} has been paused since "),
    ):
        assert sentence.format(consent.partner.name) in told
    assert asks_anew(dashboard(cast.bram, cast.janssens)) == {}
    over.reread()
    over.cancel(acting(cast.anna))
    assert str(over.uuid) not in asks_anew(dashboard(cast.anna, cast.janssens))


def test_the_inbox_and_the_switch_tell_what_is_to_be_agreed_to_again(cast: Cast) -> None:
    at_peeters = Membership.objects.create(office=cast.peeters, user=cast.anna, role=Role.USER)
    third = factories.make_office("Third")
    Membership.objects.create(office=third, user=cast.anna, role=Role.ADMIN)
    cast.consent.deny(acting(cast.anna))
    slugs = [cast.janssens.slug, cast.peeters.slug, third.slug]
    gia = factories.make_person("Gia", cast.peeters)
    left, terms = given(cast.peeters, gia, left=True), given(cast.janssens, cast.anna, days=9)
    elsewhere = factories.make_office("Foreign")
    for name in ("Tom", "Tess"):
        given(elsewhere, factories.make_person(name, elsewhere), left=name == "Tess", days=9)
    given(third, cast.anna)
    assert asks_anew(page(cast.anna, "/offices")) == {str(terms.uuid): "terms"}
    assert switch(cast.anna, third) == dict(zip(slugs, (True, False, False), strict=True))
    at_peeters.change_role(Role.ADMIN, cast.chloe)
    inbox = page(cast.anna, "/offices")
    assert asks_anew(inbox) == {str(terms.uuid): "terms", str(left.uuid): "reaffirm"}
    asked = inbox.split("Waiting for you")[-1]
    assert (
        f"Gia, who gave the consent for {left.partner.name}, has left the office. Do you want to keep it?"
        in asked
    )
    assert cast.peeters.name in asked
    assert switch(cast.anna, third) == dict(zip(slugs, (True, True, False), strict=True))
