"""A given consent is agreed to anew: because the terms changed, or because who agreed has left.

Terms that changed in a material way are accepted by every office, or access pauses; until the
deadline those that were accepted hold, and nobody accepts by staying silent. Where somebody left,
nothing waits for the answer: a consent belongs to the office.
"""

from __future__ import annotations

import difflib
import re
from datetime import timedelta
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Count, F, Max, Q
from django.db.models.functions import Now

from consents.actors import Actor
from consents.models import Consent, ConsentEvent, DecisionConflict, EventKind, Status, Terms
from consents.scope import agreement

TIME_TO_ACCEPT = timedelta(days=60)
FIRST_REMINDER = timedelta(days=30)
LAST_REMINDER = timedelta(days=7)
# Words and the blanks between them, on either side of a change.
WORDS_AROUND = 24


class Passage(NamedTuple):
    """A run of words: `change` is "added", "gone" or empty."""

    change: str
    words: str


def differences(old: str, new: str) -> list[Passage]:
    """The new text with what was added and what is gone, word by word."""
    before, after = (re.findall(r"\s+|[^\s]+", text) for text in (old, new))
    passages = []
    for tag, a, b, c, d in difflib.SequenceMatcher(
        None, before, after, autojunk=False
    ).get_opcodes():
        if tag == "equal":
            passages.append(Passage("", "".join(after[c:d])))
        else:
            passages.append(Passage("gone", "".join(before[a:b])))
            passages.append(Passage("added", "".join(after[c:d])))
    return [passage for passage in passages if passage.words]


def beside_changes(passages: list[Passage]) -> list[Passage]:
    """Every change whole, with the words around it; where nothing changed, nothing.

    For somebody in a hurry: one changed sentence at the end of a long text is seen at once.
    """
    if not any(passage.change for passage in passages):
        return []
    last = len(passages) - 1
    shown = []
    for place, passage in enumerate(passages):
        parts = re.findall(r"\s+|[^\s]+", passage.words)
        if not passage.change and len(parts) > 2 * WORDS_AROUND:
            before = "".join(parts[:WORDS_AROUND]).rstrip() + " " if place else ""
            after = " " + "".join(parts[-WORDS_AROUND:]).lstrip() if place < last else ""
            passage = Passage("", f"{before}…{after}")
        shown.append(passage)
    return shown


def to_be_told() -> Any:
    """Given consents whose terms changed in a material way, and who were not told so yet."""
    in_force = Terms.objects.filter(material=True, effective_at__lte=Now())
    version = in_force.aggregate(newest=Max("version"))["newest"] or 0
    allowed = Consent.objects.filter(status=Status.ALLOWED)
    return allowed.filter(reaccept_by=None, terms__version__lt=version)


def to_be_reminded() -> Any:
    """Those who were told and have not answered, 30 and 7 days before their access pauses."""
    told = Q(
        events__kind=EventKind.TERMS_REMINDED, events__at__gt=F("reaccept_by") - TIME_TO_ACCEPT
    )
    waiting = Consent.objects.filter(status=Status.ALLOWED, reaccept_by__gt=Now())
    waiting = waiting.annotate(reminders=Count("events", filter=told))
    return waiting.filter(
        Q(reminders=0, reaccept_by__lte=Now() + FIRST_REMINDER)
        | Q(reminders=1, reaccept_by__lte=Now() + LAST_REMINDER)
    )


def reaccept(
    consent: Consent, by: Actor, terms: Terms, kind: EventKind = EventKind.REACCEPTED
) -> ConsentEvent | None:
    """Agree anew, with evidence: to the changed terms, or (REAFFIRMED) in place of who left.

    Either way `terms` are accepted, and access that paused for want of that begins again. Returns
    None when a colleague did so already; raises DecisionConflict when the consent has ended,
    NotAnAdmin.
    """
    with transaction.atomic():
        consent.hold_admin(by)
        rows = Consent.objects.select_for_update(no_key=True, of=("self",))
        held = rows.select_related("terms").get(pk=consent.pk)
        if held.status != Status.ALLOWED or held.terms is None:
            raise DecisionConflict(held)
        # Asked under the lock: a colleague may have been quicker.
        if kind == EventKind.REAFFIRMED:
            due = Consent.objects.filter(pk=held.pk).whose_giver_left().exists()
        else:
            due = held.reaccept_by is not None and held.terms.version < terms.version
        if not due:
            return None
        Consent.objects.filter(pk=held.pk).update(terms=terms, reaccept_by=None)
        evidence = agreement(held, by, terms)
        return ConsentEvent.objects.write(held, kind, by, evidence=evidence)
