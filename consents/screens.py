"""What the consent screens tell, gathered from the rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, Concatenate, NamedTuple, ParamSpec, cast
from uuid import UUID

from django.db.models import Max, Sum
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode

from accounts.decorators import AnyView, PersonView, person_view, second_factor_first
from accounts.models import Membership, User
from accounts.requests import PersonRequest
from clients.models import Client
from consents.handback import UnknownAddress, handback
from consents.models import Consent, ConsentActivity, EventKind, Status

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
    """What the software will be able to read: kinds in words, and how many companies."""

    kinds: list[str]
    companies: int

    @classmethod
    def of(cls, consent: Consent) -> Scope:
        companies = Client.objects.active().filter(office_id=consent.office_id).count()
        return cls(consent.partner.kind_labels, companies)


class Proof(NamedTuple):
    """That a stop has stopped: the last document served, and the attempts refused since."""

    last_served_at: datetime | None
    refused_since: int

    @classmethod
    def of(cls, consent: Consent) -> Proof:
        activity = ConsentActivity.objects.filter(consent=consent)
        totals = activity.aggregate(last=Max("last_served_at"), refused=Sum("refused"))
        return cls(totals["last"], totals["refused"] or 0)


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


def ended_by(consent: Consent) -> str:
    """Who ended the consent, as the event says."""
    event = consent.events.filter(kind=EventKind.CANCELLED).first()
    return event.actor_name if event else ""
