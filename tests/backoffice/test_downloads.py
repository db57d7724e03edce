"""Every list of the admin as CSV: the same rows and columns, and who took them out is written."""

from __future__ import annotations

import csv
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import label_for_field
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Office
from backoffice.admin.lists import REACH
from backoffice.roles import OperatorRole
from backoffice.words import counted
from clients.models import Account, Client
from consents.models import Consent
from core.csv_export import harmless
from demo.data.numbers import iban
from documents.formats import Reason
from documents.models import QuarantinedFile
from partners.models import Application
from tests import factories
from tests.backoffice.test_event_log import rows as logged
from tests.backoffice.test_filters import LISTS, path_of
from tests.backoffice.test_lists import MOST_QUERIES, some
from tests.backoffice.test_operators import proven
from tests.backoffice.test_roles import with_role
from tests.conftest import Cast
from tests.factories import allow

pytestmark = pytest.mark.requirement(86, 109)


def taken_out(browser: Any, model: Any, **chosen: Any) -> list[list[str]]:
    """The lines of the file that the link on the list leads to."""
    page = browser.get(path_of(model), chosen).content.decode()
    link = page.split("csv/")[1].split('"')[0].replace("&amp;", "&")
    answer = browser.get(f"{path_of(model)}csv/{link}")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.reader(answer.content.decode("utf-8-sig").splitlines()))


def test_each_list_is_a_file_with_the_same_columns_and_rows(cast: Cast) -> None:
    """And no more questions to the database than a list may ask."""
    some(cast)
    factories.make_application(cast.tally)
    client = factories.make_client(cast.janssens)
    Client.objects.filter(pk=client.pk).update(contested=True, confirmed_at=None)
    Account.objects.create(client=client, iban=iban(factories.unique()), contested=True)
    QuarantinedFile.objects.create(
        sha256=f"{factories.unique():064}", name="x.cod", size=1, reason=Reason.STRUCTURE
    )
    dirk = proven(cast.dirk)
    for model in LISTS:
        shown = dirk.get(path_of(model)).context["cl"]
        page = admin.site._registry[model]
        columns = [name for name in shown.list_display if name != "action_checkbox"]
        with CaptureQueriesContext(connection) as asked:
            heads, *lines = taken_out(dirk, model)
        assert len(asked) <= 2 * MOST_QUERIES, f"the list and the file of {model}"
        assert heads == [str(label_for_field(name, model, model_admin=page)) for name in columns]
        assert len(lines) == shown.result_count > 0, model
        assert all(len(line) == len(heads) for line in lines)
        entry = LogEntry.objects.latest("pk")
        assert entry.user == cast.dirk
        assert (
            f"Downloaded as CSV: {counted(len(lines), 'row')}, filter: none" in entry.change_message
        )


def test_a_file_has_the_search_the_filter_and_the_order_of_the_list(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    others = [factories.make_request(cast.janssens, cast.tally)]
    others += [factories.make_request(cast.peeters, one) for one in (cast.ledgerly, cast.tally)]
    dirk = proven(cast.dirk)
    _heads, *found = taken_out(dirk, Consent, q="Janssens", status__exact="allowed")
    assert [line[0] for line in found] == [str(cast.consent.uuid)]
    assert found[0][1:4] == ["Janssens", cast.ledgerly.name, "Allowed"]
    assert "+" in found[0][4], "a moment says which clock it is of"
    allow(others[2], cast.chloe)
    for order, expected in {"3": others[:0:-1], "-3": others[1:]}.items():
        _heads, *found = taken_out(dirk, Consent, q="Peeters", o=order)
        assert [line[0] for line in found] == [str(one.uuid) for one in expected]
    said = [entry.change_message for entry in LogEntry.objects.order_by("pk")]
    assert said == [
        "Downloaded as CSV: 1 row, filter: q=words&status__exact=allowed",
        "Downloaded as CSV: 2 rows, filter: o=3&q=words",
        "Downloaded as CSV: 2 rows, filter: o=-3&q=words",
    ]


def test_the_event_log_says_who_took_which_list_out(cast: Cast) -> None:
    taken_out(proven(cast.dirk), Office, q="Janssens")
    ada = proven(with_role("auditor", "Ada"))
    found = [row for row in logged(ada, operator=cast.dirk.pk) if row.startswith("download")]
    assert found == [
        "download | office: list of offices | Downloaded as CSV: 1 row, filter: q=words"
    ]


def test_a_list_that_goes_on_says_so_in_its_last_line(cast: Cast) -> None:
    rows = [
        Office(name="x", slug=f"many-{n}", company_number=f"18{n:08d}") for n in range(REACH + 5)
    ]
    Office.objects.bulk_create(rows)
    _heads, *lines = taken_out(proven(cast.dirk), Office)
    assert len(lines) == REACH + 1
    assert lines[-1] == [f"Only the first {REACH} rows. Filter or search for the others."]
    assert "2000 rows" in LogEntry.objects.latest("pk").change_message


def test_a_name_that_is_a_formula_is_harmless_in_the_file(cast: Cast) -> None:
    evil = '=HYPERLINK("https://evil.example/")'
    Office.objects.filter(pk=cast.janssens.pk).update(name=evil)
    _heads, *lines = taken_out(proven(cast.dirk), Office, q="HYPERLINK")
    assert [line[0] for line in lines] == [harmless(evil)]
    assert lines[0][0].startswith("'=")


def test_no_file_has_a_secret(cast: Cast) -> None:
    client_id, secret = factories.make_application(cast.tally)
    kept = Application.objects.get(client_id=client_id).client_secret
    text = str(taken_out(proven(cast.dirk), Application))
    assert client_id in text
    assert secret not in text
    assert kept not in text


@pytest.mark.parametrize("role", OperatorRole.values)
def test_who_may_not_see_a_list_does_not_take_it_out(cast: Cast, role: str) -> None:
    browser = proven(with_role(role))
    for model in LISTS:
        listed = browser.get(path_of(model)).status_code
        assert browser.get(f"{path_of(model)}csv/").status_code == listed
    assert {entry.user.name for entry in LogEntry.objects.all()} == {"Finn"}


def test_a_filter_that_is_none_leads_back_to_the_list(cast: Cast) -> None:
    dirk = proven(cast.dirk)
    answer = dirk.get(f"{path_of(Consent)}csv/", {"requested_at__gte": "never"})
    assert answer["Location"] == path_of(Consent)
    assert not LogEntry.objects.exists()
