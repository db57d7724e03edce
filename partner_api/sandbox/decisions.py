"""Decide for a sandbox office: by the verbs that its Admin has on the screens."""

from __future__ import annotations

from collections.abc import Callable

from accounts.models import Membership, User
from consents.actors import Actor, ActorKind
from consents.models import Consent, EvidenceSnapshot, Terms


def decider_of(office_id: int) -> User:
    """The invented Admin of a sandbox office."""
    admins = Membership.objects.admins().filter(office=office_id).select_related("user")
    return admins.order_by("pk")[0].user


def allow(consent: Consent, by: Actor) -> None:
    """Allow everything that the software is registered for."""
    partner = consent.partner
    snapshot = EvidenceSnapshot(
        partner_name=partner.name,
        document_kinds=partner.document_kinds,
        companies=consent.office.clients.active().count(),
    )
    language = (by.person.language if by.person else "") or "en"
    consent.allow(by, Terms.objects.in_force(language), snapshot)


DECISIONS: dict[str, Callable[[Consent, Actor], object]] = {
    "allow": allow,
    "deny": Consent.deny,
    "pause": Consent.pause,
    "resume": Consent.resume,
    "cancel": Consent.cancel,
}


def decide(consent: Consent, decision: str) -> None:
    """Do for the office what `decision`, a word of DECISIONS, says; twice is the same as once.

    Raises consents.models.DecisionConflict where the consent is in another state.
    """
    person = decider_of(consent.office_id)
    by = Actor(
        ActorKind.PERSON,
        name=person.name,
        person=person,
        browser="Sandbox by API",
        authentication=["sandbox"],
    )
    DECISIONS[decision](consent, by)
