"""Who may open a consent by its identifier: the people of its office, and nobody else."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode

from accounts.decorators import AnyView, PersonView, person_view, second_factor_first
from accounts.models import Membership
from accounts.requests import PersonRequest
from consents.models import Consent

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
        membership.note_visit()
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
