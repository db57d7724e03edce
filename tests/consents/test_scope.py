"""An office leaves companies and kinds of documents out, at the allow or later."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test import Client as Browser
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clients.models import Client
from consents.access import AccessContext
from consents.models import (
    Consent,
    DecisionConflict,
    EventKind,
    Evidence,
    NotAnAdmin,
    ScopeDraft,
)
from consents.scope import NeedsTerms, ScopeChange, change_scope, clients_in_scope
from core.clock import database_time
from tests import factories
from tests.conftest import Cast, Software
from tests.factories import CODA, PASSWORD, acting, allow

BANK, PAYROLL = "bankAccountStatement", "payrollStatement"


@pytest.fixture
def anna(cast: Cast) -> Browser:
    """Anna, logged in a moment ago with her password."""
    browser = Browser()
    browser.post("/accounts/login/", {"login": cast.anna.email, "password": PASSWORD})
    return browser


def page(cast: Cast) -> str:
    return f"/offices/{cast.janssens.slug}/consents/{cast.consent.uuid}/scope"


def fill(cast: Cast, shared: list[Client], **more: Any) -> dict[str, Any]:
    """The form as a browser sends it, with these companies ticked."""
    return {
        "kinds": cast.ledgerly.document_kinds,
        "new_companies": "on",
        "shown": [client.company_number for client in cast.janssens.clients.all()],
        "companies": [client.company_number for client in shared],
        **more,
    }


def choice_in(address: str) -> str:
    return parse_qs(urlsplit(address).query)["choice"][0]


def terms() -> Any:
    return factories.terms_in_force()


def kinds_of(consent: Consent) -> list[str]:
    return list(consent.events.order_by("number").values_list("kind", flat=True))


def test_a_company_left_out_is_unknown_to_ledgerly(people: Cast, ledgerly: Software) -> None:
    allow(people.consent, people.anna)
    shop = factories.make_client(people.janssens, "Shop")
    documents = [
        factories.make_document(client, contents={CODA: b"0"}) for client in (people.bakery, shop)
    ]
    numbers = [people.bakery.company_number, shop.company_number]
    change_scope(people.fresh(), acting(people.anna), ScopeChange(clients_out=(shop.pk,)))
    answer = ledgerly.search(people.janssens, numbers).json()
    assert [one["id"] for one in answer["included"]["documents"]] == [str(documents[0].uuid)]
    assert answer["meta"]["unknownClients"] == [shop.company_number]
    assert answer["meta"]["excludedClients"] == 1
    known, left_out = [
        ledgerly.document(people.janssens, number, document.uuid, accept=CODA)
        for number, document in zip(numbers, documents, strict=True)
    ]
    stranger = ledgerly.document(people.janssens, factories.company_number(), documents[1].uuid)
    assert known.status_code == 200
    assert left_out.status_code == stranger.status_code == 404
    assert left_out.json()["errors"][0]["code"] == stranger.json()["errors"][0]["code"]
    # A consent that leaves nothing out says nothing of it.
    change_scope(people.fresh(), acting(people.anna), ScopeChange(clients_in=(shop.pk,)), terms())
    assert "excludedClients" not in ledgerly.search(people.janssens, numbers).json()["meta"]


def test_a_kind_left_out_is_refused(people: Cast, ledgerly: Software) -> None:
    allow(people.consent, people.anna)
    number = people.bakery.company_number
    change_scope(people.fresh(), acting(people.anna), ScopeChange(kinds_out=(BANK,)))
    answer = ledgerly.search(people.janssens, [number])
    assert answer.status_code == 403
    assert answer.json()["errors"][0]["code"] == "documentTypeNotShared"


def test_new_companies_stay_out_where_the_office_wants_it(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    change_scope(cast.fresh(), acting(cast.anna), ScopeChange(new_clients=False))
    late = factories.make_client(cast.janssens, "Late")
    assert list(clients_in_scope(cast.fresh())) == [cast.bakery]
    assert not AccessContext.of(cast.consent.pk).covers(late.pk)
    assert AccessContext.of(cast.consent.pk).covers(cast.bakery.pk)
    change_scope(cast.fresh(), acting(cast.anna), ScopeChange(new_clients=True), terms())
    later = factories.make_client(cast.janssens, "Later")
    # What stayed out meanwhile stays out; what comes from now on is shared.
    assert set(clients_in_scope(cast.fresh())) == {cast.bakery, later}


def test_a_company_that_comes_back_is_shared_as_before(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    gone = factories.make_client(cast.janssens, "Gone")
    change_scope(cast.fresh(), acting(cast.anna), ScopeChange(clients_out=(gone.pk,)))
    Client.objects.filter(pk=gone.pk).update(archived_at=cast.consent.requested_at)
    change_scope(cast.fresh(), acting(cast.anna), ScopeChange(new_clients=False))
    change_scope(cast.fresh(), acting(cast.anna), ScopeChange(new_clients=True), terms())
    Client.objects.filter(pk=gone.pk).update(archived_at=None)
    assert list(clients_in_scope(cast.fresh())) == [cast.bakery]


CHANGES = st.tuples(
    st.sets(st.integers(0, 3)), st.sets(st.integers(0, 3)), st.sampled_from([None, True, False])
)


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(changes=st.lists(CHANGES, min_size=1, max_size=6))
def test_whatever_anna_changes_the_gate_and_the_screen_agree(
    cast: Cast, changes: list[tuple[set[int], set[int], bool | None]]
) -> None:
    consent = factories.make_allowed(cast.janssens, factories.make_partner(), cast.anna)
    clients = [factories.make_client(cast.janssens) for _ in range(4)]
    expected = {client.pk for client in clients}
    for come, go, new in changes:
        come_in = tuple(clients[n].pk for n in come - go)
        out = tuple(clients[n].pk for n in go)
        change = ScopeChange(clients_in=come_in, clients_out=out, new_clients=new)
        change_scope(consent, acting(cast.anna), change, terms())
        expected = (expected | set(come_in)) - set(out)
        access = AccessContext.of(consent.pk)
        shown = set(clients_in_scope(consent).values_list("pk", flat=True))
        for client in clients:
            assert access.covers(client.pk) == (client.pk in expected) == (client.pk in shown)


def test_sharing_more_of_a_given_consent_needs_the_terms(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    change_scope(cast.fresh(), acting(cast.anna), ScopeChange(kinds_out=(BANK,)))
    with pytest.raises(NeedsTerms):
        change_scope(cast.fresh(), acting(cast.anna), ScopeChange(kinds_in=(BANK,)))
    assert cast.fresh().excluded_kinds == [BANK]
    assert kinds_of(cast.consent) == ["requested", "allowed", "narrowed"]
    change_scope(cast.fresh(), acting(cast.anna), ScopeChange(kinds_in=(BANK,)), terms())
    kept = Evidence.objects.get(event__consent=cast.consent, event__kind="widened")
    assert BANK in kept.document_kinds
    assert kept.companies == 1


def test_only_an_admin_of_the_office_changes_it_and_only_while_it_lives(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    change = ScopeChange(kinds_out=(BANK,))
    for person in (cast.bram, cast.chloe):
        with pytest.raises(NotAnAdmin):
            change_scope(cast.fresh(), acting(person), change)
    cast.fresh().cancel(acting(cast.anna))
    with pytest.raises(DecisionConflict):
        change_scope(cast.fresh(), acting(cast.anna), change)
    assert cast.fresh().excluded_kinds == []


def test_anna_cannot_name_companies_of_peeters(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    foreign = factories.make_client(cast.peeters, "Foreign")
    change_scope(cast.fresh(), acting(cast.anna), ScopeChange(clients_out=(foreign.pk,)))
    assert kinds_of(cast.consent) == ["requested", "allowed"]
    assert not cast.consent.listed.exists()


def test_anna_leaves_out_on_the_screen_at_once_and_shares_more_after_a_confirmation(
    cast: Cast, anna: Browser
) -> None:
    allow(cast.consent, cast.anna)
    shop = factories.make_client(cast.janssens, "Shop")
    answer = anna.post(page(cast), fill(cast, [cast.bakery]))
    assert answer.status_code == 303
    assert answer["Location"].endswith(str(cast.consent.uuid))
    assert list(clients_in_scope(cast.fresh())) == [cast.bakery]
    # One comes in and one goes out: the narrowing holds before the widening is confirmed.
    answer = anna.post(page(cast), fill(cast, [shop]))
    assert "/scope/more?change=" in answer["Location"]
    assert list(clients_in_scope(cast.fresh())) == []
    shown = anna.get(answer["Location"]).content.decode()
    assert "Shop" in shown
    assert "D&#x27;Hondt" not in shown
    refused = anna.post(answer["Location"], {"terms": terms().pk})
    assert "Turn on the switch to confirm" in refused.content.decode()
    old_words = anna.post(answer["Location"], {"terms": terms().pk - 1, "accept_terms": "on"})
    assert "The terms have changed" in old_words.content.decode()
    assert list(clients_in_scope(cast.fresh())) == []
    done = anna.post(answer["Location"], {"terms": terms().pk, "accept_terms": "on"})
    assert done.status_code == 303
    assert list(clients_in_scope(cast.fresh())) == [shop]
    # The link was for what stood there then; it opens nothing twice.
    assert anna.get(answer["Location"])["Location"].endswith("/scope")
    story = anna.get(page(cast).removesuffix("/scope")).content.decode()
    assert story.count("Sharing reduced") == 2
    assert story.count("Sharing extended") == 1


def test_a_page_without_kinds_is_refused_and_loses_nothing(cast: Cast, anna: Browser) -> None:
    allow(cast.consent, cast.anna)
    answer = anna.post(page(cast), fill(cast, [], kinds=[]))
    assert "Select at least one document type" in answer.content.decode()
    assert list(clients_in_scope(cast.fresh())) == [cast.bakery]


def test_what_anna_leaves_out_before_the_allow_is_not_asked_twice(
    cast: Cast, anna: Browser
) -> None:
    answer = anna.post(page(cast), fill(cast, [], kinds=[BANK]))
    assert answer["Location"] == f"/consent/{cast.consent.uuid}"
    assert not Evidence.objects.filter(event__consent=cast.consent).exists()
    request = anna.get(answer["Location"]).content.decode()
    assert "Not shared:" in request
    wish = {"choice": "allow", "accept_terms": "on", "terms": terms().pk}
    confirm = anna.post(answer["Location"], wish)["Location"]
    assert "of 0 companies" in anna.get(confirm).content.decode()
    anna.post(confirm.split("?")[0], {"choice": choice_in(confirm)})
    assert cast.fresh().status == "allowed"
    kept = Evidence.objects.get(event__consent=cast.consent)
    assert (kept.document_kinds, kept.companies) == ([BANK], 0)


def test_an_allow_of_another_scope_than_the_one_shown_is_asked_again(
    cast: Cast, anna: Browser
) -> None:
    path = f"/consent/{cast.consent.uuid}"
    wish = {"choice": "allow", "accept_terms": "on", "terms": terms().pk}
    confirm = anna.post(path, wish)["Location"]
    change_scope(cast.fresh(), acting(cast.anna), ScopeChange(kinds_out=(BANK,)))
    change_scope(cast.fresh(), acting(cast.anna), ScopeChange(kinds_in=(BANK,)))
    answer = anna.post(path + "/confirm", {"choice": choice_in(confirm)})
    assert answer["Location"].endswith("scope=changed")
    assert (
        "A colleague has changed what will be shared"
        in anna.get(answer["Location"]).content.decode()
    )
    assert cast.fresh().is_open(database_time())


def numbers_on(page: str) -> list[str]:
    """The enterprise numbers of a page of companies, in their order."""
    return re.findall(r'name="shown" value="(\d+)"', page)


def ticked_on(page: str) -> list[str]:
    return re.findall(r'name="companies" value="(\d+)" checked', page)


def press(cast: Cast, anna: Browser, button: str, page_now: str, **more: Any) -> str:
    """Press a button of the page as it stands, or with other ticks, and follow it."""
    data = {
        "shown": numbers_on(page_now),
        "companies": ticked_on(page_now),
        "kinds": cast.ledgerly.document_kinds,
        "new_companies": "on",
        "press": button,
        **more,
    }
    answer = anna.post(page(cast), data)
    assert answer.status_code == 303, answer.content
    return anna.get(answer["Location"].split("#")[0]).content.decode()


def test_the_search_finds_by_name_code_and_number(
    cast: Cast, anna: Browser, django_assert_max_num_queries: Any
) -> None:
    for n in range(60):
        factories.make_client(cast.janssens, f"Company {n:02}")
    with django_assert_max_num_queries(24):
        first = anna.get(page(cast)).content.decode()
    assert len(numbers_on(first)) == 50
    assert "1–50 of 61" in first
    second = press(cast, anna, "next", first, page=1)
    assert len(numbers_on(second)) == 11
    assert numbers_on(press(cast, anna, "previous", second, page=2)) == numbers_on(first)
    number = cast.bakery.company_number
    dotted = f"{number[:4]}.{number[4:7]}.{number[7:]}"
    for words in ("d’hondt", dotted, cast.bakery.code):
        assert number in numbers_on(anna.get(page(cast), {"q": words}).content.decode())


def test_a_selection_survives_searches_and_pages_and_is_saved_as_one(
    cast: Cast, anna: Browser
) -> None:
    allow(cast.consent, cast.anna)
    clients = [factories.make_client(cast.janssens, f"Company {n:03}") for n in range(120)]
    first = anna.get(page(cast)).content.decode()
    out = clients[0].company_number
    kept = [number for number in ticked_on(first) if number != out]
    found = press(cast, anna, "search", first, companies=kept, q="company 11")
    assert len(numbers_on(found)) == 10
    found = press(cast, anna, "not_found", found, q="company 11")
    assert ticked_on(found) == []
    later = press(cast, anna, "next", anna.get(page(cast)).content.decode(), page=1)
    assert "110 of 121 companies shared" in later
    assert "11 unsaved changes" in later
    assert clients_in_scope(cast.fresh()).count() == 121
    anna.post(page(cast), {**fill(cast, []), "shown": [], "press": "save"})
    assert clients_in_scope(cast.fresh()).count() == 110
    assert cast.fresh().events.filter(kind=EventKind.NARROWED).count() == 1
    assert not ScopeDraft.objects.filter(consent=cast.consent).exists()


def test_a_pasted_list_says_what_is_unknown_and_a_draft_can_be_discarded(
    cast: Cast, anna: Browser
) -> None:
    allow(cast.consent, cast.anna)
    shop = factories.make_client(cast.janssens, "Shop")
    foreign = factories.make_client(cast.peeters, "Foreign")
    number = cast.bakery.company_number
    pasted = f"BE {number[:4]}.{number[4:7]}.{number[7:]}\n{shop.code}; {foreign.company_number}"
    shown = anna.get(page(cast)).content.decode()
    told = press(cast, anna, "paste_out", shown, pasted=pasted)
    assert "2 companies found: 2 changed, 0 unchanged." in told
    assert f"Unknown, so ignored: {foreign.company_number}" in told
    assert "0 of 2 companies shared" in told
    assert "2 of 2 companies shared" in press(cast, anna, "discard", told)


def test_all_and_none_go_over_every_page(cast: Cast, anna: Browser) -> None:
    for n in range(60):
        factories.make_client(cast.janssens, f"Company {n:02}")
    none = press(cast, anna, "none", anna.get(page(cast)).content.decode())
    assert "0 of 61 companies shared" in none
    assert "61 of 61 companies shared" in press(cast, anna, "all", none)


@pytest.mark.requirement(22, 106)
def test_a_cancel_and_a_change_at_once_leave_no_half_timeline(
    people: Cast, rounds: float, record_property: Callable[[str, object], None]
) -> None:
    """A release asks for 1,000 rounds: --rounds 50."""
    times, narrowed_first = max(1, round(20 * rounds)), 0
    for _round in range(times):
        consent = factories.make_allowed(people.janssens, factories.make_partner(), people.anna)
        start = threading.Barrier(2)
        told: list[str] = []

        def narrow(consent: Consent = consent, start: Any = start, told: Any = told) -> None:
            start.wait()
            try:
                change_scope(
                    Consent.objects.get(pk=consent.pk),
                    acting(people.anna),
                    ScopeChange(kinds_out=(BANK,)),
                )
                told.append("narrowed")
            except DecisionConflict:
                told.append("too late")
            finally:
                connection.close()

        def cancel(consent: Consent = consent, start: Any = start) -> None:
            start.wait()
            Consent.objects.get(pk=consent.pk).cancel(acting(people.anna))
            connection.close()

        threads = [threading.Thread(target=work) for work in (narrow, cancel)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        after = Consent.objects.get(pk=consent.pk)
        assert after.status == "cancelled"
        assert kinds_of(after)[-1] == "cancelled"
        assert (after.excluded_kinds == [BANK]) == (told == ["narrowed"])
        narrowed_first += told == ["narrowed"]
    record_property(
        "measured", f"{times} of {times} ended cancelled, the change first in {narrowed_first}"
    )
