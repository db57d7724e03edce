"""Accept the terms of an allowed consent again: they changed, or the person who agreed has left.

When terms change in a material way, every office must accept them by a deadline, or access pauses.
Until then the accepted terms hold, and silence accepts nothing. When the person who agreed has
left, access goes on without an answer: the consent belongs to the office.
"""

from __future__ import annotations

import difflib
import re
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Count, F, Max, Q
from django.db.models.functions import Now

from accounts.models import Membership, Role
from consents.actors import Actor
from consents.models import Consent, ConsentEvent, DecisionConflict, EventKind, Status, Terms
from consents.scope import agreement
from core.locks import retry_deadlock
from core.sandbox import World

TIME_TO_ACCEPT = timedelta(days=60)
FIRST_REMINDER = timedelta(days=30)
LAST_REMINDER = timedelta(days=7)
# Words and the blanks between them, on either side of a change.
WORDS_AROUND = 24


TEXTS = Path(__file__).resolve().parent / "terms"


def drafts(version: int) -> dict[str, str]:
    """The texts that this release proposes for a version, by language; empty if there are none.

    They are only proposed: operators read them, change them if they want, and publish.
    """
    return {
        path.suffixes[0][1:]: path.read_text(encoding="utf-8").strip()
        for path in TEXTS.glob(f"{version}.*.txt")
    }


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


def to_be_notified() -> Any:
    """Given consents whose terms changed in a material way, and who were not told so yet."""
    in_force = Terms.objects.filter(material=True, effective_at__lte=Now())
    version = in_force.aggregate(newest=Max("version"))["newest"] or 0
    allowed = Consent.objects.filter(status=Status.ALLOWED)
    return allowed.filter(accept_terms_by=None, terms__version__lt=version)


class Reach(NamedTuple):
    """Whom a material change reaches: allowed consents, their offices, and the first e-mails."""

    consents: int
    offices: int
    emails: int


def whom_a_change_reaches() -> Reach:
    """Count whom a material change would reach now. Who was told of one before gets no e-mail.

    Each Admin of an office gets one for each of its consents, and nobody in the sandbox.
    """
    allowed = Consent.objects.filter(status=Status.ALLOWED)
    counted = allowed.aggregate(consents=Count("pk"), offices=Count("office", distinct=True))
    admins = Membership.objects.reachable().filter(role=Role.ADMIN, office__kind=World.REAL)
    emails = allowed.filter(accept_terms_by=None, office__memberships__in=admins)
    return Reach(**counted, emails=emails.count())


def to_be_reminded() -> Any:
    """Those who were told and have not answered, 30 and 7 days before their access pauses."""
    reminded = Q(
        events__kind=EventKind.TERMS_REMINDED, events__at__gt=F("accept_terms_by") - TIME_TO_ACCEPT
    )
    waiting = Consent.objects.filter(status=Status.ALLOWED, accept_terms_by__gt=Now())
    waiting = waiting.annotate(reminders=Count("events", filter=reminded))
    return waiting.filter(
        Q(reminders=0, accept_terms_by__lte=Now() + FIRST_REMINDER)
        | Q(reminders=1, accept_terms_by__lte=Now() + LAST_REMINDER)
    )


@retry_deadlock
def accept_terms(
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
            due = held.accept_terms_by is not None and held.terms.version < terms.version
        if not due:
            return None
        Consent.objects.filter(pk=held.pk).update(terms=terms, accept_terms_by=None)
        evidence = agreement(held, by, terms)
        return ConsentEvent.objects.write(held, kind, by, evidence=evidence)
