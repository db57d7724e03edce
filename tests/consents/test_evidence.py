"""Proof: who agreed to what, in which words, as it stood on the screen."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import unquote, unquote_plus

import pytest
import time_machine

from consents.models import Evidence, EvidenceSnapshot, Terms
from consents.return_redirect import ReturnRedirect, UnregisteredRedirect, return_redirect_of
from consents.signed_decision import SignedDecision, StaleDecision
from tests import factories
from tests.conftest import Cast
from tests.factories import CALLBACK, acting, allow

pytestmark = pytest.mark.requirement(15)


@pytest.mark.requirement(75)
def test_an_allow_keeps_person_time_place_words_and_scope(cast: Cast) -> None:
    terms = Terms.objects.in_force("nl")
    event = cast.consent.allow(
        acting(cast.anna),
        terms,
        EvidenceSnapshot(
            partner_name="As it was shown",
            document_kinds=["bankAccountStatement"],
            companies=7,
        ),
    )
    kept = Evidence.objects.get(event=event)
    assert (kept.person_name, kept.person_email, kept.role) == ("Anna", cast.anna.email, "admin")
    assert (kept.address, kept.browser, kept.authentication) == ("192.0.2.7", "test", ["password"])
    assert (kept.terms_version, kept.terms_language) == (terms.version, "nl")
    assert kept.partner_name == "As it was shown"
    assert (kept.document_kinds, kept.companies) == (["bankAccountStatement"], 7)
    assert kept.event.at is not None


@pytest.mark.requirement(16)
def test_the_fingerprint_recomputes_from_the_stored_text(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    kept = Evidence.objects.get(event__consent=cast.consent)
    assert kept.terms_sha256 == hashlib.sha256(kept.terms.body.encode()).hexdigest()


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["en", "nl", "fr", "de"])
def test_the_published_terms_have_their_fingerprint(language: str) -> None:
    terms = Terms.objects.in_force(language)
    assert terms.language == language
    assert terms.sha256 == hashlib.sha256(terms.body.encode()).hexdigest()


@pytest.mark.django_db
def test_a_newer_version_is_in_force_in_every_language() -> None:
    factories.make_terms(99)
    assert {Terms.objects.in_force(lang).version for lang in ("en", "nl", "fr", "de")} == {99}


@pytest.mark.django_db
def test_a_language_without_a_text_gets_english() -> None:
    assert Terms.objects.in_force("es").language == "en"


def a_decision(cast: Cast) -> SignedDecision:
    return SignedDecision(
        "allow",
        str(cast.consent.uuid),
        cast.anna.pk,
        1,
        0,
        EvidenceSnapshot("Ledgerly", ["salesInvoice"], 3),
    )


def test_a_signed_decision_travels_signed_and_comes_back_whole(cast: Cast) -> None:
    decision = a_decision(cast)
    assert (
        SignedDecision.read(decision.sign(), consent=cast.consent.uuid, person=cast.anna.pk)
        == decision
    )


def test_chloe_cannot_use_the_signed_decision_of_anna(cast: Cast) -> None:
    with pytest.raises(StaleDecision):
        SignedDecision.read(
            a_decision(cast).sign(), consent=cast.consent.uuid, person=cast.chloe.pk
        )


def test_a_signed_decision_is_for_one_consent(cast: Cast) -> None:
    other = factories.make_request(cast.janssens, cast.tally)
    with pytest.raises(StaleDecision):
        SignedDecision.read(a_decision(cast).sign(), consent=other.uuid, person=cast.anna.pk)


@pytest.mark.parametrize("damage", ["", "x", "eyJhIjoxfQ:1:abc", "\0", "é"])
def test_a_damaged_decision_is_stale(cast: Cast, damage: str) -> None:
    with pytest.raises(StaleDecision):
        SignedDecision.read(damage, consent=cast.consent.uuid, person=cast.anna.pk)


def test_a_signed_decision_changed_by_one_letter_is_stale(cast: Cast) -> None:
    signed = a_decision(cast).sign()
    changed = signed[:-1] + ("A" if signed[-1] != "A" else "B")
    with pytest.raises(StaleDecision):
        SignedDecision.read(changed, consent=cast.consent.uuid, person=cast.anna.pk)


def test_a_signed_decision_is_stale_after_an_hour(cast: Cast) -> None:
    with time_machine.travel("2026-03-02 10:00:00Z", tick=False):
        signed = a_decision(cast).sign()
    with time_machine.travel("2026-03-02 10:59:59Z", tick=False):
        SignedDecision.read(signed, consent=cast.consent.uuid, person=cast.anna.pk)
    with time_machine.travel("2026-03-02 11:00:01Z", tick=False), pytest.raises(StaleDecision):
        SignedDecision.read(signed, consent=cast.consent.uuid, person=cast.anna.pk)


def test_the_way_back_is_the_address_exactly_as_given(cast: Cast) -> None:
    assert return_redirect_of(cast.consent) == ReturnRedirect(CALLBACK, "software.example")


@pytest.mark.requirement(27)
def test_only_a_state_adds_something_to_the_address(cast: Cast) -> None:
    cast.consent.state = "a b&c=d#é"
    back = return_redirect_of(cast.consent)
    assert back is not None
    assert back.url == (
        f"{CALLBACK}?accountingOfficeConsentId={cast.consent.uuid}&state=a%20b%26c%3Dd%23%C3%A9"
    )


@pytest.mark.requirement(27)
@pytest.mark.parametrize("state", ["a b", "a+b", " ", "%20", "a&state=b", "é😀", "\\\"'<>", "\n"])
@pytest.mark.parametrize("read", [unquote, unquote_plus])
def test_a_state_is_read_alike_by_every_software(cast: Cast, state: str, read: Any) -> None:
    """Not all take a plus for a blank."""
    cast.consent.state = state
    back = return_redirect_of(cast.consent)
    assert back is not None
    identifier, found = back.url.removeprefix(f"{CALLBACK}?").split("&")
    assert identifier == f"accountingOfficeConsentId={cast.consent.uuid}"
    assert read(found.removeprefix("state=")) == state


@pytest.mark.requirement(24)
def test_an_address_that_is_no_longer_registered_is_never_used(cast: Cast) -> None:
    cast.ledgerly.redirect_uris.all().delete()
    with pytest.raises(UnregisteredRedirect):
        return_redirect_of(cast.consent)


def test_without_an_address_there_is_no_way_back(cast: Cast) -> None:
    cast.consent.redirect_uri = ""
    assert return_redirect_of(cast.consent) is None
