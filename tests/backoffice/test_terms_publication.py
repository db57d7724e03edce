"""New terms: one operator compares and asks, a second one sees the same and publishes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core import mail
from django.db import DatabaseError, IntegrityError, ProgrammingError, transaction
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Role, User
from backoffice.event_log import Filter, entries
from backoffice.models import ApprovalKind, FourEyesApproval, TermsProposal
from backoffice.models.terms_proposal import CHANGED, TOO_LATE
from backoffice.roles import OperatorRole
from consents.models import Terms
from consents.scheduled_events import write_due_events
from consents.terms_acceptance import drafts, whom_a_change_reaches
from notifications.emails import readers
from tests import factories
from tests.accounts.people import logged_in
from tests.backoffice.test_operators import proven
from tests.backoffice.test_roles import with_role
from tests.conftest import Cast
from tests.factories import allow
from tests.test_access_matrix import as_person

pytestmark = [pytest.mark.requirement(83), pytest.mark.usefixtures("quick_worker")]

COMPARE, CONFIRM = "/admin/consents/terms/add/", "/admin/consents/terms/publication/"
LANGUAGES = ("en", "nl", "fr", "de")
WORDS = {f"body_{language}": f"New words in {language}." for language in LANGUAGES}


def shown_digest(page: Any) -> str:
    """What the page with the difference sends back when its operator asks to publish."""
    return str(page.content.decode().split('name="shown" value="')[1].split('"')[0])


def form_to_ask(browser: Any, reason: str = "Plainer words", **fields: Any) -> dict[str, Any]:
    """Compare, and return the form as the page with the difference sends it."""
    sent = {**WORDS, **fields}
    look = browser.post(COMPARE, {**sent, "preview": "1"})
    assert "<ins>" in look.content.decode()
    waiting = look.context["approval"]
    replaces = str(waiting.pk) if waiting else ""
    shown = {"shown": shown_digest(look), "replaces": replaces}
    return {**sent, **shown, "reason": reason, "publish": "1"}


def asked(browser: Any, **fields: Any) -> Any:
    """Compare, and ask to publish."""
    assert browser.post(COMPARE, form_to_ask(browser, **fields))["Location"] == CONFIRM
    return FourEyesApproval.objects.select_related("terms").latest("pk")


def answer(browser: Any, act: Any) -> str:
    """Confirm, and return what the next page says."""
    page = browser.post(CONFIRM, {"confirm": act.pk}, follow=True)
    return str(page.content.decode())


@pytest.fixture
def publishers(cast: Cast) -> tuple[Any, Any]:
    """Two operators with the role publishing, in their browsers."""
    return proven(with_role("publishing", "Piet")), proven(with_role("publishing", "Rosa"))


def test_one_operator_asks_and_a_second_one_publishes_exactly_that(
    cast: Cast, publishers: tuple[Any, Any]
) -> None:
    piet, rosa = publishers
    before = factories.terms_in_force()
    proposed = piet.get(COMPARE).context["form"].initial
    assert proposed["body_en"] == drafts(before.version + 1)["en"], "the release proposes a text"
    fields = {key: f"{body}\r\n\r\nMore." for key, body in proposed.items()}
    assert piet.post(COMPARE, {**fields, "body_fr": " ", "publish": "1"}).status_code == 200
    act = asked(piet, **fields, material="on")
    assert factories.terms_in_force() == before, "nothing is published by one operator"
    mine = piet.get(CONFIRM).content.decode()
    assert "Another operator must confirm within 24 hours" in mine
    assert 'name="confirm"' not in mine
    seen = rosa.get(CONFIRM)
    page = seen.content.decode()
    assert "Plainer words" in page
    assert [language for language, _passages in seen.context["changes"]] == list(LANGUAGES)
    for language, passages in seen.context["changes"]:
        new = "".join(one.words for one in passages if one.change != "gone")
        assert new == act.terms.bodies[language]
    assert "Done. The terms are published." in answer(rosa, act)
    for language in LANGUAGES:
        text = factories.terms_in_force(language)
        assert (text.version, text.language, text.material) == (before.version + 1, language, True)
        assert text.body == act.terms.bodies[language]
        assert text.body.endswith("\n\nMore.")
        assert "\r" not in text.body
        entry = LogEntry.objects.get(object_id=str(text.pk))
        assert "Published by Piet & Rosa: Plainer words" in entry.change_message
        assert entry.user.name == "Rosa"
    # Once: there is nothing left to confirm.
    assert "No terms wait for a second operator." in answer(rosa, act)
    assert Terms.objects.filter(version=before.version + 1).count() == 4
    log = "\n".join(entry.what for entry in entries(Filter(), 20))
    assert "Asked for: Publication of terms: Plainer words" in log
    assert f"version: {before.version} → {before.version + 1}" in log


def test_nobody_asks_for_another_text_than_the_one_they_compared(
    cast: Cast, publishers: tuple[Any, Any]
) -> None:
    piet, _rosa = publishers
    form = form_to_ask(piet)
    for changed in ({"body_de": "Something else."}, {"material": "on"}, {"shown": ""}):
        again = piet.post(COMPARE, {**form, **changed}).content.decode()
        assert "the text changed after you compared it" in again
        assert "<ins>" in again
    assert "Enter the reason." in piet.post(COMPARE, {**form, "reason": " "}).content.decode()
    assert not FourEyesApproval.objects.exists()
    assert not TermsProposal.objects.exists()


def test_who_asked_does_not_confirm_and_neither_does_another_role(
    cast: Cast, publishers: tuple[Any, Any]
) -> None:
    piet, _rosa = publishers
    before, act = factories.terms_in_force(), asked(publishers[0])
    assert "a different operator must confirm once" in answer(piet, act)
    for role in set(OperatorRole) - {OperatorRole.PUBLISHING}:
        browser = proven(with_role(role))
        assert browser.get(CONFIRM).status_code == 403
        assert browser.post(CONFIRM, {"confirm": act.pk}).status_code == 403
    assert logged_in(cast.anna).post(CONFIRM, {"confirm": act.pk}).status_code in (302, 404)
    assert factories.terms_in_force() == before
    assert FourEyesApproval.objects.get().confirmed_by is None


@pytest.mark.requirement(109)
def test_an_old_login_is_asked_again_before_terms_are_published(
    cast: Cast, publishers: tuple[Any, Any]
) -> None:
    act = asked(publishers[0])
    second = as_person(with_role("publishing", "Sam")).post(CONFIRM, {"confirm": act.pk})
    assert second["Location"].startswith("/accounts/reauthenticate/")
    assert factories.terms_in_force().version == act.terms.compared_with


@pytest.mark.requirement(105)
def test_a_form_that_is_sent_twice_is_one_request_and_a_new_one_replaces_it(
    cast: Cast, publishers: tuple[Any, Any]
) -> None:
    piet, rosa = publishers
    form = form_to_ask(piet)
    for _twice in range(2):
        assert piet.post(COMPARE, form)["Location"] == CONFIRM
    first = FourEyesApproval.objects.get()
    assert LogEntry.objects.filter(change_message__startswith="Asked for").count() == 1
    assert TermsProposal.objects.count() == 1
    assert f'name="replaces" value="{first.pk}"' in piet.get(COMPARE).content.decode()
    second = asked(piet, body_en="Better words.")
    first.refresh_from_db()
    assert first.lapsed_at is not None
    assert "another request replaced it" in answer(rosa, first)
    assert factories.terms_in_force().version == second.terms.compared_with
    answer(rosa, second)
    assert factories.terms_in_force().body == "Better words."


def test_terms_that_came_in_between_or_a_moment_that_passed_publish_nothing(
    cast: Cast, publishers: tuple[Any, Any]
) -> None:
    piet, rosa = publishers
    soon = timezone.localtime() + timedelta(hours=2)
    act = asked(piet, effective_at=soon.strftime("%d/%m/%Y %H:%M"))
    assert not TermsProposal.objects.get().why_outdated()
    late = TermsProposal.objects.create(
        version=act.terms.version,
        compared_with=act.terms.compared_with,
        bodies=act.terms.bodies,
        material=False,
        effective_at=Now() - timedelta(seconds=1),
    )
    too_late = FourEyesApproval.objects.create(
        kind=ApprovalKind.PUBLISH_TERMS,
        terms=late,
        detail="late",
        reason="Late",
        requested_by=act.requested_by,
    )
    count = Terms.objects.count()
    assert TOO_LATE in rosa.get(CONFIRM).content.decode()
    assert f"Nothing was done because {TOO_LATE}." in answer(rosa, too_late)
    factories.make_terms(act.terms.version)
    assert f"Nothing was done because {CHANGED}." in answer(rosa, act)
    assert Terms.objects.count() == count + 4, "only what came in between"
    assert not FourEyesApproval.objects.exclude(confirmed_by=None).exists()


def test_an_announced_version_that_came_into_force_meanwhile_ends_the_request(cast: Cast) -> None:
    """Its number was known when the texts were compared, but it was not what they replaced."""
    before = factories.terms_in_force()
    factories.make_terms(before.version + 1)
    asked_for = TermsProposal(version=before.version + 2, compared_with=before.version)
    assert asked_for.why_outdated() == CHANGED
    asked_for.compared_with = before.version + 1
    assert not asked_for.why_outdated()


def test_after_24_hours_nobody_publishes(cast: Cast, publishers: tuple[Any, Any]) -> None:
    piet, rosa = publishers
    act = asked(piet)
    FourEyesApproval.objects.update(requested_at=Now() - timedelta(hours=24, seconds=1))
    assert "No terms wait" in rosa.get(CONFIRM).content.decode()
    assert "within 24 hours" in answer(rosa, act)
    assert factories.terms_in_force().version == act.terms.compared_with
    # Nothing is in the way of asking again.
    answer(rosa, asked(piet))
    assert factories.terms_in_force().version == act.terms.version


def test_terms_for_later_are_announced_and_those_for_the_past_refused(
    cast: Cast, publishers: tuple[Any, Any]
) -> None:
    piet, rosa = publishers
    before = factories.terms_in_force()
    past = piet.post(COMPARE, {**WORDS, "effective_at": "01/01/2020 08:00", "preview": "1"})
    assert "This time is in the past" in past.content.decode()
    act = asked(piet, effective_at="01/01/2099 08:00")
    assert "1 January 2099" in rosa.get(CONFIRM).content.decode()
    answer(rosa, act)
    assert factories.terms_in_force() == before
    later = Terms.objects.get(version=before.version + 1, language="en")
    assert later.effective_at == act.terms.effective_at


def test_both_operators_read_how_many_offices_and_e_mails_a_material_change_means(
    cast: Cast, publishers: tuple[Any, Any]
) -> None:
    """The numbers are those that the portal then really tells, in words on both pages."""
    piet, rosa = publishers
    allow(cast.consent, cast.anna)
    factories.make_person("Ann", cast.janssens)
    factories.make_person("Ben", cast.janssens, Role.USER)
    other = factories.make_allowed(cast.peeters, cast.ledgerly, cast.chloe)
    factories.make_allowed(cast.peeters, cast.tally, cast.chloe)
    other.cancel(factories.acting(cast.chloe))
    reach = whom_a_change_reaches()
    assert (reach.consents, reach.offices, reach.emails) == (2, 2, 3)
    quiet = piet.post(COMPARE, {**WORDS, "preview": "1"}).content.decode()
    assert "no email is sent" in quiet
    look = piet.post(COMPARE, {**WORDS, "material": "on", "preview": "1"}).content.decode()
    act = asked(piet, material="on")
    for page in (look, rosa.get(CONFIRM).content.decode()):
        assert "2 offices with 2 allowed consents must accept it within 60 days" in page
        assert "3 emails will be sent to their Admins" in page
        assert "as soon as it is confirmed" in page
    answer(rosa, act)
    write_due_events()
    told = [
        event
        for consent in (cast.consent, *cast.peeters.consents.all())
        for event in consent.events.filter(kind="terms_changed").select_related("office")
    ]
    assert sum(len(readers(event)) for event in told) == reach.emails
    assert whom_a_change_reaches().emails == 0, "nobody is told twice"


def test_the_others_who_may_publish_get_an_e_mail_and_a_line_on_their_home(
    cast: Cast, publishers: tuple[Any, Any]
) -> None:
    piet, rosa = publishers
    support = with_role("support", "Sam")
    act = asked(piet)
    (task,) = [one for one in rosa.get("/admin/").context["tasks"] if "terms" in one.what]
    assert task.what == f"Publication of terms: version {act.terms.version}"
    assert task.url == CONFIRM
    assert "It needs your confirmation." in task.note
    (mine,) = [one for one in piet.get("/admin/").context["tasks"] if "terms" in one.what]
    assert "Another operator must confirm it." in mine.note
    readers_of = {message.to[0] for message in mail.outbox}
    assert cast.dirk.email in readers_of
    assert support.email not in readers_of
    assert act.requested_by.email not in readers_of
    assert all(CONFIRM in str(message.body) for message in mail.outbox)
    answer(rosa, act)
    assert "terms" not in " ".join(one.what for one in rosa.get("/admin/").context["tasks"])


def test_who_asks_alone_reads_that_nobody_may_confirm(cast: Cast) -> None:
    User.objects.filter(is_superuser=True).update(is_active=False)
    piet = proven(with_role("publishing", "Piet"))
    said = piet.post(COMPARE, form_to_ask(piet), follow=True).content.decode()
    assert "No other operator may confirm this." in said
    assert "They got an email" not in said
    with_role("publishing", "Rosa")
    said = piet.post(COMPARE, form_to_ask(piet), follow=True).content.decode()
    assert "They got an email" in said


WRONG: dict[str, Callable[[Any, Any], Any]] = {
    "another text": lambda act, by: TermsProposal.objects.update(bodies={"en": "Evil."}),
    "a text that is gone": lambda act, by: act.terms.delete(),
    "confirmed by who asked": lambda act, by: FourEyesApproval.objects.update(
        confirmed_by=act.requested_by, confirmed_at=Now()
    ),
    "other terms": lambda act, by: FourEyesApproval.objects.update(
        terms=TermsProposal.objects.create(version=9, compared_with=8, bodies={}, material=False)
    ),
    "no terms": lambda act, by: FourEyesApproval.objects.create(
        kind=ApprovalKind.PUBLISH_TERMS, detail="x", reason="x", requested_by=by
    ),
    "terms of another act": lambda act, by: FourEyesApproval.objects.create(
        kind=ApprovalKind.NEW_OPERATOR, terms=act.terms, detail="x", reason="x", requested_by=by
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_the_database_itself_keeps_what_was_asked(
    cast: Cast, publishers: tuple[Any, Any], wrong: str
) -> None:
    act = asked(publishers[0])
    with (
        pytest.raises((IntegrityError, ProgrammingError, DatabaseError)),
        transaction.atomic(),
    ):
        WRONG[wrong](act, cast.dirk)
