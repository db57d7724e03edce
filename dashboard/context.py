"""What the top bar knows: the offices among which the person can switch, and what waits there."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts.models import Membership, Office, Role, User
from clients.models import Transfer
from consents.models import Consent


class MyOffice(NamedTuple):
    """An office of the person; `has_tasks`: something waits there that this person may decide."""

    name: str
    slug: str
    has_tasks: bool


def offices(request: HttpRequest) -> dict[str, Any]:
    """`my_offices`, by name; asked when a template first names it, so never in the admin."""
    person = getattr(request, "user", None)
    if not isinstance(person, User):
        return {"my_offices": []}
    return {"my_offices": SimpleLazyObject(lambda: _offices_of(person))}


def _offices_of(person: User) -> list[MyOffice]:
    """What waits is asked only where there is a choice: this is on every page."""
    mine = list(Office.objects.of(person))
    busy = _with_tasks(mine, person) if len(mine) > 1 else set()
    return [MyOffice(one.name, one.slug, one.pk in busy) for one in mine]


def _with_tasks(mine: list[Office], person: User) -> set[int]:
    """The keys of those of these offices where something waits for this Admin."""
    consents = Consent.objects.filter(office=OuterRef("pk"))
    coming = Transfer.objects.awaiting_answer().filter(to_office=OuterRef("pk"))
    waits = Q(Exists(consents.awaiting_decision())) | Q(Exists(consents.whose_terms_changed()))
    waits |= Q(Exists(coming))
    if Membership.objects.left().filter(office__in=mine).exists():
        # Asked of each consent: the long way, for the offices that somebody has left.
        waits |= Q(Exists(consents.whose_giver_left()))
    decides = Q(memberships__user=person, memberships__role=Role.ADMIN)
    found = Office.objects.filter(decides, waits, pk__in=[one.pk for one in mine])
    return set(found.values_list("pk", flat=True))
