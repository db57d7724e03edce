"""A colleague who may not decide asks those who may."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from accounts.models import Membership, Role
from consents.models import Consent, ConsentEvent, DecisionConflict, EventKind
from tests import factories
from tests.accounts.people import logged_in
from tests.conftest import Cast
from tests.factories import acting, allow


def asks(cast: Cast) -> list[ConsentEvent]:
    return list(cast.consent.events.filter(kind=EventKind.ASKED).order_by("number"))


def url(cast: Cast) -> str:
    return f"/consent/{cast.consent.uuid}/ask"


def test_bram_asks_all_admins_with_a_note_and_is_told_so(cast: Cast) -> None:
    bram = logged_in(cast.bram)
    answer = bram.post(url(cast), {"note": "The file of D'Hondt waits <b>"})
    assert (answer.status_code, answer["Location"]) == (303, f"/consent/{cast.consent.uuid}")
    (event,) = asks(cast)
    assert (event.person, event.reason, event.asked) == (
        cast.bram,
        "The file of D'Hondt waits <b>",
        [],
    )
    page = bram.get(f"/consent/{cast.consent.uuid}").content.decode()
    # At the top, where she looks after the click: not below the terms.
    assert page.index("<h1") < page.index("You asked on") < page.index('id="terms"')
    assert 'name="note"' not in page
    assert cast.fresh().status == "to_be_determined"


def test_bram_asks_one_admin_and_nobody_of_another_office(cast: Cast) -> None:
    bea = factories.make_person("Bea", cast.janssens)
    of_bea = Membership.objects.get(user=bea)
    of_chloe = Membership.objects.get(user=cast.chloe)
    bram = logged_in(cast.bram)
    assert str(of_bea.uuid) in bram.get(f"/consent/{cast.consent.uuid}").content.decode()
    bram.post(url(cast), {"admins": [str(of_chloe.uuid)]})
    assert asks(cast) == []
    bram.post(url(cast), {"admins": [str(of_bea.uuid)]})
    assert [event.asked for event in asks(cast)] == [[bea.pk]]


def test_a_note_that_is_too_long_comes_back_with_its_words(cast: Cast) -> None:
    answer = logged_in(cast.bram).post(url(cast), {"note": "é" * 501})
    assert answer.status_code == 200
    assert "é" * 501 in answer.content.decode()
    assert 'aria-invalid="true"' in answer.content.decode()
    assert asks(cast) == []


def test_a_double_click_asks_once(cast: Cast) -> None:
    bram = logged_in(cast.bram)
    for _ in range(2):
        assert bram.post(url(cast), {}).status_code == 303
    assert len(asks(cast)) == 1


def test_what_is_decided_is_not_asked_about(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    with pytest.raises(DecisionConflict):
        cast.fresh().ask_admins(acting(cast.bram), [])
    assert logged_in(cast.bram).post(url(cast), {}).status_code == 303
    assert asks(cast) == []


def test_chloe_cannot_ask_at_another_office(cast: Cast) -> None:
    assert logged_in(cast.chloe).post(url(cast), {}).status_code == 404
    assert Browser().post(url(cast), {}).status_code == 302
    assert asks(cast) == []


def test_anna_sees_on_her_dashboard_who_asks_and_in_which_words(cast: Cast) -> None:
    bea = factories.make_person("Bea", cast.janssens)
    cast.consent.ask_admins(acting(cast.bram), [cast.anna], "Before Friday, please")
    dashboard = f"/offices/{cast.janssens.slug}"
    page = logged_in(cast.anna).get(dashboard).content.decode()
    assert "Bram asks you to decide" in page
    assert "Before Friday, please" in page
    # Bea was not the one who was asked, but she may answer.
    assert "Before Friday, please" not in logged_in(bea).get(dashboard).content.decode()
    assert "Before Friday, please" not in logged_in(cast.chloe).get(dashboard).content.decode()


def test_a_colleague_who_may_not_decide_is_not_told_that_they_are_asked(cast: Cast) -> None:
    cast.consent.ask_admins(acting(cast.bram), [], "Before Friday, please")
    page = logged_in(cast.bram).get(f"/offices/{cast.janssens.slug}").content.decode()
    assert "asks you to decide" not in page
    assert "Bram asked the Admins to decide" in page
    assert "Before Friday, please" in page


def test_who_may_only_read_is_told_so_before_they_read_on(cast: Cast) -> None:
    page = logged_in(cast.bram).get(f"/consent/{cast.consent.uuid}").content.decode()
    told = page.index("only an Admin can answer it")
    assert told < page.index("if you allow this")
    assert 'href="#ask"' in page[told : page.index("if you allow this")]
    assert page.index('id="terms"') < page.index('id="ask"')


def test_the_dashboard_does_not_ask_per_request(cast: Cast) -> None:
    anna = logged_in(cast.anna)
    dashboard = f"/offices/{cast.janssens.slug}"
    counts = []
    for extra in (1, 5):
        for _ in range(extra):
            consent: Consent = factories.make_request(cast.janssens, factories.make_partner("Soft"))
            consent.ask_admins(acting(cast.bram), [])
        anna.get(dashboard)
        with CaptureQueriesContext(connection) as queries:
            anna.get(dashboard)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_user_is_never_shown_a_bare_refusal(cast: Cast) -> None:
    assert Membership.objects.get(user=cast.bram).role == Role.USER
    page = logged_in(cast.bram).get(f"/consent/{cast.consent.uuid}")
    assert page.status_code == 200
    assert "Ask an Admin" in page.content.decode()
