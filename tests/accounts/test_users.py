"""Administration > Manage users: the list, roles, removal, and the last Admin."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client as Browser
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Invitation, LastAdmin, Membership, OfficeEvent, Role, User
from accounts.models.invitation import AlreadyInvited, InvitationEnded
from tests import factories
from tests.accounts.people import logged_in
from tests.conftest import Cast, make_cast
from tests.owner import refused_to_owner


def membership_of(person: User, **more: Any) -> Membership:
    return Membership.objects.select_related("user", "office").get(user=person, **more)


def users_of(cast: Cast) -> str:
    return f"/offices/{cast.janssens.slug}/users"


def page_of(browser: Browser, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200, answer
    return " ".join(answer.content.decode().split())


def test_anna_sees_everybody_with_role_status_and_second_factor(cast: Cast) -> None:
    Authenticator.objects.create(user=cast.bram, type="totp", data={"secret": "x"})
    Authenticator.objects.create(user=cast.anna, type="recovery_codes", data={})
    anna = logged_in(cast.anna)
    anna.post(
        f"{users_of(cast)}/invite",
        {"email": "new@office.example", "role": "user", "language": "nl"},
    )
    members = {m.user.name: m for m in anna.get(users_of(cast)).context["members"]}
    assert members["Bram"].has_second_factor
    assert not members["Anna"].has_second_factor
    assert members["Anna"].last_seen_at is not None
    assert members["Bram"].last_seen_at is None
    page = page_of(anna, users_of(cast))
    for words in ("Active", "Invited", "new@office.example", cast.bram.email, "(you)", "Never"):
        assert words in page, words
    assert cast.chloe.email not in page


def test_the_list_needs_no_more_queries_for_more_people(
    cast: Cast, django_assert_num_queries: Any
) -> None:
    anna = logged_in(cast.anna)
    anna.get(users_of(cast))
    counted: list[int] = []

    def count(run: Any, *more: Any) -> Any:
        counted.append(1)
        return run(*more)

    with connection.execute_wrapper(count):
        anna.get(users_of(cast))
        few = len(counted)
    for n in range(10):
        factories.make_person(f"P{n}", cast.janssens)
        Invitation.objects.invite(
            cast.janssens, cast.anna, email=f"i{n}@office.example", role="user", language="nl"
        )
    with django_assert_num_queries(few):
        anna.get(users_of(cast))


def test_bram_has_no_such_menu_and_chloe_finds_nothing(cast: Cast) -> None:
    assert "Manage users" not in page_of(logged_in(cast.bram), f"/offices/{cast.janssens.slug}")
    assert logged_in(cast.bram).get(users_of(cast)).status_code == 403
    assert logged_in(cast.chloe).get(users_of(cast)).status_code == 404


def test_anna_makes_bram_admin_and_it_holds_at_once(cast: Cast) -> None:
    bram = logged_in(cast.bram)
    assert bram.get(users_of(cast)).status_code == 403
    path = f"{users_of(cast)}/{membership_of(cast.bram).uuid}/role"
    anna = logged_in(cast.anna)
    assert anna.post(path, {"role": "admin"})["Location"] == users_of(cast)
    assert "Bram is now an Admin." in anna.get(users_of(cast)).content.decode()
    assert bram.get(users_of(cast)).status_code == 200
    event = OfficeEvent.objects.get(office=cast.janssens)
    assert (event.kind, event.by_name, event.person, event.role) == (
        "role_changed",
        "Anna",
        cast.bram,
        "admin",
    )


def test_anna_removes_bram_who_is_out_at_the_next_click(cast: Cast) -> None:
    bram = logged_in(cast.bram)
    assert bram.get(f"/offices/{cast.janssens.slug}").status_code == 200
    path = f"{users_of(cast)}/{membership_of(cast.bram).uuid}/remove"
    anna = logged_in(cast.anna)
    assert anna.get(path).status_code == 200
    assert bram.get(f"/offices/{cast.janssens.slug}").status_code == 200, "GET changes nothing"
    assert anna.post(path).status_code == 303
    assert bram.get(f"/offices/{cast.janssens.slug}").status_code == 404
    assert cast.bram.name not in {m.user.name for m in anna.get(users_of(cast)).context["members"]}
    assert OfficeEvent.objects.get(kind="removed").person == cast.bram


def test_chloe_can_change_nobody_of_janssens(cast: Cast) -> None:
    chloe = logged_in(cast.chloe)
    uuid = membership_of(cast.bram).uuid
    for path in (users_of(cast), f"/offices/{cast.peeters.slug}/users"):
        assert chloe.post(f"{path}/{uuid}/role", {"role": "admin"}).status_code == 404
        assert chloe.post(f"{path}/{uuid}/remove").status_code == 404
    assert membership_of(cast.bram).role == Role.USER
    with pytest.raises(PermissionDenied):
        membership_of(cast.bram).remove(cast.chloe)
    with pytest.raises(PermissionDenied):
        membership_of(cast.bram).change_role("admin", cast.bram)


@pytest.mark.parametrize("what", ["role", "remove"])
def test_the_last_admin_cannot_be_demoted_or_removed(cast: Cast, what: str) -> None:
    anna = logged_in(cast.anna)
    path = f"{users_of(cast)}/{membership_of(cast.anna).uuid}/{what}"
    answer = anna.post(path, {"role": "user"}, follow=True)
    assert "needs at least one Admin" in answer.content.decode()
    assert membership_of(cast.anna).is_admin
    assert membership_of(cast.anna).is_active
    assert not OfficeEvent.objects.exists()


def test_the_last_admin_cannot_leave_and_bram_can(cast: Cast) -> None:
    path = f"/offices/{cast.janssens.slug}/leave"
    told = logged_in(cast.anna).post(path, follow=True).content.decode()
    assert "needs at least one Admin" in told
    assert membership_of(cast.anna).is_active
    bram = logged_in(cast.bram)
    assert bram.get(path).status_code == 200
    assert bram.post(path)["Location"] == "/offices"
    assert bram.get(f"/offices/{cast.janssens.slug}").status_code == 404
    assert OfficeEvent.objects.get().kind == "left"


@pytest.mark.parametrize("change", [{"role": "user"}, {"is_active": False}])
def test_the_database_keeps_the_last_admin_also_from_raw_sql(
    cast: Cast, change: dict[str, Any]
) -> None:
    with pytest.raises(IntegrityError, match="left without an Admin"), transaction.atomic():
        Membership.objects.filter(user=cast.anna).update(**change)
    with pytest.raises(LastAdmin):
        membership_of(cast.anna).leave()


def test_an_admin_whose_account_is_switched_off_does_not_count(cast: Cast) -> None:
    second = factories.make_person("Bea", cast.janssens)
    User.objects.filter(pk=second.pk).update(is_active=False)
    with pytest.raises(LastAdmin):
        membership_of(cast.anna).change_role("user", cast.anna)


def test_memberships_and_their_events_are_not_deleted(cast: Cast) -> None:
    membership_of(cast.bram).change_role("admin", cast.anna)
    for rows in (Membership.objects.filter(user=cast.bram), OfficeEvent.objects.all()):
        with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
            rows._raw_delete(rows.db)
        assert "Cannot delete" in refused_to_owner(f"delete from {rows.model._meta.db_table}")


def test_role_changes_ask_for_the_password_when_the_login_is_old(cast: Cast) -> None:
    anna = logged_in(cast.anna)
    session = anna.session
    key = "account_authentication_methods"
    session[key] = [{**record, "at": record["at"] - 901} for record in session[key]]
    session.save()
    uuid = membership_of(cast.bram).uuid
    for path in (f"{uuid}/role", f"{uuid}/remove", "invite"):
        # Opening a page never asks for the password; acting does.
        assert anna.get(f"{users_of(cast)}/{path}").status_code == 200
    asked = anna.post(f"{users_of(cast)}/{uuid}/role", {"role": "admin"})
    assert asked["Location"].startswith("/accounts/reauthenticate/")
    assert membership_of(cast.bram).role == Role.USER
    anna.post(asked["Location"], {"password": factories.PASSWORD})
    assert membership_of(cast.bram).role == Role.ADMIN


def at_once(jobs: list[Any]) -> list[Any]:
    """Run jobs in threads that begin together; give their answers or errors."""
    barrier, answers = threading.Barrier(len(jobs)), [None] * len(jobs)

    def run(place: int) -> None:
        barrier.wait()
        try:
            answers[place] = jobs[place]()
        except Exception as error:
            answers[place] = error  # type: ignore[call-overload]
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[n]) for n in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.parametrize("how", ["each other", "both leave", "raw"])
def test_two_admins_at_once_never_leave_the_office_without_one(
    committed: None, rounds: float, how: str
) -> None:
    for _ in range(int(8 * rounds)):
        cast = make_cast()
        bea = factories.make_person("Bea", cast.janssens)
        one, two = membership_of(cast.anna), membership_of(bea)
        jobs: dict[str, list[Any]] = {
            "each other": [lambda a=two, b=cast.anna: a.change_role("user", b), lambda a=one, b=bea: a.remove(b)],
            "both leave": [one.leave, two.leave],
            "raw": [lambda m=m: Membership.objects.filter(pk=m.pk).update(role="user") for m in (one, two)],
        }  # fmt: skip
        answers = at_once(jobs[how])
        assert cast.janssens.memberships.admins().count() == 1
        assert sum(isinstance(answer, Exception) for answer in answers) == 1, answers


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(st.sampled_from(["invite", "accept", "role", "remove", "leave"]), st.integers(0, 3), st.integers(0, 3), st.sampled_from(["admin", "user"])), max_size=12))  # fmt: skip
def test_whatever_people_do_the_office_keeps_an_admin_and_nobody_gets_more_than_a_role_gives(
    django_db_setup: None, django_db_blocker: Any, steps: list[tuple[str, int, int, str]]
) -> None:
    with django_db_blocker.unblock(), transaction.atomic():
        office = factories.make_office("Random")
        people = [factories.make_person("P0", office)] + [
            factories.make_person(f"P{n}") for n in (1, 2, 3)
        ]
        for step, who, whom, new_role in steps:
            actor, target = people[who], people[whom]
            was_admin = office.memberships.admins().filter(user=actor).exists()
            before = list(
                office.memberships.order_by("pk").values_list("user", "role", "is_active")
            )
            offered = _offers(office)
            try:
                with transaction.atomic():
                    _walk(step, office, actor, target, new_role)
            except (
                PermissionDenied,
                LastAdmin,
                AlreadyInvited,
                InvitationEnded,
                ObjectDoesNotExist,
            ):
                pass
            after = list(office.memberships.order_by("pk").values_list("user", "role", "is_active"))
            assert office.memberships.admins().exists()
            if not was_admin and step in ("role", "remove", "invite"):
                assert before == after
                assert _offers(office) == offered
            if step == "accept" and before != after:
                # Exactly the role that an Admin offered, and nobody else is touched.
                assert set(after) - set(before) == {(actor.pk, offered[actor.email], True)}
        transaction.set_rollback(True)


def _offers(office: Any) -> dict[str, str]:
    """The roles that are offered by open invitations."""
    return dict(Invitation.objects.open().filter(office=office).values_list("email", "role"))


def _walk(step: str, office: Any, actor: User, target: User, new_role: str) -> None:
    if step == "invite":
        Invitation.objects.invite(office, actor, email=target.email, role=new_role, language="en")
    elif step == "accept":
        Invitation.objects.open().get(office=office, email=actor.email).accept(actor)
    elif step == "role":
        membership_of(target, office=office).change_role(new_role, actor)
    elif step == "remove":
        membership_of(target, office=office).remove(actor)
    elif step == "leave":
        membership_of(actor, office=office).leave()
