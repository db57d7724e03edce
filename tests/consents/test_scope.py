"""An office leaves companies and kinds of documents out, at the allow or later."""

from __future__ import annotations

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
from consents.access import Standing
from consents.models import Consent, DecisionConflict, Evidence, NotAnAdmin
from consents.scope import NeedsTerms, ScopeChange, change_scope, clients_in_scope
from tests import factories
from tests.conftest import Cast, Software
from tests.factories import CODA, PASSWORD, acting, allow

BANK, PAYROLL = "bankAccountStatement", "payrollStatement"


@pytest.fixture
def an(cast: Cast) -> Browser:
    """An, logged in a moment ago with her password."""
    browser = Browser()
    browser.post("/accounts/login/", {"login": cast.an.email, "password": PASSWORD})
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
    allow(people.consent, people.an)
    shop = factories.make_client(people.janssens, "Shop")
    documents = [
        factories.make_document(client, contents={CODA: b"0"}) for client in (people.bakery, shop)
    ]
    numbers = [people.bakery.company_number, shop.company_number]
    change_scope(people.fresh(), acting(people.an), ScopeChange(clients_out=(shop.pk,)))
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
    change_scope(people.fresh(), acting(people.an), ScopeChange(clients_in=(shop.pk,)), terms())
    assert "excludedClients" not in ledgerly.search(people.janssens, numbers).json()["meta"]


def test_a_kind_left_out_is_refused(people: Cast, ledgerly: Software) -> None:
    allow(people.consent, people.an)
    number = people.bakery.company_number
    change_scope(people.fresh(), acting(people.an), ScopeChange(kinds_out=(BANK,)))
    answer = ledgerly.search(people.janssens, [number])
    assert answer.status_code == 403
    assert answer.json()["errors"][0]["code"] == "documentTypeNotAllowed"


def test_new_companies_stay_out_where_the_office_wants_it(cast: Cast) -> None:
    allow(cast.consent, cast.an)
    change_scope(cast.fresh(), acting(cast.an), ScopeChange(new_clients=False))
    late = factories.make_client(cast.janssens, "Late")
    assert list(clients_in_scope(cast.fresh())) == [cast.bakery]
    assert not Standing.of(cast.consent.pk).covers(late.pk)
    assert Standing.of(cast.consent.pk).covers(cast.bakery.pk)
    change_scope(cast.fresh(), acting(cast.an), ScopeChange(new_clients=True), terms())
    later = factories.make_client(cast.janssens, "Later")
    # What stayed out meanwhile stays out; what comes from now on is shared.
    assert set(clients_in_scope(cast.fresh())) == {cast.bakery, later}


def test_a_company_that_comes_back_is_shared_as_before(cast: Cast) -> None:
    allow(cast.consent, cast.an)
    gone = factories.make_client(cast.janssens, "Gone")
    change_scope(cast.fresh(), acting(cast.an), ScopeChange(clients_out=(gone.pk,)))
    Client.objects.filter(pk=gone.pk).update(archived_at=cast.consent.requested_at)
    change_scope(cast.fresh(), acting(cast.an), ScopeChange(new_clients=False))
    change_scope(cast.fresh(), acting(cast.an), ScopeChange(new_clients=True), terms())
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
def test_whatever_an_changes_the_gate_and_the_screen_agree(
    cast: Cast, changes: list[tuple[set[int], set[int], bool | None]]
) -> None:
    consent = factories.make_allowed(cast.janssens, factories.make_partner(), cast.an)
    clients = [factories.make_client(cast.janssens) for _ in range(4)]
    expected = {client.pk for client in clients}
    for come, go, new in changes:
        come_in = tuple(clients[n].pk for n in come - go)
        out = tuple(clients[n].pk for n in go)
        change = ScopeChange(clients_in=come_in, clients_out=out, new_clients=new)
        change_scope(consent, acting(cast.an), change, terms())
        expected = (expected | set(come_in)) - set(out)
        standing = Standing.of(consent.pk)
        shown = set(clients_in_scope(consent).values_list("pk", flat=True))
        for client in clients:
            assert standing.covers(client.pk) == (client.pk in expected) == (client.pk in shown)


def test_sharing_more_of_a_given_consent_needs_the_terms(cast: Cast) -> None:
    allow(cast.consent, cast.an)
    change_scope(cast.fresh(), acting(cast.an), ScopeChange(kinds_out=(BANK,)))
    with pytest.raises(NeedsTerms):
        change_scope(cast.fresh(), acting(cast.an), ScopeChange(kinds_in=(BANK,)))
    assert cast.fresh().excluded_kinds == [BANK]
    assert kinds_of(cast.consent) == ["requested", "allowed", "narrowed"]
    change_scope(cast.fresh(), acting(cast.an), ScopeChange(kinds_in=(BANK,)), terms())
    kept = Evidence.objects.get(event__consent=cast.consent, event__kind="widened")
    assert BANK in kept.document_kinds
    assert kept.companies == 1


def test_only_an_admin_of_the_office_changes_it_and_only_while_it_lives(cast: Cast) -> None:
    allow(cast.consent, cast.an)
    change = ScopeChange(kinds_out=(BANK,))
    for person in (cast.bram, cast.chloe):
        with pytest.raises(NotAnAdmin):
            change_scope(cast.fresh(), acting(person), change)
    cast.fresh().cancel(acting(cast.an))
    with pytest.raises(DecisionConflict):
        change_scope(cast.fresh(), acting(cast.an), change)
    assert cast.fresh().excluded_kinds == []


def test_an_cannot_name_companies_of_peeters(cast: Cast) -> None:
    allow(cast.consent, cast.an)
    foreign = factories.make_client(cast.peeters, "Foreign")
    change_scope(cast.fresh(), acting(cast.an), ScopeChange(clients_out=(foreign.pk,)))
    assert kinds_of(cast.consent) == ["requested", "allowed"]
    assert not cast.consent.listed.exists()


def test_an_leaves_out_on_the_screen_at_once_and_shares_more_after_a_confirmation(
    cast: Cast, an: Browser
) -> None:
    allow(cast.consent, cast.an)
    shop = factories.make_client(cast.janssens, "Shop")
    answer = an.post(page(cast), fill(cast, [cast.bakery]))
    assert answer.status_code == 303
    assert answer["Location"].endswith(str(cast.consent.uuid))
    assert list(clients_in_scope(cast.fresh())) == [cast.bakery]
    # One comes in and one goes out: the narrowing holds before the widening is confirmed.
    answer = an.post(page(cast), fill(cast, [shop]))
    assert "/scope/more?change=" in answer["Location"]
    assert list(clients_in_scope(cast.fresh())) == []
    shown = an.get(answer["Location"]).content.decode()
    assert "Shop" in shown
    assert "D&#x27;Hondt" not in shown
    refused = an.post(answer["Location"], {"terms": terms().pk})
    assert "first switch on" in refused.content.decode()
    old_words = an.post(answer["Location"], {"terms": terms().pk - 1, "accept_terms": "on"})
    assert "The terms have changed" in old_words.content.decode()
    assert list(clients_in_scope(cast.fresh())) == []
    done = an.post(answer["Location"], {"terms": terms().pk, "accept_terms": "on"})
    assert done.status_code == 303
    assert list(clients_in_scope(cast.fresh())) == [shop]
    # The link was for what stood there then; it opens nothing twice.
    assert an.get(answer["Location"])["Location"].endswith("/scope")
    story = an.get(page(cast).removesuffix("/scope")).content.decode()
    assert story.count("Less is shared") == 2
    assert story.count("More is shared") == 1


def test_a_page_without_kinds_is_refused_and_loses_nothing(cast: Cast, an: Browser) -> None:
    allow(cast.consent, cast.an)
    answer = an.post(page(cast), fill(cast, [], kinds=[]))
    assert "Leave at least one kind on" in answer.content.decode()
    assert list(clients_in_scope(cast.fresh())) == [cast.bakery]


def test_what_an_leaves_out_before_the_allow_is_not_asked_twice(cast: Cast, an: Browser) -> None:
    answer = an.post(page(cast), fill(cast, [], kinds=[BANK]))
    assert answer["Location"] == f"/consent/{cast.consent.uuid}"
    assert not Evidence.objects.filter(event__consent=cast.consent).exists()
    request = an.get(answer["Location"]).content.decode()
    assert "left out by your office" in request
    wish = {"choice": "allow", "accept_terms": "on", "terms": terms().pk}
    confirm = an.post(answer["Location"], wish)["Location"]
    assert "of 0 companies" in an.get(confirm).content.decode()
    an.post(confirm.split("?")[0], {"choice": choice_in(confirm)})
    assert cast.fresh().status == "allowed"
    kept = Evidence.objects.get(event__consent=cast.consent)
    assert (kept.document_kinds, kept.companies) == ([BANK], 0)


def test_an_allow_of_another_scope_than_the_one_shown_is_asked_again(
    cast: Cast, an: Browser
) -> None:
    path = f"/consent/{cast.consent.uuid}"
    wish = {"choice": "allow", "accept_terms": "on", "terms": terms().pk}
    confirm = an.post(path, wish)["Location"]
    change_scope(cast.fresh(), acting(cast.an), ScopeChange(kinds_out=(BANK,)))
    change_scope(cast.fresh(), acting(cast.an), ScopeChange(kinds_in=(BANK,)))
    answer = an.post(path + "/confirm", {"choice": choice_in(confirm)})
    assert answer["Location"].endswith("scope=changed")
    assert "A colleague changed what would be shared" in an.get(answer["Location"]).content.decode()
    assert cast.fresh().is_open


def test_the_search_finds_by_name_code_and_number_and_pages_by_key(
    cast: Cast, an: Browser, django_assert_max_num_queries: Any
) -> None:
    for n in range(60):
        factories.make_client(cast.janssens, f"Company {n:02}")
    with django_assert_max_num_queries(22):
        first = an.get(page(cast)).content.decode()
    assert first.count('name="shown"') == 50
    following = first.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0]
    second = an.get(page(cast) + following.replace("&amp;", "&")).content.decode()
    assert second.count('name="shown"') == 11
    number = cast.bakery.company_number
    dotted = f"{number[:4]}.{number[4:7]}.{number[7:]}"
    for words in ("hondt", dotted, cast.bakery.code):
        assert 'value="' + number in an.get(page(cast), {"q": words}).content.decode()


def test_a_cancel_and_a_change_at_once_leave_no_half_story(
    people: Cast, rounds: float, record_property: Callable[[str, object], None]
) -> None:
    """A release asks for 1,000 rounds: --rounds 50."""
    times, narrowed_first = max(1, round(20 * rounds)), 0
    for _round in range(times):
        consent = factories.make_allowed(people.janssens, factories.make_partner(), people.an)
        start, told = threading.Barrier(2), []

        def narrow(consent: Consent = consent, start: Any = start, told: Any = told) -> None:
            start.wait()
            try:
                change_scope(
                    Consent.objects.get(pk=consent.pk),
                    acting(people.an),
                    ScopeChange(kinds_out=(BANK,)),
                )
                told.append("narrowed")
            except DecisionConflict:
                told.append("too late")
            finally:
                connection.close()

        def cancel(consent: Consent = consent, start: Any = start) -> None:
            start.wait()
            Consent.objects.get(pk=consent.pk).cancel(acting(people.an))
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
