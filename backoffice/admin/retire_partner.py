"""Retire accounting software and end its consents, by two operators."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse

from backoffice.admin.four_eyes import FourEyesAction, four_eyes_page
from backoffice.admin.site import AdminPage
from backoffice.models.four_eyes import ApprovalKind
from backoffice.termination import retire_partner
from backoffice.words import counted
from consents.models import Status
from partners.models import Partner, PartnerStatus


def retire_page(page: AdminPage, request: HttpRequest, pk: int) -> HttpResponse:
    """Retire this partner, by two operators; show which offices lose the connection."""
    partner: Partner = get_object_or_404(
        Partner.objects.exclude(status=PartnerStatus.RETIRED), pk=pk
    )
    allowed = partner.consents.filter(status=Status.ALLOWED).select_related("office")
    waiting = partner.consents.live().exclude(status=Status.ALLOWED).count()
    action = FourEyesAction(
        kind=ApprovalKind.RETIRE_PARTNER,
        subjects={"partner": partner},
        carry_out=retire_partner,
        history_of=partner,
        back=reverse("admin:partners_partner_change", args=[partner.pk]),
        title=f"Retire {partner}",
        consequences=[
            f"{counted(allowed.count(), 'allowed consent')} will be cancelled permanently.",
            f"{counted(waiting, 'unanswered request')} will be withdrawn.",
            "All calls and new tokens will be refused.",
            "The Admins of all these offices will be told. This cannot be undone.",
        ],
        affected=[consent.office.name for consent in allowed.order_by("office__name")[:20]],
        change=f"status: {partner.status} → {PartnerStatus.RETIRED}",
    )
    return four_eyes_page(page, request, action)
