"""Roles: what each may open and do, at every URL of the admin, by GET and by POST."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group

from accounts.models import User
from backoffice.roles import ACTS, ROLES, OperatorRole, make_roles
from tests import factories
from tests.backoffice.test_operators import proven
from tests.backoffice.test_permissions import OPEN, OWN_PAGES
from tests.backoffice.test_writes import admin_urls, everything
from tests.conftest import Cast

pytestmark = pytest.mark.requirement(109, 113)

DOCS = Path(__file__).resolve().parents[2] / "docs/operations/operators.md"
# What an own page asks of a POST, where that is more than of a GET.
TO_POST = {
    "admin:operator_sessions": "backoffice.manage_operators",
    "admin:partner_guide": "backoffice.test_webhook",
}
# An empty POST works here without a word: the tests of this page say what it does.
AT_ONCE = {"admin:partner_secret", "admin:partner_guide"}
# The pages of Django's own that are closed to everybody, but for those where rows are edited.
CLOSED = {"get": ("_add", "_delete"), "post": ("_add", "_delete", "_change")}
EDITED = {"admin:partners_partner_add", "admin:partners_partner_change"}
SENT = {"reason": "x", "state": "suspended", "detail": "0403170701", "first_admin": "a@b.be"}


def with_role(role: str, name: str = "Finn") -> User:
    """An operator with this role and a second factor."""
    person = factories.make_person(name, is_staff=True)
    Authenticator.objects.create(user=person, type=Authenticator.Type.TOTP, data={})
    person.groups.add(Group.objects.get(name=role))
    return person


def rights_for(name: str, method: str) -> set[str]:
    """The permissions of which a page asks for one, by the name of its URL."""
    if method == "post" and name in TO_POST:
        return {TO_POST[name]}
    if name in OWN_PAGES:
        found = OWN_PAGES[name]
        return {found} if isinstance(found, str) else set(found)
    app, model, page = name.removeprefix("admin:").split("_")
    verbs = {
        "changelist": ["view", "change"],
        "csv": ["view", "change"],
        "history": ["view", "change"],
        "change": ["view", "change"],
    }
    if method == "post" and page == "change":
        verbs["change"] = ["change"]
    return {f"{app}.{verb}_{model}" for verb in verbs.get(page, [page])}


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("role", OperatorRole.values)
def test_each_role_opens_what_its_rights_say_and_nothing_else(
    cast: Cast, role: str, method: str, request: Any, record_property: Any
) -> None:
    """Every day the pages that the role may not open; by `--rounds 2` those that it may, too."""
    whole = request.config.getoption("--rounds") >= 2
    browser, rights = proven(with_role(role)), set(ROLES[OperatorRole(role)])
    paths, wrong, refused, tried = admin_urls(cast), {}, 0, 0
    before = everything()
    for name, path in paths.items():
        # Nobody has a form with the page `autocomplete`: it answers 403 or 405 to everybody.
        if name in OPEN or name.endswith("_redirect") or name == "admin:autocomplete":
            continue
        # Nobody adds or deletes rows of these models, nor saves a page that only shows one.
        closed = name not in OWN_PAGES and name not in EDITED and name.endswith(CLOSED[method])
        may = bool(rights & rights_for(name, method)) and not closed
        if may and (not whole or (method == "post" and name in AT_ONCE)):
            continue
        answer = getattr(browser, method)(path, None if may else SENT)
        tried += 1
        refused += answer.status_code == 403
        if (answer.status_code == 403) == may:
            wrong[name] = answer.status_code
    assert wrong == {}
    assert refused > 10
    assert everything() == before
    record_property("measured", f"{role} {method}: {refused} of {tried} pages refused")


def test_support_neither_publishes_nor_rotates_and_the_auditor_has_no_act() -> None:
    support, auditor = ROLES[OperatorRole.SUPPORT], ROLES[OperatorRole.AUDITOR]
    assert not {"consents.add_terms", "backoffice.rotate_secret"} & set(support)
    reads = {"backoffice.read_event_log"}
    assert [right for right in auditor if ".view_" not in right and right not in reads] == []
    managers = [role for role, rights in ROLES.items() if "backoffice.manage_operators" in rights]
    assert managers == [OperatorRole.SECURITY]


def test_a_page_of_two_acts_asks_for_the_right_of_each(cast: Cast) -> None:
    """Onboarding invites the first Admin of an office and does not suspend it."""
    office = factories.make_office("Empty")
    path = f"/admin/accounts/office/{office.pk}/state/"
    finn = proven(with_role(OperatorRole.ONBOARDING))
    page = finn.get(path).content.decode()
    assert "Invite as Admin" in page
    assert "Suspend office" not in page
    assert finn.post(path, {"reason": "x", "state": "suspended"}).status_code == 403
    assert finn.post(path, {"first_admin": "eva@office.example"}).status_code == 302
    guard = proven(with_role(OperatorRole.SECURITY, "Gus"))
    assert guard.post(path, {"first_admin": "spy@office.example"}).status_code == 403
    assert guard.post(path, {"reason": "x", "state": "suspended"}).status_code == 302
    office.refresh_from_db()
    assert not office.is_active
    assert [one.email for one in office.invitations.all()] == ["eva@office.example"]


def test_a_role_that_somebody_widened_is_made_again(cast: Cast) -> None:
    group = Group.objects.get(name=OperatorRole.AUDITOR)
    more = Group.objects.get(name=OperatorRole.PUBLISHING).permissions.all()
    group.permissions.add(*more)
    make_roles()
    found = {f"{one.content_type.app_label}.{one.codename}" for one in group.permissions.all()}
    assert found == set(ROLES[OperatorRole.AUDITOR])


def test_the_table_of_the_docs_says_what_the_roles_may() -> None:
    rows = [line.split("|")[1:-1] for line in DOCS.read_text().splitlines() if "| `" in line]
    told = {
        cells[0].strip().strip("`"): [cell.strip() == "yes" for cell in cells[2:]] for cells in rows
    }
    rights = sorted({right for rights in ROLES.values() for right in rights})
    assert told == {right: [right in ROLES[role] for role in OperatorRole] for right in rights}
    words = {cells[0].strip().strip("`"): cells[1].strip() for cells in rows}
    for codename, meaning in ACTS:
        assert words[f"backoffice.{codename}"] == meaning
