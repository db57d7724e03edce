"""Terms change in a material way: the office reads the difference and accepts anew, or access stops."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db.models.functions import Now
from django.test import Client as Browser
from hypothesis import given
from hypothesis import strategies as st

from consents import watch
from consents.models import Consent, DecisionConflict, Evidence, NotAnAdmin, Terms
from consents.reacceptance import beside_changes, differences, reaccept
from notifications.tasks import fan_out
from tests import factories
from tests.conftest import Cast
from tests.factories import PASSWORD, acting, allow

LANGUAGES = ("en", "nl", "fr", "de")


@pytest.fixture
def an(cast: Cast) -> Browser:
    """An, logged in a moment ago with her password."""
    browser = Browser()
    browser.post("/accounts/login/", {"login": cast.an.email, "password": PASSWORD})
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
    Consent.objects.filter(pk=cast.consent.pk).update(reaccept_by=Now() + left)


def page(cast: Cast) -> str:
    return f"/offices/{cast.janssens.slug}/consents/{cast.consent.uuid}/terms"


def test_an_is_told_once_reminded_twice_and_access_stops_at_the_deadline(cast: Cast) -> None:
    allow(cast.consent, cast.an)
    publish()
    for _twice in range(2):
        watch.notice()
    assert told(cast) == ["requested", "allowed", "terms_changed"]
    consent = cast.fresh()
    assert consent.reaccept_by is not None
    assert abs(consent.reaccept_by - consent.read_at - timedelta(days=60)) < timedelta(minutes=1)
    assert consent.access() is None
    for left, expected in ((29, 1), (8, 1), (6, 2), (1, 2)):
        deadline_in(cast, timedelta(days=left))
        watch.notice()
        assert told(cast).count("terms_reminded") == expected
    deadline_in(cast, timedelta(0))
    assert cast.fresh().access() == "termsToBeReaccepted"
    assert cast.fresh().status == "allowed"


def test_a_small_change_and_one_not_yet_in_force_ask_nothing(cast: Cast) -> None:
    allow(cast.consent, cast.an)
    before = factories.terms_in_force().version
    publish(effective_at=Now() + timedelta(days=10))
    assert factories.terms_in_force().version == before
    watch.notice()
    publish(material=False)
    watch.notice()
    assert told(cast) == ["requested", "allowed"]


def test_an_accepts_and_the_proof_is_kept(cast: Cast, an: Browser) -> None:
    allow(cast.consent, cast.an)
    texts = publish()
    watch.notice()
    deadline_in(cast, timedelta(0))
    shown = an.get(page(cast)).content.decode()
    assert "paused since" in shown
    assert "<ins>" in shown
    assert "<del>" in shown
    refused = an.post(page(cast), {"terms": texts["en"].pk})
    assert "first switch on" in refused.content.decode()
    assert cast.fresh().access() == "termsToBeReaccepted"
    done = an.post(page(cast), {"terms": texts["en"].pk, "accept_terms": "on"})
    assert done.status_code == 303
    consent = cast.fresh()
    assert (consent.access(), consent.reaccept_by, consent.terms) == (None, None, texts["en"])
    kept = Evidence.objects.get(event__consent=consent, event__kind="reaccepted")
    assert (kept.terms, kept.terms_sha256) == (texts["en"], texts["en"].sha256)
    receipt = an.get(page(cast).removesuffix("terms") + "receipt").content.decode()
    assert texts["en"].sha256 in receipt
    # The second of two clicks, and of two colleagues, is harmless.
    assert reaccept(cast.fresh(), acting(cast.an), texts["nl"]) is None
    watch.notice()
    assert told(cast) == ["requested", "allowed", "terms_changed", "reaccepted"]


def test_newer_words_between_the_screens_are_shown_first(cast: Cast, an: Browser) -> None:
    allow(cast.consent, cast.an)
    old = publish()
    watch.notice()
    an.get(page(cast))
    newest = publish()
    answer = an.post(page(cast), {"terms": old["en"].pk, "accept_terms": "on"})
    assert "The terms have changed" in answer.content.decode()
    assert newest["en"].body in answer.content.decode()
    assert not Evidence.objects.filter(event__kind="reaccepted").exists()


def test_only_an_admin_accepts_and_only_while_the_consent_lives(cast: Cast) -> None:
    allow(cast.consent, cast.an)
    texts = publish()
    watch.notice()
    for person in (cast.bram, cast.chloe):
        with pytest.raises(NotAnAdmin):
            reaccept(cast.fresh(), acting(person), texts["en"])
    cast.fresh().cancel(acting(cast.an))
    with pytest.raises(DecisionConflict):
        reaccept(cast.fresh(), acting(cast.an), texts["en"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_mail_says_until_when(cast: Cast, language: str) -> None:
    allow(cast.consent, cast.an)
    cast.an.language = language
    cast.an.save()
    publish()
    watch.notice()
    event = cast.consent.events.get(kind="terms_changed")
    fan_out(event.pk)
    from notifications.models import Mail
    from notifications.tasks import send_mail

    send_mail(Mail.objects.get(event=event, person=cast.an).pk)
    (letter,) = mail.outbox
    assert letter.to == [cast.an.email]
    assert str(event.until.year) in letter.body
    assert f"/consents/{cast.consent.uuid}/terms" in letter.body


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


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("moment", ["request", "confirm"])
def test_what_is_stored_is_what_was_shown(
    cast: Cast, an: Browser, language: str, moment: str
) -> None:
    """Terms published between any two screens: the person reads them before they count."""
    an.cookies["django_language"] = language
    cast.an.language = language
    cast.an.save()
    path = f"/consent/{cast.consent.uuid}"
    an.get(path)
    first = factories.terms_in_force(language)
    if moment == "request":
        publish()
    answer = an.post(path, {"choice": "allow", "accept_terms": "on", "terms": first.pk})
    if moment == "request":
        assert answer.status_code == 200
        shown = factories.terms_in_force(language)
        assert shown.body in answer.content.decode()
        answer = an.post(path, {"choice": "allow", "accept_terms": "on", "terms": shown.pk})
    else:
        publish()
        shown = first
    confirm, signed = answer["Location"].split("?choice=")
    decided = an.post(confirm, {"choice": signed.split("&")[0].replace("%3A", ":")})
    if moment == "confirm":
        assert "terms=changed" in decided["Location"]
        assert cast.fresh().is_open
        again = an.get(decided["Location"]).content.decode()
        shown = factories.terms_in_force(language)
        assert shown.body in again
        answer = an.post(path, {"choice": "allow", "accept_terms": "on", "terms": shown.pk})
        confirm, signed = answer["Location"].split("?choice=")
        an.post(confirm, {"choice": signed.split("&")[0].replace("%3A", ":")})
    kept = Evidence.objects.get(event__consent=cast.consent)
    assert kept.terms == shown
    assert (kept.terms_language, kept.terms_sha256) == (language, shown.sha256)
