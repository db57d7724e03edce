"""The lists of the admin: bounded in queries, and quick with a million events behind them."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Office
from backoffice.admin.filters import DeliveryState, EndpointState, OfficeState, RoleFilter
from backoffice.admin.lists import REACH, BoundedPaginator, uuids_beginning
from backoffice.models import CompanyClaim, Operator
from consents.models import Consent, ConsentEvent
from notifications.models import Delivery, WebhookEndpoint
from tests import factories
from tests.conftest import Cast
from tests.factories import acting, allow
from tests.owner import as_owner
from tests.test_access_matrix import as_person

pytestmark = pytest.mark.requirement(86)


MOST_QUERIES = 15
LONGEST = 1.0  # seconds

# Of each office ten partners' consents, twenty; of each consent ten events, each told to an endpoint.
ROWS = """
    insert into accounts_office (uuid, company_number, name, slug, language, contact, email, phone,
        second_factor_required, decisions_to_all, is_active)
    select gen_random_uuid(), '18' || lpad(n::text, 8, '0'), 'Office ' || n, 'office-of-many-' || n,
        'nl', '', '', '', false, false, true from generate_series(1, %(offices)s) n;

    insert into consents_consent (uuid, office_id, partner_id, status, lapses_at, redirect_uri,
        state, closed_at, closed_reason, excluded_kinds, allowlist_mode, scope_number)
    select gen_random_uuid(), o.id, p.id, 'to_be_determined', now(), '', '',
        case when copy > 1 then now() end, case when copy > 1 then 'lapsed' else '' end,
        '{}', false, 0
    from accounts_office o, partners_partner p, generate_series(1, 2) copy
    where o.slug like 'office-of-many-%%' and p.name like 'Many %%';

    update consents_consent set status = 'allowed', decided_at = now(), decided_by_id = %(person)s,
        terms_id = %(terms)s
    where closed_at is null and office_id in (
        select id from accounts_office where slug like 'office-of-many-%%' and id %% 2 = 0);

    insert into consents_consentevent (uuid, consent_id, kind, at, actor_kind, actor_name, reason,
        asked, office_id, number, previous_hash, event_hash, salt, personal_hash)
    select gen_random_uuid(), c.id, 'paused', now(), 'person', 'Anna', '', '{}', c.office_id,
        row_number() over (partition by c.office_id), '', '', '', ''
    from consents_consent c join partners_partner p on p.id = c.partner_id,
        generate_series(1, 10) where p.name like 'Many %%';

    insert into notifications_delivery (endpoint_id, event_id, attempts, answer, delivered_at)
    select w.id, e.id, 1, '200', now()
    from consents_consentevent e join consents_consent c on c.id = e.consent_id
    join notifications_webhookendpoint w on w.partner_id = c.partner_id
    where e.kind = 'paused';
"""


def many(cast: Cast, offices: int) -> None:
    for n in range(10):
        partner = factories.make_partner(f"Many {n}")
        WebhookEndpoint.objects.create(partner=partner, url=f"https://many{n}.example/")
    terms = factories.terms_in_force().pk
    with connection.cursor() as cursor:
        cursor.execute(ROWS, {"person": cast.anna.pk, "terms": terms, "offices": offices})
    as_owner("analyze")


def some(cast: Cast) -> None:
    """Thirty offices, consents, events and deliveries: enough to see a query for each row."""
    endpoint = WebhookEndpoint.objects.create(partner=cast.ledgerly, url="https://x.example/")
    allow(cast.consent, cast.anna)
    for _ in range(15):
        cast.fresh().pause(acting(cast.anna))
        cast.fresh().resume(acting(cast.anna))
    for n in range(30):
        factories.make_request(factories.make_office(f"Office {n}"), cast.ledgerly)
    for event in ConsentEvent.objects.all():
        Delivery.objects.create(endpoint=endpoint, event=event)


def pages(consent: Consent) -> list[str]:
    """Every list, as it opens, with each filter and search, and the last page that it offers."""
    lists = {
        model: f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        for model in admin.site._registry
    }
    event = consent.events.latest("pk")
    words = [str(consent.uuid), str(consent.uuid)[:6], "Office 12", "Ledgerly", "ab", "%"]
    return [
        "/admin/",
        *lists.values(),
        *(f"{lists[model]}?q={word}" for model in (Consent, Office) for word in words),
        *(f"{lists[Consent]}?status__exact={s}" for s in ("allowed", "denied", "to_be_determined")),
        f"{lists[Consent]}?o=-4",
        f"{lists[Consent]}?q=Office+12&status__exact=allowed&o=5",
        f"{lists[Delivery]}?q={event.uuid}",
        f"{lists[Delivery]}?q={str(event.uuid)[:4]}",
        f"{lists[Delivery]}?q={consent.uuid}",
        f"{lists[Delivery]}?software=Ledgerly",
        *(f"{lists[Delivery]}?state={state}" for state in DeliveryState.states),
        f"{lists[Delivery]}?software=Many&state=given+up",
        f"{lists[Consent]}?software=Ledgerly&office=Office+12",
        f"{lists[Consent]}?software=Many&requested_at__gte=2020-01-01+00:00:00%2B00:00",
        f"{lists[Consent]}?status__exact=denied&office=a",
        *(f"{lists[WebhookEndpoint]}?state={state}" for state in EndpointState.states),
        *(f"{lists[Office]}?state={state}" for state in OfficeState.states),
        *(f"{lists[Operator]}?role={role}" for role in RoleFilter.states),
        f"{lists[CompanyClaim]}?created_at__gte=2020-01-01+00:00:00%2B00:00",
        f"{lists[Consent]}csv/?software=Ledgerly",
        f"{lists[Delivery]}csv/?state=delivered",
        f"{lists[Consent]}{consent.pk}/change/",
        f"{lists[Consent]}{consent.pk}/history/",
        f"{lists[Consent]}{consent.pk}/end/",
        f"{lists[Office]}{consent.office_id}/change/",
        f"/admin/partners/partner/{consent.partner_id}/change/",
        f"/admin/partners/partner/{consent.partner_id}/state/",
        f"/admin/partners/partner/{consent.partner_id}/monitor/",
    ]


def test_no_list_of_the_admin_asks_the_database_more_than_15_times(cast: Cast) -> None:
    some(cast)
    dirk, most = as_person(cast.dirk), {}
    for path in pages(cast.consent):
        # A process asks for the content types of Django once, on the first page that needs one.
        dirk.get(path)
        with CaptureQueriesContext(connection) as asked:
            assert dirk.get(path).status_code == 200, path
        most[path] = len(asked)
    assert {path: n for path, n in most.items() if n > MOST_QUERIES} == {}


def test_the_lists_are_quick_with_a_million_events(
    cast: Cast, rounds: float, record_property: Any
) -> None:
    """100,000 consents, a million events and deliveries by `--rounds 10`; every day a hundredth."""
    offices = 5000 if rounds >= 10 else 50
    many(cast, offices)
    assert ConsentEvent.objects.count() >= 200 * offices
    assert Consent.objects.count() >= 20 * offices
    consent = Consent.objects.filter(status="allowed").latest("pk")
    dirk, took = as_person(cast.dirk), {}
    last_page = f"/admin/consents/consent/?p={(min(REACH, 20 * offices) - 1) // 100}"
    dirk.get("/admin/")
    for path in [*pages(consent), last_page]:
        began, cpu = time.perf_counter(), time.process_time()
        with CaptureQueriesContext(connection) as asked:
            assert dirk.get(path).status_code == 200, path
        seconds = round(time.perf_counter() - began, 3)
        database = sum(float(query["time"]) for query in asked.captured_queries)
        took[path] = (seconds, len(asked))
        own = time.process_time() - cpu
        print(
            f"{seconds:6.3f} s, database {database:6.3f}, own {own:5.3f}, {len(asked):2d} × {path}"
        )
    slowest = sorted(took.items(), key=lambda item: -item[1][0])
    record_property("measured", f"slowest page {slowest[0][1][0]} s")
    # A machine that does other things as well decides how long a small one takes.
    assert slowest[0][1][0] <= LONGEST or rounds < 10, slowest[:5]
    assert max(n for _seconds, n in took.values()) <= MOST_QUERIES


def test_a_list_counts_no_further_than_it_reaches(cast: Cast) -> None:
    rows = [
        Office(name="x", slug=f"many-{n}", company_number=f"18{n:08d}") for n in range(REACH + 5)
    ]
    Office.objects.bulk_create(rows)
    assert BoundedPaginator(Office.objects.order_by("pk"), 100).count == REACH


@pytest.mark.parametrize("length", [1, 2, 8, 9, 13, 14, 36])
def test_dirk_finds_identifiers_by_any_beginning_and_no_others(cast: Cast, length: int) -> None:
    term = str(cast.consent.uuid)[:length]
    for _ in range(20):
        factories.make_request(factories.make_office(), cast.ledgerly)
    found = uuids_beginning("uuid", term)
    assert found is not None
    expected = {c.pk for c in Consent.objects.all() if str(c.uuid).startswith(term)}
    assert set(Consent.objects.filter(found).values_list("pk", flat=True)) == expected


@pytest.mark.parametrize(
    "term", ["Janssens", "zz", "", "   ", "6fa6c20c-ab85-45c9-ae7b-725504642dc50", "%", "١٢"]
)
def test_what_begins_no_identifier_is_a_word(term: str) -> None:
    assert uuids_beginning("uuid", term) is None


def test_dirk_finds_an_office_by_the_whole_address_of_a_person_only(cast: Cast) -> None:
    dirk = as_person(cast.dirk)

    def found(term: str) -> Any:
        return dirk.get("/admin/accounts/office/", {"q": term}).context["cl"].result_list

    assert list(found(cast.bram.email.upper())) == [cast.janssens]
    assert not found(cast.bram.email[:-1])
