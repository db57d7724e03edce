"""Terms change in a material way: the office reads the difference and accepts anew, or access stops."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db.models.functions import Now
from django.test import Client as Browser
from hypothesis import given
from hypothesis import strategies as st

from consents import scheduled_events
from consents.models import Consent, DecisionConflict, Evidence, NotAnAdmin, Terms
from consents.terms_acceptance import accept_terms, beside_changes, differences, drafts
from core.clock import database_time
from mailer.tasks import send
from notifications.fan_out import fan_out
from tests import factories
from tests.conftest import Cast
from tests.factories import PASSWORD, acting, allow
from tests.outbox import emails_about

LANGUAGES = ("en", "nl", "fr", "de")


@pytest.fixture
def anna(cast: Cast) -> Browser:
    """Anna, logged in a moment ago with her password."""
    browser = Browser()
    browser.post("/accounts/login/", {"login": cast.anna.email, "password": PASSWORD})
    return browser


def publish(**fields: Any) -> dict[str, Terms]:
    """A material change, in force at once unless told otherwise."""
    factories.terms_in_force()
    version = 1 + max(Terms.objects.values_list("version", flat=True))
    fields.setdefault("material", True)
    return {
        language: Terms.objects.create(
            version=version, language=language, body=f"Terms {version} in {language}.", **fields
        )
        for language in LANGUAGES
    }


def told(cast: Cast) -> list[str]:
    return list(cast.consent.events.order_by("number").values_list("kind", flat=True))


def deadline_in(cast: Cast, left: timedelta) -> None:
    Consent.objects.filter(pk=cast.consent.pk).update(accept_terms_by=Now() + left)


def page(cast: Cast) -> str:
    return f"/offices/{cast.janssens.slug}/consents/{cast.consent.uuid}/terms"


def test_anna_is_told_once_reminded_twice_and_access_stops_at_the_deadline(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    publish()
    for _twice in range(2):
        scheduled_events.write_due_events()
    assert told(cast) == ["requested", "allowed", "terms_changed"]
    consent = cast.fresh()
    assert consent.accept_terms_by is not None
    assert abs(consent.accept_terms_by - database_time() - timedelta(days=60)) < timedelta(
        minutes=1
    )
    assert consent.access() is None
    for left, expected in ((29, 1), (8, 1), (6, 2), (1, 2)):
        deadline_in(cast, timedelta(days=left))
        scheduled_events.write_due_events()
        assert told(cast).count("terms_reminded") == expected
    deadline_in(cast, timedelta(0))
    assert cast.fresh().access() == "termsToBeReaccepted"
    assert cast.fresh().status == "allowed"


def test_a_small_change_and_one_not_yet_in_force_ask_nothing(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    before = factories.terms_in_force().version
    publish(effective_at=Now() + timedelta(days=10))
    assert factories.terms_in_force().version == before
    scheduled_events.write_due_events()
    publish(material=False)
    scheduled_events.write_due_events()
    assert told(cast) == ["requested", "allowed"]


def test_anna_accepts_and_the_proof_is_kept(cast: Cast, anna: Browser) -> None:
    allow(cast.consent, cast.anna)
    texts = publish()
    scheduled_events.write_due_events()
    deadline_in(cast, timedelta(0))
    shown = anna.get(page(cast)).content.decode()
    assert "paused since" in shown
    assert "<ins>" in shown
    assert "<del>" in shown
    refused = anna.post(page(cast), {"terms": texts["en"].pk})
    assert "Turn on the switch to confirm" in refused.content.decode()
    assert cast.fresh().access() == "termsToBeReaccepted"
    done = anna.post(page(cast), {"terms": texts["en"].pk, "accept_terms": "on"})
    assert done.status_code == 303
    consent = cast.fresh()
    assert (consent.access(), consent.accept_terms_by, consent.terms) == (None, None, texts["en"])
    kept = Evidence.objects.get(event__consent=consent, event__kind="reaccepted")
    assert (kept.terms, kept.terms_sha256) == (texts["en"], texts["en"].sha256)
    receipt = anna.get(page(cast).removesuffix("terms") + "receipt").content.decode()
    assert texts["en"].sha256 in receipt
    # The second of two clicks, and of two colleagues, is harmless.
    assert accept_terms(cast.fresh(), acting(cast.anna), texts["nl"]) is None
    scheduled_events.write_due_events()
    assert told(cast) == ["requested", "allowed", "terms_changed", "reaccepted"]


def test_newer_words_between_the_screens_are_shown_first(cast: Cast, anna: Browser) -> None:
    allow(cast.consent, cast.anna)
    old = publish()
    scheduled_events.write_due_events()
    anna.get(page(cast))
    newest = publish()
    answer = anna.post(page(cast), {"terms": old["en"].pk, "accept_terms": "on"})
    assert "The terms have changed" in answer.content.decode()
    assert newest["en"].body in answer.content.decode()
    assert not Evidence.objects.filter(event__kind="reaccepted").exists()


def test_only_an_admin_accepts_and_only_while_the_consent_lives(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    texts = publish()
    scheduled_events.write_due_events()
    for person in (cast.bram, cast.chloe):
        with pytest.raises(NotAnAdmin):
            accept_terms(cast.fresh(), acting(person), texts["en"])
    cast.fresh().cancel(acting(cast.anna))
    with pytest.raises(DecisionConflict):
        accept_terms(cast.fresh(), acting(cast.anna), texts["en"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_mail_says_until_when(cast: Cast, language: str) -> None:
    allow(cast.consent, cast.anna)
    cast.anna.language = language
    cast.anna.save()
    publish()
    scheduled_events.write_due_events()
    event = cast.consent.events.get(kind="terms_changed")
    fan_out(event.pk)
    send(emails_about([event]).get(recipient=cast.anna.email).pk)
    (letter,) = mail.outbox
    assert letter.to == [cast.anna.email]
    assert event.until is not None
    assert str(event.until.year) in str(letter.body)
    assert f"/consents/{cast.consent.uuid}/terms" in str(letter.body)


@given(st.text(alphabet="ab \n", max_size=40), st.text(alphabet="ab \n", max_size=40))
def test_the_difference_holds_both_texts_whole(old: str, new: str) -> None:
    passages = differences(old, new)
    assert "".join(p.words for p in passages if p.change != "gone") == new
    # What is equal is shown as it stands in both, so the old text comes back as well.
    assert "".join(p.words for p in passages if p.change != "added") == old


def test_what_did_not_change_is_cut_to_what_stands_beside_a_change() -> None:
    same = [f"word{n} " for n in range(60)]
    shown = beside_changes(differences("".join(same), "".join([*same[:30], "new ", *same[30:]])))
    words = "".join(passage.words for passage in shown)
    assert [passage.change for passage in shown] == ["", "added", ""]
    assert "word29 new word30" in words
    assert "word0 " not in words
    assert "word59 " not in words
    assert words.startswith("… ")
    assert words.endswith(" …")


@given(st.text(alphabet="ab \n", max_size=40), st.text(alphabet="ab \n", max_size=40))
def test_no_change_is_cut_away(old: str, new: str) -> None:
    whole = differences(old, new)
    changes = [passage for passage in beside_changes(whole) if passage.change]
    assert changes == [passage for passage in whole if passage.change]


@pytest.mark.requirement(16)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("moment", ["request", "confirm"])
def test_what_is_stored_is_what_was_shown(
    cast: Cast, anna: Browser, language: str, moment: str
) -> None:
    """Terms published between any two screens: the person reads them before they count."""
    anna.cookies["django_language"] = language
    cast.anna.language = language
    cast.anna.save()
    path = f"/consent/{cast.consent.uuid}"
    anna.get(path)
    first = factories.terms_in_force(language)
    if moment == "request":
        publish()
    answer = anna.post(path, {"choice": "allow", "accept_terms": "on", "terms": first.pk})
    if moment == "request":
        assert answer.status_code == 200
        shown = factories.terms_in_force(language)
        assert shown.body in answer.content.decode()
        answer = anna.post(path, {"choice": "allow", "accept_terms": "on", "terms": shown.pk})
    else:
        publish()
        shown = first
    confirm, signed = answer["Location"].split("?choice=")
    decided = anna.post(confirm, {"choice": signed.split("&")[0].replace("%3A", ":")})
    if moment == "confirm":
        assert "terms=changed" in decided["Location"]
        assert cast.fresh().is_open(database_time())
        again = anna.get(decided["Location"]).content.decode()
        shown = factories.terms_in_force(language)
        assert shown.body in again
        answer = anna.post(path, {"choice": "allow", "accept_terms": "on", "terms": shown.pk})
        confirm, signed = answer["Location"].split("?choice=")
        anna.post(confirm, {"choice": signed.split("&")[0].replace("%3A", ":")})
    kept = Evidence.objects.get(event__consent=cast.consent)
    assert kept.terms == shown
    assert (kept.terms_language, kept.terms_sha256) == (language, shown.sha256)


OLD_WORDS = {
    "en": r"\b(refused|fetch\w*|clients you|answers for|anew)\b",
    "nl": r"\b(haar|hij ermee|ze mag|werd)\b",
    "fr": r"'|[^\u00a0][?!;:](?=\s)",
    "de": r"\b(Administration|Arten von|holt)\b",
}


@pytest.mark.parametrize("language", OLD_WORDS)
def test_the_proposed_terms_follow_the_rules_of_the_words(language: str) -> None:
    body = drafts(2)[language]
    assert re.findall(OLD_WORDS[language], body) == []
    # The summary that the request shows in three lines, and five numbered parts.
    summary, *_parts = body.split("\n\n")
    assert len(summary.splitlines()) == 3
    assert all(line.startswith("• ") for line in summary.splitlines())
    assert re.findall(r"^\d", body, re.MULTILINE) == ["1", "2", "3", "4", "5"]


def test_a_version_without_a_proposal_starts_from_the_text_in_force() -> None:
    assert drafts(1_000) == {}
