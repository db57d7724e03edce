"""The life of an operator's account: invited, another role, a lost factor, sessions, the end."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client as Browser

from accounts.models import User
from backoffice import operators
from backoffice.models import ApprovalKind, FourEyesApproval, NeedsSecondOperator
from backoffice.operator_emails import token_of
from tests import factories
from tests.accounts.people import add_app, log_in, logged_in
from tests.backoffice.test_four_eyes import confirmed
from tests.backoffice.test_operators import another_operator, proven
from tests.backoffice.test_roles import with_role
from tests.conftest import Cast
from tests.test_access_matrix import as_person

pytestmark = [pytest.mark.requirement(109), pytest.mark.usefixtures("quick_worker")]

LIST = "/admin/backoffice/operator/"
INVITE = f"{LIST}invite/"
EVA = {"email": "eva@portal.example", "name": "Eva Peeters", "role": "support"}


def page(person: User, act: str) -> str:
    return f"{LIST}{person.pk}/{act}/"


def link() -> str:
    """The path of the link in the newest e-mail."""
    found = re.search(r"https?://[^/\s]+(/operators/invitation/\S+)", str(mail.outbox[-1].body))
    assert found is not None
    return found[1]


def invited(cast: Cast) -> User:
    """Eva, whom two operators invited."""
    confirmed(INVITE, proven(cast.dirk), proven(another_operator(cast)), **EVA)
    return User.objects.get(email=EVA["email"])


def test_two_operators_invite_eva_who_sees_nothing_before_a_second_factor(
    cast: Cast, commits: None, eager: None
) -> None:
    dirk = proven(cast.dirk)
    assert dirk.post(INVITE, {**EVA, "reason": "New colleague"}).status_code == 302
    assert not User.objects.filter(email=EVA["email"]).exists()
    act = FourEyesApproval.objects.get()
    dirk.post(INVITE, {"confirm": act.pk})
    assert not User.objects.filter(email=EVA["email"]).exists(), "one operator is not enough"
    els = proven(another_operator(cast))
    assert "support eva@portal.example Eva Peeters" in els.get(INVITE).content.decode()
    els.post(INVITE, {"confirm": act.pk})
    eva = User.objects.get(email=EVA["email"])
    assert (eva.name, eva.is_staff, eva.is_superuser) == ("Eva Peeters", True, False)
    assert [group.name for group in eva.groups.all()] == ["support"]
    assert mail.outbox[-1].to == [eva.email]
    browser, path = Browser(), link()
    reset = browser.get(path)
    assert reset.status_code == 303
    form = browser.get(reset["Location"])
    chosen = {"password1": factories.PASSWORD, "password2": factories.PASSWORD}
    assert browser.post(form["Location"], chosen).status_code == 302
    assert Browser().get(path).status_code == 410, "the link works until there is a password"
    browser = Browser()
    eva.refresh_from_db()
    log_in(browser, eva)
    gate = browser.get("/admin/")
    assert gate.status_code == 302
    assert browser.get(gate["Location"])["Location"].startswith("/accounts/app/add/")
    add_app(browser)
    assert browser.get("/admin/").status_code == 200
    assert browser.get(LIST).status_code == 403, "support does not see operators"


def test_a_new_link_replaces_the_one_before(cast: Cast, commits: None, eager: None) -> None:
    eva = invited(cast)
    first = link()
    proven(cast.dirk).post(page(eva, "end"), {"link": "again"})
    assert link() != first
    assert Browser().get(first).status_code == 410
    assert Browser().get(link()).status_code == 303
    eva.refresh_from_db()
    operators.end_access(eva, cast.dirk)
    assert Browser().get(f"/operators/invitation/{token_of(eva)}").status_code == 410


def test_a_wrong_link_says_so(cast: Cast) -> None:
    for token in ("x", "1-a.b.c", f"{token_of(cast.dirk)}x", token_of(cast.dirk)):
        assert Browser().get(f"/operators/invitation/{token}").status_code == 410


def test_nobody_with_an_account_is_invited(cast: Cast) -> None:
    said = {**EVA, "email": cast.anna.email.upper(), "reason": "x"}
    answer = proven(cast.dirk).post(INVITE, said)
    assert "There is an account with this e-mail address already." in answer.content.decode()
    assert not FourEyesApproval.objects.exists()


def test_two_operators_give_eva_another_role_and_her_sessions_end(cast: Cast) -> None:
    eva = with_role("support", "Eva")
    browser = logged_in_with_app(eva)
    assert browser.get("/admin/").status_code == 200
    confirmed(
        page(eva, "role"), proven(cast.dirk), proven(another_operator(cast)), detail="auditor"
    )
    assert [group.name for group in eva.groups.all()] == ["auditor"]
    assert browser.get("/admin/").status_code == 302
    told = LogEntry.objects.filter(object_id=str(eva.pk)).order_by("-pk")[0]
    assert "role: support → auditor" in told.change_message


def logged_in_with_app(person: User) -> Browser:
    """A browser of an operator, by password and a code; the session is a row."""
    Authenticator.objects.filter(user=person).delete()
    browser = logged_in(person)
    add_app(browser)
    return browser


def test_nobody_gives_a_role_to_their_own_account(cast: Cast) -> None:
    gus = with_role("security", "Gus")
    browser = proven(gus)
    for act, said in {"role": {"detail": "publishing"}, "factor": {}, "end": {}}.items():
        answer = browser.post(page(gus, act), {"reason": "x", **said})
        shown = browser.get(page(gus, act)).content.decode()
        assert "Nobody does this to their own account." in shown, answer.status_code
    assert not FourEyesApproval.objects.exists()
    gus.refresh_from_db()
    assert [group.name for group in gus.groups.all()] == ["security"]
    assert gus.is_staff
    # The database wants it, too, and whom the role is for does not confirm it.
    wish: dict[str, Any] = {"kind": ApprovalKind.CHANGE_ROLE, "detail": "publishing", "reason": "x"}
    with pytest.raises(IntegrityError), transaction.atomic():
        FourEyesApproval.objects.create(person=gus, requested_by=gus, **wish)
    asked = FourEyesApproval.objects.create(person=gus, requested_by=cast.dirk, **wish)
    with pytest.raises(NeedsSecondOperator):
        operators.change_role(asked, gus)


def test_two_others_reset_the_factor_of_an_operator(cast: Cast, commits: None, eager: None) -> None:
    eva = with_role("support", "Eva")
    browser = logged_in_with_app(eva)
    dirk, els = proven(cast.dirk), proven(another_operator(cast))
    dirk.post(page(eva, "factor"), {"reason": "Lost her phone"})
    act = FourEyesApproval.objects.get()
    for one in (dirk, proven(eva)):
        one.post(page(eva, "factor"), {"confirm": act.pk})
        assert Authenticator.objects.filter(user=eva).exists()
    els.post(page(eva, "factor"), {"confirm": act.pk})
    assert not Authenticator.objects.filter(user=eva).exists()
    assert browser.get("/admin/").status_code == 302
    assert mail.outbox[-1].to == [eva.email]
    assert "Dirk & Eva" in str(mail.outbox[-1].body)
    again = Browser()
    log_in(again, eva)
    assert again.get("/admin/backoffice/").status_code == 302


def test_the_end_of_an_access_is_at_once_and_for_every_way_in(cast: Cast) -> None:
    eva = with_role("support", "Eva")
    browser = logged_in_with_app(eva)
    asks = proven(eva)
    asks.post(f"/admin/accounts/office/{cast.janssens.pk}/close/", {"reason": "Mine"})
    act = FourEyesApproval.objects.get()
    answer = proven(cast.dirk).post(page(eva, "end"), {"reason": "She left"}, follow=True)
    assert "The access of Eva has ended." in answer.content.decode()
    assert not UserSession.objects.filter(user=eva).exists()
    for one in (browser, asks):
        assert one.get("/admin/").status_code == 302
    eva.refresh_from_db()
    assert (eva.is_staff, eva.is_active, eva.has_usable_password()) == (False, False, False)
    assert not eva.groups.exists()
    act.refresh_from_db()
    assert act.lapsed_at is not None
    with pytest.raises(NeedsSecondOperator):
        act.confirm(cast.dirk)
    late = {"kind": ApprovalKind.CLOSE_OFFICE, "office": cast.peeters, "reason": "x"}
    assert FourEyesApproval.objects.none().request_once("", requested_by=eva, **late) is None
    shown = proven(cast.dirk).get(LIST).content.decode()
    assert eva.email in shown, "the list still names who left"
    assert "ended" in shown


def test_the_last_operator_of_security_keeps_role_and_access(cast: Cast) -> None:
    User.objects.filter(groups__name="security").update(is_active=False)
    gus = with_role("security", "Gus")
    dirk, els = proven(cast.dirk), proven(another_operator(cast))
    answer = dirk.post(page(gus, "end"), {"reason": "x"})
    assert "this is the last operator with the role security" in answer.content.decode()
    confirmed(page(gus, "role"), dirk, els, detail="support")
    gus.refresh_from_db()
    assert gus.is_active
    assert [group.name for group in gus.groups.all()] == ["security"]
    with_role("security", "Gie")
    dirk.post(page(gus, "end"), {"reason": "x"})
    gus.refresh_from_db()
    assert not gus.is_active


def test_gus_ends_one_session_and_then_all(cast: Cast) -> None:
    eva, gus = with_role("support", "Eva"), with_role("security", "Gus")
    browser_of_eva = logged_in_with_app(eva)
    assert browser_of_eva.get("/admin/").status_code == 200
    browser = proven(gus)
    one = UserSession.objects.filter(user=eva).latest("pk")
    other = UserSession.objects.create(
        user=cast.anna, session_key="x", ip="192.0.2.1", user_agent="x"
    )
    shown = browser.get(page(eva, "sessions")).content.decode()
    assert one.ip in shown
    for wanted in ("", "x", str(other.pk)):
        browser.post(page(eva, "sessions"), {"session": wanted})
        assert UserSession.objects.filter(pk__in=[one.pk, other.pk]).count() == 2
    browser.post(page(eva, "sessions"), {"session": str(one.pk)})
    assert browser_of_eva.get("/admin/").status_code == 302
    again = logged_in_with_app(eva)
    browser.post(page(eva, "sessions"), {"session": "all"})
    assert again.get("/admin/").status_code == 302
    auditor = proven(with_role("auditor", "Ada"))
    assert "End all" not in auditor.get(page(eva, "sessions")).content.decode()
    assert auditor.post(page(eva, "sessions"), {"session": "all"}).status_code == 403


def test_the_command_line_gives_a_role_instead_of_everything(
    cast: Cast, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("create_operator", "gus@portal.example", "Gus", role="security")
    gus = User.objects.get(email="gus@portal.example")
    assert (gus.is_staff, gus.is_superuser) == (True, False)
    assert gus.has_perm("backoffice.manage_operators")
    assert not gus.has_perm("consents.add_terms")
    with pytest.raises(CommandError, match=r"boss is no role. The roles are: auditor, onboarding"):
        call_command("create_operator", "eva@portal.example", "Eva", role="boss")


@pytest.mark.parametrize("act", ["secret", "webhook_secret", "state"])
def test_a_secret_and_a_state_ask_for_the_password_after_15_minutes(cast: Cast, act: str) -> None:
    path = f"/admin/partners/partner/{cast.tally.pk}/{act}/"
    old = as_person(cast.dirk)
    assert old.get(path).status_code == 200
    sent = {"token": "", "button": "create", "status": "suspended", "reason": "x"}
    answer = old.post(path, sent)
    assert answer.status_code == 302
    assert "/reauthenticate/" in answer["Location"] or "/again/" in answer["Location"]
    cast.tally.refresh_from_db()
    assert cast.tally.status == "active"
