"""Operators open no client file; what they see of an office is written down and shown to it."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.db import ProgrammingError, transaction

from backoffice.models.support_access import SupportAccess
from clients.models import Client
from documents.models import Content, Document, DocumentRead
from tests import factories
from tests.backoffice.test_writes import admin_urls
from tests.conftest import Cast
from tests.factories import allow
from tests.test_access_matrix import as_person

pytestmark = pytest.mark.requirement(85)


def shown(cast: Cast, **query: Any) -> str:
    page = as_person(cast.anna).get(f"/offices/{cast.janssens.slug}/organization/looks", query)
    return page.content.decode()


def test_no_page_of_the_admin_opens_a_company_or_a_document(cast: Cast) -> None:
    """By no URL, but for claims: neither the name of a company nor a document is in what Dirk reads."""
    registered = set(admin.site._registry)
    assert registered.isdisjoint({Client, Document, Content, DocumentRead})
    document = factories.make_document(cast.bakery)
    dirk = as_person(cast.dirk)
    for name, path in admin_urls(cast).items():
        if name == "admin:logout":
            continue
        page = dirk.get(path, follow=True).content.decode(errors="replace")
        for secret in (cast.bakery.name, cast.bakery.company_number, str(document.uuid)):
            assert secret not in page, name


def test_every_page_that_shows_people_of_an_office_is_told_to_the_office(cast: Cast) -> None:
    """Whatever page has the address or the act of a person on it, the look is a row."""
    allow(cast.consent, cast.anna)
    dirk, seen = as_person(cast.dirk), 0
    for name, path in admin_urls(cast).items():
        if name == "admin:logout":
            continue
        before = cast.janssens.support_accesses.count()
        page = dirk.get(path).content.decode(errors="replace")
        if cast.bram.email in page or cast.anna.email in page or "Allowed · Anna" in page:
            assert cast.janssens.support_accesses.count() == before + 1, name
            seen += 1
    assert seen >= 3
    assert not cast.peeters.support_accesses.exists()


def test_anna_reads_who_looked_at_what_and_chloe_does_not(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    assert "Portal staff have not viewed" in shown(cast)
    dirk = as_person(cast.dirk)
    dirk.get(f"/admin/accounts/office/{cast.janssens.pk}/change/")
    dirk.get(f"/admin/consents/consent/{cast.consent.pk}/change/")
    page = shown(cast)
    assert page.count("Dirk") == 2
    assert "All users of the office" in page
    assert str(cast.consent.uuid) in page
    other = f"/offices/{cast.peeters.slug}/organization/looks"
    assert "Dirk" not in as_person(cast.chloe).get(other).content.decode()


def test_anna_reads_older_looks_on_the_next_page(cast: Cast) -> None:
    dirk = as_person(cast.dirk)
    for _ in range(2):
        dirk.get(f"/admin/accounts/office/{cast.janssens.pk}/change/")
    first, second = cast.janssens.support_accesses.order_by("pk")
    fields = {"office": cast.janssens, "operator": cast.dirk, "accessed": "consent"}
    SupportAccess.objects.bulk_create(
        SupportAccess(**fields, operator_name=f"Looker {n}") for n in range(49)
    )
    newest = shown(cast)
    assert newest.count("Looker") == 49
    assert newest.count("Dirk") == 1
    assert f"?after={second.pk}" in newest
    oldest = shown(cast, after=second.pk)
    assert oldest.count("Dirk") == 1
    assert f"?before={first.pk}" in oldest
    assert shown(cast, before=first.pk).count("Looker") == 49


def test_a_view_cannot_be_undone(cast: Cast) -> None:
    as_person(cast.dirk).get(f"/admin/accounts/office/{cast.janssens.pk}/change/")
    for change in (
        lambda: cast.janssens.support_accesses.update(operator_name="Nobody"),
        lambda: cast.janssens.support_accesses.all().delete(),
    ):
        with pytest.raises(ProgrammingError), transaction.atomic():
            change()
    assert cast.janssens.support_accesses.count() == 1
