"""What the consent screens show, gathered from the rows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Max, Min, Sum
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import User
from clients.models import Client
from consents.access import AccessContext, DenialReason
from consents.models import Consent, ConsentActivity, EventKind, Status
from consents.return_redirect import ReturnRedirect, UnregisteredRedirect, return_redirect_of
from consents.scope import ScopeRecord, clients_in_scope
from core.document_kinds import labels_of


class Scope(NamedTuple):
    """What the software can read, or will: kinds in words, and how many companies.

    `left_out` counts the companies that the office does not share, `kinds_left_out` names kinds.
    """

    kinds: list[str]
    companies: int
    kinds_left_out: list[str]
    left_out: int
    shares_new: bool

    @classmethod
    def of(cls, consent: Consent) -> Scope:
        all_of_them = Client.objects.active().filter(office_id=consent.office_id).count()
        companies = clients_in_scope(consent).count()
        return cls(
            kinds_in_words(consent.shared_kinds),
            companies,
            kinds_in_words(set(consent.partner.document_kinds) & set(consent.excluded_kinds)),
            all_of_them - companies,
            not consent.allowlist_mode,
        )


def kinds_in_words(kinds: Collection[str]) -> list[str]:
    """The kinds in the words of the reader's language."""
    return labels_of(kinds)


def denial_in_words(reason: DenialReason) -> str:
    """Why software can read nothing now, in the words of the reader's language."""
    return {
        DenialReason.PARTNER_SUSPENDED: _("Software suspended"),
        DenialReason.OFFICE_SUSPENDED: _("Office suspended"),
        DenialReason.NOT_CONFIRMED: _("Not allowed"),
        DenialReason.PAUSED: _("Paused"),
        DenialReason.TERMS_OVERDUE: _("The terms have changed"),
    }[reason]


def denial_of(consent: Consent) -> str:
    """Why the software can read nothing under an allowed consent; empty where it can read."""
    reason = AccessContext.of(consent.pk).denial_reason()
    allowed = consent.status == Status.ALLOWED
    return denial_in_words(reason) if allowed and reason is not None else ""


class Proof(NamedTuple):
    """Proof that access has stopped: the last document served, and the attempts refused since."""

    last_served_at: datetime | None
    refused_since: int

    @classmethod
    def of(cls, consent: Consent) -> Proof:
        activity = ConsentActivity.objects.filter(consent=consent)
        totals = activity.aggregate(last=Max("last_served_at"), refused=Sum("refused_ended"))
        return cls(totals["last"], totals["refused"] or 0)


def last_download_at(consent: Consent) -> datetime | None:
    """When this office last served this software, also under an earlier consent."""
    served = ConsentActivity.objects.filter(
        consent__office=consent.office_id, consent__partner=consent.partner_id
    )
    last: datetime | None = served.aggregate(last=Max("last_served_at"))["last"]
    return last


class Health(NamedTuple):
    """How the connection does, from real fetches: a colour, and why in words."""

    level: str
    words: str

    @classmethod
    def of(cls, consent: Any, access: AccessContext, at: datetime) -> Health | None:
        """`consent` carries `last_served_at` and `active_days` (of the last 30), as annotated.

        Where nothing can be read now, the health is the reason why: the same that the API gives.
        """
        if consent.status != Status.ALLOWED:
            return None
        reason = access.denial_reason()
        if reason is not None:
            level = "none" if reason == DenialReason.PAUSED else "bad"
            return cls(level, denial_in_words(reason))
        if consent.accept_terms_by is not None:
            return cls("warn", _("The terms have changed"))
        if consent.last_served_at is None:
            young = at - consent.decided_at < timedelta(days=2)
            return cls("none" if young else "warn", _("No downloads yet"))
        days = (at - consent.last_served_at).days
        habit = ngettext(
            "downloads on %(n)d of the last 30 days",
            "downloads on %(n)d of the last 30 days",
            consent.active_days,
        ) % {"n": consent.active_days}
        usual = 30 / max(consent.active_days, 1)
        if days <= max(1, 2 * usual) and days <= 14:
            return cls("good", habit)
        last = ngettext("last download %(n)d day ago", "last download %(n)d days ago", days) % {
            "n": days
        }
        return cls("warn" if days <= 14 else "bad", f"{last}; {habit}")


class Day(NamedTuple):
    """One day of the charts; heights are parts of 100, each chart on a scale of its own."""

    day: date
    served: int
    refused: int
    x: int
    height: int
    refused_height: int

    @property
    def y(self) -> int:
        """SVG counts downwards."""
        return 100 - self.height

    @property
    def refused_y(self) -> int:
        return 100 - self.refused_height


class Use(NamedTuple):
    """What was fetched and refused in the last 30 days."""

    days: list[Day]
    served: int
    refused: int

    @classmethod
    def of(cls, consent: Consent, at: datetime) -> Use:
        since = timezone.localdate(at) - timedelta(days=29)
        rows = ConsentActivity.objects.filter(consent=consent, day__gte=since)
        found = {row.day: (row.served, row.refused) for row in rows}
        most_served = max((served for served, _refused in found.values()), default=0) or 1
        most_refused = max((refused for _served, refused in found.values()), default=0) or 1
        days = []
        for place in range(30):
            day = since + timedelta(days=place)
            served, refused = found.get(day, (0, 0))
            heights = -(-100 * served // most_served), -(-100 * refused // most_refused)
            days.append(Day(day, served, refused, place * 10, *heights))
        return cls(days, sum(d.served for d in days), sum(d.refused for d in days))

    @property
    def busy_days(self) -> list[Day]:
        return [day for day in reversed(self.days) if day.served or day.refused]

    @property
    def busiest(self) -> Day:
        return max(self.days, key=lambda day: day.served)

    @property
    def most_refused(self) -> Day:
        return max(self.days, key=lambda day: day.refused)

    @property
    def mondays(self) -> list[Day]:
        return [day for day in self.days if day.day.weekday() == 0]


class Moment(NamedTuple):
    """One entry of the timeline."""

    at: datetime
    what: str
    who: str
    reason: str = ""
    until: datetime | None = None
    scope: ScopeRecord | None = None


def _scope_in_words(stored: dict[str, Any] | None) -> ScopeRecord | None:
    if stored is None:
        return None
    record = ScopeRecord(**stored)
    return replace(record, kinds=kinds_in_words(record.kinds))


def timeline(consent: Consent) -> list[Moment]:
    """What happened to a consent, oldest first: its events, who saw it, the first fetch."""
    moments = [
        Moment(
            event.at,
            event.get_kind_display(),
            event.actor_name,
            # A person's words stay as they are; the portal's own are in the catalogue.
            _(event.reason) if event.reason else "",
            event.until,
            _scope_in_words(event.scope),
        )
        # The first fetch itself tells its time better than the job that noticed it.
        for event in consent.events.exclude(kind=EventKind.FIRST_FETCHED).order_by("number")
    ]
    for look in consent.view_log.select_related("person"):
        moments.append(Moment(look.at, _("Viewed"), str(look.person)))
    first = ConsentActivity.objects.filter(consent=consent).aggregate(at=Min("first_served_at"))
    if first["at"] is not None:
        moments.append(Moment(first["at"], _("First download"), consent.partner.name))
    return sorted(moments, key=lambda moment: moment.at)


class EarlierDecisions(NamedTuple):
    """When this office last ended an earlier consent of the same software, and how."""

    cancelled_at: datetime | None
    denied_at: datetime | None


def earlier_decisions(consent: Consent) -> EarlierDecisions:
    """What this office decided about earlier consents of the same software."""
    earlier = Consent.objects.filter(
        office_id=consent.office_id, partner_id=consent.partner_id, pk__lt=consent.pk
    )
    found = earlier.aggregate(cancelled=Max("cancelled_at"))
    denied = earlier.filter(status=Status.DENIED).aggregate(at=Max("decided_at"))
    return EarlierDecisions(found["cancelled"], denied["at"])


class WayBack(NamedTuple):
    """The return redirect of a result page; `refused` where its address is not registered."""

    redirect: ReturnRedirect | None
    refused: bool = False


def way_back(consent: Consent, via: str) -> WayBack:
    """The way back to the software; none when the person came from the overview."""
    if via:
        return WayBack(None)
    try:
        return WayBack(return_redirect_of(consent))
    except UnregisteredRedirect:
        return WayBack(None, refused=True)


def just_decided(consent: Consent, person: User, at: datetime) -> bool:
    """Whether this person decided in the last ten minutes: the page then says so first."""
    newest = consent.events.exclude(kind=EventKind.REQUESTED).order_by("-pk").first()
    if newest is None or newest.person_id != person.pk:
        return False
    return at - newest.at < timedelta(minutes=10)


def last_asked(consent: Consent, person: User) -> datetime | None:
    """When this person last asked an Admin to decide."""
    asked = consent.events.filter(kind=EventKind.ASKED, person=person)
    at: datetime | None = asked.aggregate(at=Max("at"))["at"]
    return at


def ended_by(consent: Consent) -> str:
    """Who ended the consent, as the event says."""
    event = consent.events.filter(kind=EventKind.CANCELLED).first()
    return event.actor_name if event else ""
