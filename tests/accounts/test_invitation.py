"""Invitations: by mail, for 14 days, once; who holds the link and what she is told."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied
from django.core.mail.backends.locmem import EmailBackend
from django.db import IntegrityError, connection, transaction
from django.test import Client as Browser
from django.utils import timezone

from accounts.models import Invitation, Membership, User
from accounts.models.invitation import InvitationEnded, token_of
from mailer.models import OutgoingEmail
from tests import factories
from tests.accounts.people import logged_in, newest_link
from tests.conftest import Cast

pytestmark = pytest.mark.usefixtures("quick_worker")

NEW = "Nora.Nieuw@office.example"
JOIN = {"name": "Nora", "password": "a long enough sentence"}


@pytest.fixture
def anna(cast: Cast) -> Browser:
    return logged_in(cast.anna)


def invite(anna: Browser, cast: Cast, email: str = NEW, path: str = "", **fields: str) -> Any:
    data = {"email": email, "role": "user", "language": "nl", **fields}
    return anna.post(f"/offices/{cast.janssens.slug}/users/invite{path}", data)


def words(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def expire(invitation: Invitation) -> None:
    past = timezone.now() - timedelta(seconds=1)
    Invitation.objects.filter(pk=invitation.pk).update(expires_at=past)


def test_a_new_person_chooses_name_and_password_and_joins(anna: Browser, cast: Cast) -> None:
    assert invite(anna, cast).url == f"/offices/{cast.janssens.slug}/users"
    nora, link = Browser(), newest_link()
    page = nora.get(link)
    assert page.status_code == 200
    assert re.search(rf'value="{NEW}"[^>]*readonly', page.content.decode())
    done = nora.post(link, JOIN)
    assert (done.status_code, done["Location"]) == (303, f"/offices/{cast.janssens.slug}")
    assert nora.get(done["Location"]).status_code == 200
    person = User.objects.get(email__iexact=NEW)
    assert (person.name, person.check_password(JOIN["password"])) == ("Nora", True)
    assert Membership.objects.get(user=person).role == "user"


def test_the_address_is_the_invited_one_whatever_is_posted(anna: Browser, cast: Cast) -> None:
    invite(anna, cast)
    Browser().post(newest_link(), {**JOIN, "email": "other@office.example", "role": "admin"})
    assert Membership.objects.get(user__email__iexact=NEW).role == "user"
    assert not User.objects.filter(email="other@office.example").exists()


def test_a_weak_password_is_refused_and_nothing_was_used_up(anna: Browser, cast: Cast) -> None:
    invite(anna, cast)
    for weak in ("short", "elevenchars", "nora.nieuw@office", ""):
        answer = Browser().post(newest_link(), {"name": "Nora", "password": weak})
        assert answer.status_code == 200
    assert not User.objects.filter(email__iexact=NEW).exists()
    assert Browser().get(newest_link()).status_code == 200


def test_the_link_works_once(anna: Browser, cast: Cast) -> None:
    invite(anna, cast)
    link = newest_link()
    Browser().post(link, JOIN)
    again = Browser().get(link)
    assert again.status_code == 410
    assert "already been accepted" in words(again)


def test_chloe_has_an_account_and_only_accepts_after_login(anna: Browser, cast: Cast) -> None:
    invite(anna, cast, cast.chloe.email.upper(), role="admin")
    link, chloe = newest_link(), Browser()
    asked = chloe.get(link)
    assert asked.status_code == 303
    assert unquote(asked["Location"]).startswith("/accounts/login/?next=/invitation/")
    assert "You already have an account" in words(chloe.get(asked["Location"]))
    login = {"login": cast.chloe.email, "password": factories.PASSWORD, "next": link}
    assert chloe.post("/accounts/login/", login)["Location"] == link
    page = chloe.get(link)
    assert "password" not in page.content.decode()
    assert not Membership.objects.filter(user=cast.chloe, office=cast.janssens).exists()
    assert chloe.post(link)["Location"] == f"/offices/{cast.janssens.slug}"
    assert Membership.objects.get(user=cast.chloe, office=cast.janssens).is_admin
    assert chloe.get("/offices").status_code == 200


def test_bram_who_opens_the_invitation_of_chloe_is_told_so(anna: Browser, cast: Cast) -> None:
    invite(anna, cast, cast.chloe.email)
    bram, link = logged_in(cast.bram), newest_link()
    for answer in (bram.get(link), bram.post(link)):
        assert answer.status_code == 403
        assert f"you are logged in as {cast.bram.email}" in words(answer)
        assert "/accounts/logout/?next=/invitation/" in answer.content.decode().replace("%2F", "/")
    assert Invitation.objects.get().state == "invited"
    with pytest.raises(PermissionDenied):
        Invitation.objects.get().accept(cast.bram)


def test_an_old_link_says_that_it_expired(anna: Browser, cast: Cast) -> None:
    invite(anna, cast)
    invitation = Invitation.objects.get()
    lasts = invitation.expires_at - invitation.sent_at
    assert abs(lasts - timedelta(days=14)) < timedelta(hours=2)
    expire(invitation)
    answer = Browser().post(newest_link(), JOIN)
    assert answer.status_code == 410
    assert "has expired" in words(answer)
    assert "Invitation expired" in words(anna.get(f"/offices/{cast.janssens.slug}/users"))
    with pytest.raises(InvitationEnded):
        Invitation.objects.get().accept(factories.make_person("Nora", email=NEW))


def test_sent_again_the_old_link_dies_and_the_14_days_begin_again(
    anna: Browser, cast: Cast
) -> None:
    invite(anna, cast)
    first, invitation = newest_link(), Invitation.objects.get()
    expire(invitation)
    path = f"/offices/{cast.janssens.slug}/invitations/{invitation.uuid}/resend"
    assert anna.get(path).status_code == 405
    anna.post(path)
    assert newest_link() != first
    assert Browser().get(first).status_code == 404
    assert Browser().get(newest_link()).status_code == 200
    assert len(mail.outbox) == 2


def test_a_withdrawn_link_says_so(anna: Browser, cast: Cast) -> None:
    invite(anna, cast)
    path = f"/offices/{cast.janssens.slug}/invitations/{Invitation.objects.get().uuid}"
    assert anna.post(f"{path}/revoke").status_code == 303
    answer = Browser().get(newest_link())
    assert answer.status_code == 410
    assert "been withdrawn" in words(answer)
    for late in ("revoke", "resend"):
        told = words(anna.post(f"{path}/{late}", follow=True))
        assert "already been accepted or withdrawn" in told
    assert len(mail.outbox) == 1


def test_chloe_cannot_touch_an_invitation_of_janssens(anna: Browser, cast: Cast) -> None:
    invite(anna, cast)
    uuid, chloe = Invitation.objects.get().uuid, logged_in(cast.chloe)
    for slug in (cast.janssens.slug, cast.peeters.slug):
        for what in ("resend", "revoke"):
            assert chloe.post(f"/offices/{slug}/invitations/{uuid}/{what}").status_code == 404
    assert Invitation.objects.get().state == "invited"


@pytest.mark.parametrize("token", ["x", "a.b", "ö", "%00", token_of("unknown"), token_of("a")[:-1]])
def test_a_guess_is_told_nothing(cast: Cast, token: str) -> None:
    answer = Browser().get(f"/invitation/{token}")
    assert answer.status_code == 404
    assert "no longer valid" in words(answer)


@pytest.mark.requirement(44)
def test_only_a_digest_of_the_key_is_stored(anna: Browser, cast: Cast) -> None:
    invite(anna, cast)
    key = newest_link().split("/")[-1].split(".")[0]
    assert len(key) >= 43
    with connection.cursor() as cursor:
        cursor.execute("select row_to_json(i)::text from accounts_invitation i")
        assert key not in cursor.fetchone()[0]


def test_who_is_in_the_list_is_not_invited_twice(anna: Browser, cast: Cast) -> None:
    assert invite(anna, cast).status_code == 303
    for email in (NEW, NEW.upper(), cast.bram.email, cast.anna.email.upper()):
        assert "already has access" in words(invite(anna, cast, email))
    assert len(mail.outbox) == 1
    row = Invitation.objects.get()
    with pytest.raises(IntegrityError, match="one_open"), transaction.atomic():
        Invitation.objects.create(
            office=cast.janssens, email=NEW.lower(), role="user", language="nl",
            invited_by=cast.anna, key_digest="y", expires_at=row.expires_at,
        )  # fmt: skip


def test_an_account_elsewhere_is_not_given_away(anna: Browser, cast: Cast) -> None:
    known, unknown = invite(anna, cast, cast.chloe.email), invite(anna, cast)
    assert (known.status_code, known.url) == (unknown.status_code, unknown.url)


def test_a_removed_person_comes_back_with_the_new_role(anna: Browser, cast: Cast) -> None:
    member = Membership.objects.get(user=cast.bram)
    member.remove(cast.anna)
    invite(anna, cast, cast.bram.email, role="admin")
    bram = logged_in(cast.bram)
    bram.post(newest_link())
    member.refresh_from_db()
    assert (member.is_active, member.role) == (True, "admin")


def test_accepting_leads_to_where_the_person_was_going(anna: Browser, cast: Cast) -> None:
    target = f"/consent/{cast.consent.uuid}"
    invite(anna, cast, path=f"?next={target}")
    link, nora = newest_link(), Browser()
    assert unquote(link).endswith(f"?next={target}")
    page = nora.get(link)
    assert f'name="next" value="{target}"' in page.content.decode()
    done = nora.post(link, {**JOIN, "next": target})
    assert done["Location"] == target
    assert nora.get(target).status_code == 200


@pytest.mark.requirement(36)
@pytest.mark.parametrize(
    "target", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_accepting_never_leads_to_another_site(anna: Browser, cast: Cast, target: str) -> None:
    invite(anna, cast)
    done = Browser().post(newest_link(), {**JOIN, "next": target})
    assert done["Location"] == f"/offices/{cast.janssens.slug}"


@pytest.mark.parametrize(
    ("language", "subject"),
    [("en", "invites you to"), ("nl", "nodigt je uit"), ("fr", "vous invite"), ("de", "lädt Sie")],
)
def test_the_mail_speaks_the_chosen_language_in_text_and_html(
    anna: Browser, cast: Cast, language: str, subject: str
) -> None:
    invite(anna, cast, language=language)
    sent: Any = mail.outbox[-1]
    assert sent.to == [NEW]
    assert subject in sent.subject
    assert cast.janssens.name in sent.subject
    html, kind = sent.alternatives[0]
    assert kind == "text/html"
    assert f'<html lang="{language}">' in html
    assert newest_link() in html
    assert "<script" not in html


def test_the_choice_of_a_person_with_an_account_wins_over_the_form(
    anna: Browser, cast: Cast
) -> None:
    cast.chloe.language = "fr"
    cast.chloe.save()
    invite(anna, cast, cast.chloe.email, language="de")
    assert "vous invite" in mail.outbox[-1].subject


def test_a_mail_server_that_is_away_disturbs_nobody_and_the_mail_waits(
    anna: Browser, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> int:
        raise ConnectionRefusedError

    monkeypatch.setattr(EmailBackend, "send_messages", refuse)
    told = words(anna.get(invite(anna, cast).url))
    assert "We sent an invitation" in told
    assert OutgoingEmail.objects.get(message="invitation").attempts == 1
    assert Invitation.objects.get().state == "invited"


def test_the_name_of_an_office_cannot_put_lines_into_the_subject(anna: Browser, cast: Cast) -> None:
    cast.janssens.name = "Janssens & Zonen\nBcc: x@evil.example"
    cast.janssens.save()
    invite(anna, cast)
    assert "\n" not in mail.outbox[-1].subject
    assert "Janssens & Zonen Bcc" in mail.outbox[-1].subject
