"""Operators retire a software: its consents end first, each with its event, by two of them."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse

from accounts.joint import Act
from backoffice.joint import Joint, act_together
from backoffice.site import Page
from consents.closing import retire_partner
from consents.models import Status
from partners.models import Partner, PartnerStatus


def retire_page(page: Page, request: HttpRequest, pk: int) -> HttpResponse:
    """Say which offices lose the connection; one operator asks, another one confirms."""
    partner: Partner = get_object_or_404(
        Partner.objects.exclude(status=PartnerStatus.RETIRED), pk=pk
    )
    allowed = partner.consents.filter(status=Status.ALLOWED).select_related("office")
    waiting = partner.consents.live().exclude(status=Status.ALLOWED).count()
    joint = Joint(
        kind=Act.RETIRE_PARTNER,
        about={"partner": partner},
        carry_out=retire_partner,
        logged=partner,
        back=reverse("admin:partners_partner_change", args=[partner.pk]),
        title=f"Retire {partner}",
        stops=[
            f"Cancelled, for good: {allowed.count()} allowed consents, each with its event.",
            f"Withdrawn: {waiting} requests that nobody answered.",
            "Refused: every call, and every new token.",
            "Told: the Admins of each of these offices. It cannot be undone.",
        ],
        names=[consent.office.name for consent in allowed.order_by("office__name")[:20]],
        change=f"status: {partner.status} → {PartnerStatus.RETIRED}",
    )
    return act_together(page, request, joint)
