"""What the consent screens tell, gathered from the rows."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date, datetime, timedelta
from functools import wraps
from typing import Any, Concatenate, NamedTuple, ParamSpec, cast
from uuid import UUID

from django.db.models import Max, Min, Sum
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.decorators import AnyView, PersonView, person_view, second_factor_first
from accounts.models import Membership, User
from accounts.requests import PersonRequest
from clients.models import Client
from consents.handback import UnknownAddress, handback
from consents.models import Consent, ConsentActivity, EventKind, Status
from consents.scope import clients_in_scope
from partners.models import DocumentKind

P = ParamSpec("P")


class ConsentRequest(PersonRequest):
    """A request about one consent of an office the person works for."""

    consent: Consent
    membership: Membership


def consent_view(
    view: Callable[Concatenate[ConsentRequest, P], HttpResponse],
) -> AnyView:
    """Resolve the identifier to a consent of one of the person's offices.

    For everybody else, and for an identifier that does not exist, one and the same neutral page.
    """

    @wraps(view)
    def wrapped(
        request: PersonRequest, uuid: UUID, *args: P.args, **kwargs: P.kwargs
    ) -> HttpResponse:
        membership = (
            Membership.objects.active()
            .select_related("office")
            .filter(user=request.user, office__consents__uuid=uuid)
            .first()
        )
        if membership is None:
            return not_for_you(request)
        checked = cast(ConsentRequest, request)
        checked.membership = membership
        membership.saw()
        checked.consent = Consent.objects.select_related(
            "office", "partner", "decided_by", "terms"
        ).get(uuid=uuid)
        return second_factor_first(request, membership) or view(checked, *args, **kwargs)

    return person_view(cast(PersonView[...], wrapped))


def not_for_you(request: PersonRequest) -> HttpResponse:
    """Say neither which office nor which software it was, nor whether there was one."""
    login = reverse("account_login") + "?" + urlencode({"next": request.path})
    switch_url = reverse("account_logout") + "?" + urlencode({"next": login})
    return render(request, "consents/not_for_you.html", {"switch_url": switch_url}, status=404)


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
            not consent.only_listed,
        )


def kinds_in_words(kinds: Collection[str]) -> list[str]:
    """The kinds in the words of the reader's language."""
    return [str(kind.label) for kind in DocumentKind if kind in kinds]


class Proof(NamedTuple):
    """That a stop has stopped: the last document served, and the attempts refused since."""

    last_served_at: datetime | None
    refused_since: int

    @classmethod
    def of(cls, consent: Consent) -> Proof:
        activity = ConsentActivity.objects.filter(consent=consent)
        totals = activity.aggregate(last=Max("last_served_at"), refused=Sum("refused_ended"))
        return cls(totals["last"], totals["refused"] or 0)


class Health(NamedTuple):
    """How the connection does, from real fetches: a colour, and the reason in words."""

    level: str
    words: str

    @classmethod
    def of(cls, consent: Any) -> Health | None:
        """`consent` carries `last_served_at` and `active_days` (of the last 30), as annotated."""
        if consent.status != Status.ALLOWED:
            return None
        if consent.is_paused:
            return cls("none", _("Paused"))
        if consent.reaccept_by is not None:
            return cls("bad" if consent.terms_overdue else "warn", _("The terms have changed"))
        if consent.last_served_at is None:
            young = consent.read_at - consent.decided_at < timedelta(days=2)
            return cls("none" if young else "warn", _("Nothing fetched yet"))
        days = (consent.read_at - consent.last_served_at).days
        habit = ngettext(
            "fetched on %(n)d day of the last 30",
            "fetched on %(n)d days of the last 30",
            consent.active_days,
        ) % {"n": consent.active_days}
        usual = 30 / max(consent.active_days, 1)
        if days <= max(1, 2 * usual) and days <= 14:
            return cls("good", habit)
        last = ngettext("last fetch %(n)d day ago", "last fetch %(n)d days ago", days) % {"n": days}
        return cls("warn" if days <= 14 else "bad", f"{last}; {habit}")


class Day(NamedTuple):
    """One bar of the chart, in the units of its drawing; heights are parts of 100."""

    day: date
    served: int
    refused: int
    x: int
    height: int


class Use(NamedTuple):
    """What was fetched in the last 30 days."""

    days: list[Day]
    served: int
    refused: int

    @classmethod
    def of(cls, consent: Consent) -> Use:
        since = timezone.localdate(consent.read_at) - timedelta(days=29)
        found = {
            row.day: row for row in ConsentActivity.objects.filter(consent=consent, day__gte=since)
        }
        most = max([row.served for row in found.values()], default=0) or 1
        days = []
        for place in range(30):
            row = found.get(since + timedelta(days=place))
            served, refused = (row.served, row.refused) if row else (0, 0)
            height = -(-100 * served // most)
            days.append(Day(since + timedelta(days=place), served, refused, place * 10, height))
        return cls(days, sum(d.served for d in days), sum(d.refused for d in days))

    @property
    def busy_days(self) -> list[Day]:
        return [day for day in reversed(self.days) if day.served or day.refused]


class Moment(NamedTuple):
    """One entry of the timeline."""

    at: datetime
    what: str
    who: str
    reason: str = ""
    until: datetime | None = None
    scope: dict[str, Any] | None = None


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
            event.scope and {**event.scope, "kinds": kinds_in_words(event.scope["kinds"])},
        )
        # The first fetch itself tells its time better than the job that noticed it.
        for event in consent.events.exclude(kind=EventKind.FIRST_FETCHED).order_by("number")
    ]
    for look in consent.seen.select_related("person"):
        moments.append(Moment(look.at, _("Seen"), str(look.person)))
    first = ConsentActivity.objects.filter(consent=consent).aggregate(at=Min("first_served_at"))
    if first["at"] is not None:
        moments.append(Moment(first["at"], _("First fetch"), consent.partner.name))
    return sorted(moments, key=lambda moment: moment.at)


def earlier_decisions(consent: Consent) -> dict[str, datetime | None]:
    """When this office cancelled, or denied, an earlier consent of the same software."""
    earlier = Consent.objects.filter(
        office_id=consent.office_id, partner_id=consent.partner_id, pk__lt=consent.pk
    )
    found = earlier.aggregate(cancelled=Max("cancelled_at"))
    denied = earlier.filter(status=Status.DENIED).aggregate(at=Max("decided_at"))
    return {"cancelled_before": found["cancelled"], "denied_before": denied["at"]}


def way_back(consent: Consent, via: str) -> dict[str, Any]:
    """The hand-back for the template; none when the person came from the overview."""
    if via:
        return {"handback": None, "handback_refused": False}
    try:
        return {"handback": handback(consent), "handback_refused": False}
    except UnknownAddress:
        return {"handback": None, "handback_refused": True}


def just_decided(consent: Consent, person: User) -> bool:
    """Whether this person decided a moment ago; an old link to the page tells the same calmly."""
    newest = consent.events.exclude(kind=EventKind.REQUESTED).order_by("-pk").first()
    if newest is None or newest.person_id != person.pk:
        return False
    return consent.read_at - newest.at < timedelta(minutes=10)


def last_asked(consent: Consent, person: User) -> datetime | None:
    """When this person last asked an Admin to decide."""
    asked = consent.events.filter(kind=EventKind.ASKED, person=person)
    at: datetime | None = asked.aggregate(at=Max("at"))["at"]
    return at


def ended_by(consent: Consent) -> str:
    """Who ended the consent, as the event says."""
    event = consent.events.filter(kind=EventKind.CANCELLED).first()
    return event.actor_name if event else ""
