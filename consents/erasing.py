"""Erase the names in the proof, and keep the proof: every seal holds without them.

The salt goes with the names, so nobody can find one again by trying. What was decided, when, by
whom of two people, and in which words stays for as long as the portal exists.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from accounts.erasing import erase_account, pseudonym
from clients.models import ClientEvent
from consents.models import Consent, ConsentEvent, Evidence, Status

if TYPE_CHECKING:
    from accounts.models import User


def erase_person(person: User) -> int:
    """Erase a person who left, everywhere; return in how many events. Raises StillHere."""
    with transaction.atomic():
        erase_account(person)
        ClientEvent.objects.filter(by=person).update(by_name=pseudonym(person.pk))
        return _erase(ConsentEvent.objects.filter(person=person))


def erase_old() -> int:
    """Erase the names of consents that ended more than PORTAL_PROOF_YEARS years ago."""
    past = Now() - timedelta(days=366 * settings.PORTAL_PROOF_YEARS)
    ended = Q(cancelled_at__lt=past) | Q(closed_at__lt=past)
    denied = Q(status=Status.DENIED, decided_at__lt=past)
    consents = Consent.objects.filter(ended | denied)
    return _erase(ConsentEvent.objects.filter(consent__in=consents, at__lt=past))


def _erase(events: QuerySet[ConsentEvent]) -> int:
    """The database lets these columns change to exactly this, once, and nothing else."""
    erased = 0
    with transaction.atomic():
        named = events.exclude(person=None).exclude(salt="")
        for person_id in list(named.order_by("person").values_list("person", flat=True).distinct()):
            name = pseudonym(person_id)
            hers = list(named.filter(person=person_id).values_list("pk", flat=True))
            Evidence.objects.filter(event__in=hers).update(
                person_name=name, person_email="", address="", browser=""
            )
            erased += ConsentEvent.objects.filter(pk__in=hers).update(
                actor_name=name, reason="", salt=""
            )
    return erased
