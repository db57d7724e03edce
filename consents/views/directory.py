"""The software directory: what can connect, what it reads, and how it stands with this office."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from accounts.decorators import office_view
from accounts.models import Office
from accounts.requests import OfficeRequest, office_page
from consents.actors import Actor
from consents.models import Block, Consent, NotAnAdmin
from consents.models import block as blocks
from consents.presenters import kinds_in_words
from consents.views.navigation import consent_of
from core.clock import database_time
from core.document_kinds import KINDS
from core.http import see_other
from partners.models import Partner


class Software(NamedTuple):
    """One line of the directory; `consent` is the newest one of this office, if it ever asked."""

    partner: Partner
    kinds: list[str]
    consent: Consent | None = None
    blocked: bool = False


@require_safe
def public(request: HttpRequest) -> HttpResponse:
    """For anybody: which software can connect. A maker may link to its own line."""
    lines = [
        Software(partner, kinds_in_words(partner.document_kinds))
        for partner in Partner.objects.listed().order_by("name")
    ]
    kinds = [kind.label for kind in KINDS]
    context = {"lines": lines, "kinds": kinds, "now": database_time()}
    return render(request, "consents/software.html", context)


@require_safe
@office_view(admin=True)
def directory(request: OfficeRequest) -> HttpResponse:
    """The same, with the state of each software for this office."""
    context = {
        **office_page(request, "consents"),
        "now": database_time(),
        "lines": _lines(request.office),
    }
    return render(request, "consents/directory.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@office_view(admin=True)
def block(request: OfficeRequest, uuid: UUID) -> HttpResponse:
    """Block the software of this consent, so that it cannot ask again; or unblock it."""
    consent = consent_of(request, uuid)
    blocked = Block.objects.filter(office=request.office, partner=consent.partner).exists()
    if request.method == "POST":
        act = blocks.block if request.POST.get("wish") == "block" else blocks.unblock
        try:
            act(consent, Actor.of(request))
        except NotAnAdmin as error:
            raise PermissionDenied from error
        now_blocked = _("%(software)s is blocked and cannot ask for access.")
        now_free = _("%(software)s can ask for access again.")
        said = now_blocked if act == blocks.block else now_free
        messages.success(request, said % {"software": consent.partner.name})
        return see_other(reverse("consents:directory", args=[request.office.slug]))
    context = {**office_page(request, "consents"), "consent": consent, "blocked": blocked}
    return render(request, "consents/block.html", context)


def _lines(office: Office) -> list[Software]:
    """All active software, and whatever else this office still has something with."""
    newest = office.consents.order_by("partner", "-pk").distinct("partner")
    consents = {consent.partner_id: consent for consent in newest}
    blocked = set(office.blocks.values_list("partner", flat=True))
    known = Partner.objects.listed() | Partner.objects.filter(pk__in=[*consents, *blocked])
    return [
        Software(
            partner,
            kinds_in_words(partner.document_kinds),
            consents.get(partner.pk),
            partner.pk in blocked,
        )
        for partner in known.order_by("name")
    ]
