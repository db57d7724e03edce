"""Events that time brings about: reminders, first use, no use. People are told of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, Subquery, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce, Now

from accounts.models import Office
from consents.actors import Actor
from consents.models import Consent, ConsentActivity, ConsentEvent, EventKind, Status
from consents.terms_acceptance import TIME_TO_ACCEPT, to_be_notified, to_be_reminded
from core.locks import hold, retry_deadlock
from partners.models import PartnerStatus

# The first reminder comes a week after the request, the second a week before it lapses: day 23.
WEEK = timedelta(days=7)
ABOUT_TERMS = (EventKind.TERMS_CHANGED, EventKind.TERMS_REMINDED)
ABOUT_SOFTWARE = (EventKind.SUSPENDED, EventKind.REINSTATED)
UNUSED_AFTER = timedelta(days=60)
# Five times the busiest day of the month before, where there was a month to speak of.
UNUSUAL = """
    select a.consent_id from consents_consentactivity a
    cross join lateral (
        select max(b.served) as most, count(*) as days from consents_consentactivity b
        where b.consent_id = a.consent_id and b.served > 0
          and b.day < a.day and b.day >= a.day - 30
    ) usual
    where a.day >= (statement_timestamp() at time zone 'Europe/Brussels')::date - 1
      and a.served >= 500 and usual.days >= 7 and a.served > 5 * usual.most
"""


def write_due_events() -> int:
    """Write every event that is due now; return how many were written."""
    return sum(_write(kind, due) for kind, due in _due().items())


def write_software_status_events() -> int:
    """Write at each consent that its software was suspended, or is active again.

    Returns how many events were written. `write_due_events` writes what a killed worker left out.
    """
    written = 0
    for kind, due in _software().items():
        while done := _write(kind, due):
            written += done
    return written


def _software() -> dict[EventKind, Any]:
    """Allowed consents without an event yet for what happened to their software."""
    events = ConsentEvent.objects.filter(consent=OuterRef("pk"), kind__in=ABOUT_SOFTWARE)
    newest = Subquery(events.order_by("-number").values("kind")[:1])
    allowed = Consent.objects.filter(status=Status.ALLOWED)
    suspended = Q(partner__status=PartnerStatus.SUSPENDED)
    return {
        EventKind.SUSPENDED: allowed.filter(suspended)
        .annotate(newest_kind=Coalesce(newest, Value("")))
        .exclude(newest_kind=EventKind.SUSPENDED),
        EventKind.REINSTATED: allowed.filter(Exists(events), partner__status=PartnerStatus.ACTIVE)
        .annotate(newest_kind=newest)
        .filter(newest_kind=EventKind.SUSPENDED),
    }


def _due() -> dict[EventKind, Any]:
    """Which consents get which event; asking twice gives nothing twice."""
    allowed = Consent.objects.filter(status=Status.ALLOWED)
    reminders = Count("events", filter=Q(events__kind=EventKind.REMINDED))
    first = Q(reminders=0, requested_at__lte=Now() - WEEK)
    second = Q(reminders=1, lapses_at__lte=Now() + WEEK)
    used = ConsentActivity.objects.filter(consent=OuterRef("pk"), served__gt=0)
    used_lately = used.filter(last_served_at__gt=Now() - UNUSED_AFTER)
    return {
        EventKind.REMINDED: Consent.objects.awaiting_decision()
        .annotate(reminders=reminders)
        .filter(first | second),
        EventKind.FIRST_FETCHED: allowed.filter(Exists(used)).exclude(
            _has_event(EventKind.FIRST_FETCHED)
        ),
        EventKind.UNUSED: allowed.filter(decided_at__lte=Now() - UNUSED_AFTER)
        .exclude(Exists(used_lately))
        .exclude(_has_event(EventKind.UNUSED, UNUSED_AFTER)),
        EventKind.TERMS_CHANGED: to_be_notified(),
        EventKind.TERMS_REMINDED: to_be_reminded(),
        EventKind.UNUSUAL: allowed.filter(pk__in=RawSQL(UNUSUAL, [])).exclude(  # noqa: S611
            _has_event(EventKind.UNUSUAL, WEEK)
        ),
        **_software(),
    }


def _has_event(kind: EventKind, within: timedelta | None = None) -> Exists:
    events = ConsentEvent.objects.filter(consent=OuterRef("pk"), kind=kind)
    return Exists(events.filter(at__gt=Now() - within) if within else events)


def _write(kind: EventKind, due: Any) -> int:
    first = due.values_list("pk", "office")[:1000]
    return sum(_write_one(kind, due, pk, office) for pk, office in list(first))


@retry_deadlock
def _write_one(kind: EventKind, due: Any, pk: int, office: int) -> bool:
    with transaction.atomic():
        hold(Office, office)
        consent = Consent.objects.select_for_update(no_key=True, of=("self",)).get(pk=pk)
        # Asked again under the lock: another worker, or a person, may have been quicker.
        if not due.filter(pk=pk).exists():
            return False
        if kind == EventKind.TERMS_CHANGED:
            deadline = Now() + TIME_TO_ACCEPT
            Consent.objects.filter(pk=pk).update(accept_terms_by=deadline)
            consent.reread()
        until = consent.accept_terms_by if kind in ABOUT_TERMS else None
        by = Actor.portal() if kind in ABOUT_SOFTWARE else Actor.clock()
        ConsentEvent.objects.write(consent, kind, by, until=until)
    return True
