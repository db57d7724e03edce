"""Erase the names in the evidence, and keep the evidence: every event hash holds without them.

The salt is erased with the names, so nobody can find a name by trying. What was decided, when, in
which words, and whether two decisions were by the same person stays as long as the portal exists.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from accounts.anonymisation import anonymise_account, pseudonym
from clients.models import ClientEvent
from consents.models import Consent, ConsentEvent, Evidence, Status

if TYPE_CHECKING:
    from accounts.models import User


def anonymise_person(person: User) -> int:
    """Anonymise a person who left, everywhere. Return in how many events. Raises StillActive."""
    with transaction.atomic():
        anonymise_account(person)
        ClientEvent.objects.filter(by=person).update(by_name=pseudonym(person.pk))
        return _anonymise(ConsentEvent.objects.filter(person=person))


def anonymise_old() -> int:
    """Anonymise the events of consents that ended more than PORTAL_EVIDENCE_YEARS years ago."""
    past = Now() - timedelta(days=366 * settings.PORTAL_EVIDENCE_YEARS)
    ended = Q(cancelled_at__lt=past) | Q(closed_at__lt=past)
    denied = Q(status=Status.DENIED, decided_at__lt=past)
    consents = Consent.objects.filter(ended | denied)
    return _anonymise(ConsentEvent.objects.filter(consent__in=consents, at__lt=past))


def _anonymise(events: QuerySet[ConsentEvent]) -> int:
    """Erase the names in these events. The database allows this one change, and no other."""
    anonymised = 0
    with transaction.atomic():
        named = events.exclude(person=None).exclude(salt="")
        for person_id in list(named.order_by("person").values_list("person", flat=True).distinct()):
            name = pseudonym(person_id)
            theirs = list(named.filter(person=person_id).values_list("pk", flat=True))
            Evidence.objects.filter(event__in=theirs).update(
                person_name=name, person_email="", address="", browser=""
            )
            anonymised += ConsentEvent.objects.filter(pk__in=theirs).update(
                actor_name=name, reason="", salt=""
            )
    return anonymised
