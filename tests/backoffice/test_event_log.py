"""The event log of the operators: what they did, opened and when they came in."""

from __future__ import annotations

import csv
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.admin.models import CHANGE, LogEntry
from django.db import DatabaseError, transaction
from django.db.models.functions import Now
from django.utils import timezone

from backoffice.event_log import Filter, Place, all_entries, entries
from backoffice.models import FourEyesApproval, OperatorLogin, SupportAccess
from tests.accounts.people import add_app, log_in, logged_in
from tests.backoffice.test_operators import another_operator, new_secret, proven
from tests.backoffice.test_roles import with_role
from tests.conftest import Cast

pytestmark = pytest.mark.requirement(109)

LOG = "/admin/backoffice/operator/events/"


def busy_dirk(cast: Cast) -> Any:
    """Dirk suspends an office, makes a secret, opens people, and asks for something in vain."""
    dirk = proven(cast.dirk)
    dirk.post(
        f"/admin/accounts/office/{cast.janssens.pk}/state/",
        {"reason": "Unpaid", "state": "suspended"},
    )
    new_secret(dirk, f"/admin/partners/partner/{cast.tally.pk}/secret/")
    dirk.get(f"/admin/accounts/office/{cast.peeters.pk}/change/")
    dirk.post(f"/admin/consents/consent/{cast.consent.pk}/end/", {"reason": "x"})
    dirk.post(f"/admin/accounts/office/{cast.peeters.pk}/close/", {"reason": "They stopped"})
    FourEyesApproval.objects.update(requested_at=Now() - timedelta(hours=25))
    return dirk


def rows(browser: Any, **chosen: Any) -> list[str]:
    page = browser.get(LOG, chosen)
    assert page.status_code == 200
    return [f"{one.kind} | {one.about} | {one.what}" for one in page.context["rows"]]


def test_the_log_has_what_dirk_changed_opened_and_asked_for(cast: Cast) -> None:
    busy_dirk(cast)
    ada = proven(with_role("auditor", "Ada"))
    found = "\n".join(rows(ada, operator=cast.dirk.pk))
    for told in (
        "Suspended: Unpaid",
        "New secret.",
        f"opened | office: {cast.peeters} | All users of the office",
        "request | office: Peeters | Asked for: Closing of the office: They stopped",
        f"lapsed request | {cast.peeters} | Closing of the office: They stopped. Nobody confirmed",
    ):
        assert told in found
    assert ada.post(LOG).status_code == 200


def test_the_filters_leave_the_rest_out(cast: Cast) -> None:
    dirk = busy_dirk(cast)
    els = proven(another_operator(cast))
    els.get(f"/admin/accounts/office/{cast.janssens.pk}/change/")
    mine = rows(dirk, operator=cast.dirk.pk)
    of_els = f"opened | office: {cast.janssens} | All users of the office"
    assert of_els not in [row.strip() for row in mine]
    assert of_els in [row.strip() for row in rows(dirk)]
    of_peeters = rows(dirk, office=cast.peeters.company_number)
    assert of_peeters
    assert all("Peeters" in row for row in of_peeters)
    of_tally = rows(dirk, software=cast.tally.name)
    assert [row for row in of_tally if "New secret." in row]
    assert not [row for row in of_tally if "Unpaid" in row]
    today = timezone.localdate()
    assert rows(dirk, first=today, last=today, operator=cast.dirk.pk)
    tomorrow = today + timedelta(days=1)
    assert rows(dirk, first=tomorrow) == []
    wrong = dirk.get(LOG, {"office": "Nobody", "first": "x"})
    assert "No office has this number or name." in wrong.content.decode()
    assert wrong.context["rows"] == []


def test_page_after_page_gives_every_row_once(cast: Cast) -> None:
    """All rows of one moment, of several tables: nothing is left out between two pages."""
    busy_dirk(cast)
    # What was opened has the moment of the transaction.
    moment = SupportAccess.objects.latest("pk").at
    LogEntry.objects.bulk_create(
        LogEntry(user=cast.dirk, action_time=moment, action_flag=CHANGE, object_repr=f"row {n}")
        for n in range(4)
    )
    chosen = Filter(operator=cast.dirk.pk)
    whole = entries(chosen, 1000)
    assert len(whole) >= 7
    assert whole == sorted(whole, key=lambda entry: entry.place, reverse=True)
    for size in (1, 2, 3):
        assert list(all_entries(chosen, size)) == whole
    assert Place.read(str(whole[3].place)) == whole[3].place
    for nonsense in ("", "x", "2026-01-01~1~1", "a~b~c", f"{moment.isoformat()}~1~-1"):
        assert Place.read(nonsense) is None


def test_the_csv_has_the_same_rows_and_no_formula(cast: Cast) -> None:
    dirk = busy_dirk(cast)
    path = f"/admin/accounts/office/{cast.janssens.pk}/state/"
    dirk.post(path, {"reason": "=1+1", "state": "active"})
    answer = dirk.get("/admin/backoffice/operator/events.csv", {"operator": cast.dirk.pk})
    assert answer["Content-Type"].startswith("text/csv")
    text = b"".join(answer) if answer.streaming else answer.content
    found = list(csv.reader(text.decode("utf-8-sig").splitlines(keepends=True)))
    assert found[0] == ["when", "operator", "kind", "about", "what"]
    assert len(found) - 1 == len(rows(dirk, operator=cast.dirk.pk))
    assert not [cell for row in found for cell in row if cell.startswith("=")]


def test_each_login_of_an_operator_is_a_row_that_nobody_changes(cast: Cast) -> None:
    logged_in(cast.anna)
    assert not OperatorLogin.objects.filter(operator=cast.anna).exists()
    eva = with_role("support", "Eva")
    Authenticator.objects.filter(user=eva).delete()
    browser = logged_in(eva)
    add_app(browser)
    browser.post("/accounts/logout/")
    log_in(browser, eva)
    row = OperatorLogin.objects.get(operator=eva)
    assert row.proofs == "password"
    assert [one for one in rows(proven(cast.dirk), operator=eva.pk) if one.startswith("login")]
    for change in (
        lambda: OperatorLogin.objects.update(address=""),
        lambda: OperatorLogin.objects.all().delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
