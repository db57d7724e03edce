"""What the top bar knows: the offices among which the person can switch, and what waits there."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest

from accounts.models import Office, Role, User
from clients.models import Transfer
from consents.models import Consent


def offices(request: HttpRequest) -> dict[str, Any]:
    """`my_offices`, each with `has_tasks`: something waits that this person may decide."""
    person = getattr(request, "user", None)
    if not isinstance(person, User):
        return {"my_offices": []}
    consents = Consent.objects.filter(office=OuterRef("pk"))
    waiting = consents.awaiting_decision()
    left, changed = consents.to_agree_anew()
    coming = Transfer.objects.awaiting_answer().filter(to_office=OuterRef("pk"))
    decides = Q(memberships__user=person, memberships__role=Role.ADMIN)
    tasks = Office.objects.filter(decides, pk=OuterRef("pk"))
    something = Exists(waiting) | Exists(left) | Exists(changed) | Exists(coming)
    return {"my_offices": Office.objects.of(person).annotate(has_tasks=something & Exists(tasks))}
