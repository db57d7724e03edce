"""The filters of the lists of the admin: what each finds, and that none offers thousands of values."""

from __future__ import annotations

from typing import Any

import lxml.html
import pytest
from django.contrib import admin
from django.db.models.functions import Now

from accounts.models import Office, User
from backoffice.admin.filters import TypedFilter
from backoffice.models import Operator
from backoffice.operators import end_access
from backoffice.roles import OperatorRole
from consents.models import Consent
from notifications.models import Delivery, WebhookEndpoint
from notifications.models.webhook_endpoint import OffReason
from tests import factories
from tests.backoffice.test_roles import with_role
from tests.conftest import Cast
from tests.factories import acting, allow
from tests.test_access_matrix import as_person

pytestmark = pytest.mark.requirement(86)

LISTS = sorted(admin.site._registry, key=lambda model: model._meta.label)


def path_of(model: Any) -> str:
    """The address of the list."""
    return f"/admin/{model._meta.app_label}/{model._meta.model_name}/"


def found(browser: Any, model: Any, **chosen: Any) -> set[Any]:
    page = browser.get(path_of(model), chosen)
    assert page.status_code == 200
    return set(page.context["cl"].result_list)


def test_consents_by_software_and_office_by_name_or_number(cast: Cast) -> None:
    other = factories.make_request(cast.janssens, cast.tally)
    elsewhere = factories.make_request(cast.peeters, cast.ledgerly)
    allow(elsewhere, cast.chloe)
    dirk = as_person(cast.dirk)

    def consents(**chosen: Any) -> set[Any]:
        return found(dirk, Consent, **chosen) & {cast.consent, other, elsewhere}

    assert consents(software=cast.ledgerly.name) == {cast.consent, elsewhere}
    assert consents(software="ledger", office="jans") == {cast.consent}
    number = cast.peeters.company_number
    assert consents(office=f"BE {number[:4]}.{number[4:7]}.{number[7:]}") == {elsewhere}
    assert consents(software=cast.ledgerly.legal_number, status__exact="allowed") == {elsewhere}
    assert consents(software=cast.ledgerly.name, q="Peeters") == {elsewhere}
    assert consents(requested_at__gte="2099-01-01 00:00:00+00:00") == set()
    assert consents(requested_at__gte="2020-01-01 00:00:00+00:00") == {
        cast.consent,
        other,
        elsewhere,
    }
    for nothing in ("zzz", "%", "\0zzz", "'; --"):
        assert consents(office=nothing) == set()
    assert consents(office=" ") == {cast.consent, other, elsewhere}


def test_a_typed_filter_keeps_the_other_filters_and_the_search(cast: Cast) -> None:
    chosen = {"software": "Ledgerly", "status__exact": "allowed", "q": "Janssens", "o": "-5"}
    page = as_person(cast.dirk).get(path_of(Consent), {**chosen, "p": "1"})
    html = lxml.html.fromstring(page.content)
    (form,) = html.xpath("//form[@class='typed-filter'][.//input[@id='filter-software']]")
    assert dict(form.form_values()) == chosen
    (other,) = html.xpath("//form[@class='typed-filter'][.//input[@id='filter-office']]")
    assert dict(other.form_values()) == {**chosen, "office": ""}
    (clear,) = form.xpath(".//a/@href")
    assert "software" not in clear
    assert "status__exact=allowed" in clear


def test_offices_by_state(cast: Cast) -> None:
    stopped, closed = factories.make_office("Stopped"), factories.make_office("Closed")
    assert stopped.set_active(False)
    Office.objects.filter(pk=closed.pk).update(is_active=False, closed_at=Now())
    dirk, mine = as_person(cast.dirk), {cast.janssens, stopped, closed}
    assert found(dirk, Office, state="active") & mine == {cast.janssens}
    assert found(dirk, Office, state="suspended") & mine == {stopped}
    assert found(dirk, Office, state="closed") & mine == {closed}
    assert found(dirk, Office, state="unknown") & mine == mine


def test_endpoints_and_deliveries_by_software_and_state(cast: Cast) -> None:
    on, off = (
        WebhookEndpoint.objects.create(partner=one, url="https://x.example/")
        for one in (cast.ledgerly, cast.tally)
    )
    off.switch_off(OffReason.OPERATOR)
    WebhookEndpoint.objects.filter(pk=on.pk).update(flagged_at=Now())
    dirk, mine = as_person(cast.dirk), {on, off}
    states = {"on": {on}, "off": {off}, "flagged": {on}}
    for state, expected in states.items():
        assert found(dirk, WebhookEndpoint, state=state) & mine == expected
    assert found(dirk, WebhookEndpoint, software=cast.tally.name) == {off}
    allow(cast.consent, cast.anna)
    cast.fresh().pause(acting(cast.anna))
    first, second, third = cast.consent.events.order_by("number")
    waiting = Delivery.objects.create(endpoint=on, event=first)
    done = Delivery.objects.create(endpoint=on, event=second, delivered_at=Now())
    lost = Delivery.objects.create(endpoint=off, event=third, given_up_at=Now())
    rows = {waiting, done, lost}
    for state, row in {"waiting": waiting, "delivered": done, "given up": lost}.items():
        assert found(dirk, Delivery, state=state) & rows == {row}
    assert found(dirk, Delivery, software=cast.ledgerly.name) == {waiting, done}
    assert found(dirk, Delivery, software=cast.ledgerly.name, state="waiting") == {waiting}


def test_operators_by_role(cast: Cast) -> None:
    people = {role: with_role(role, role.capitalize()) for role in OperatorRole.values}
    with_role("security", "Gus")
    gone = with_role("support", "Gone")
    dirk = as_person(cast.dirk)
    end_access(gone, cast.dirk)
    factories.make_person("Nora", cast.janssens)
    mine = {person.pk for person in people.values()} | {cast.dirk.pk, gone.pk}

    def keys(**chosen: Any) -> set[int]:
        return {one.pk for one in found(dirk, Operator, **chosen)} & mine

    for role, person in people.items():
        assert keys(role=role) == {person.pk}
    assert keys(role="superuser") == {cast.dirk.pk}
    assert gone.pk not in keys(role="support")
    assert User.objects.get(pk=gone.pk).is_staff is False


def test_no_filter_of_a_list_offers_more_than_a_screen_of_values(cast: Cast) -> None:
    """With a hundred offices and partners; the senders of the quarantine are a hundred at most."""
    for n in range(60):
        partner = factories.make_partner(f"Many {n}")
        WebhookEndpoint.objects.create(partner=partner, url=f"https://many{n}.example/")
        factories.make_office(f"Office {n}")
    dirk = as_person(cast.dirk)
    typed = set()
    for model in LISTS:
        changes = dirk.get(path_of(model)).context["cl"]
        for spec in changes.filter_specs:
            assert len(list(spec.choices(changes))) <= 20, (model, spec.title)
            if isinstance(spec, TypedFilter):
                typed.add((model, spec.title))
    assert typed == {
        (Consent, "software"),
        (Consent, "office"),
        (Delivery, "software"),
        (WebhookEndpoint, "software"),
    }
