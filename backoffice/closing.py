"""Operators close an office, or give it another enterprise number: what ends is shown before."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse

from accounts.company_number import validate_company_number
from accounts.joint import Act
from accounts.models import Office
from backoffice.joint import Joint, ReasonForm, act_together
from backoffice.site import Page
from consents.closing import change_number, close_office
from consents.models import Status


class NumberForm(ReasonForm):
    """The new number, which no office has."""

    detail = forms.CharField(
        max_length=10, label="New enterprise number", validators=[validate_company_number]
    )
    field_order = ["detail", "reason"]

    def clean_detail(self) -> str:
        number: str = self.cleaned_data["detail"]
        if Office.objects.filter(company_number=number).exists():
            raise forms.ValidationError("An office here has this number already.")
        return number


def _open_office(key: int) -> Office:
    office: Office = get_object_or_404(Office, pk=key, closed_at=None)
    return office


def _what_ends(office: Office) -> tuple[list[str], list[str]]:
    """What both acts do to consents, and which software loses its access."""
    allowed = office.consents.filter(status=Status.ALLOWED).select_related("partner")
    names = [consent.partner.name for consent in allowed.order_by("partner__name")[:20]]
    waiting = office.consents.live().exclude(status=Status.ALLOWED).count()
    return [
        f"Cancelled, for good: {allowed.count()} allowed consents, each with its event; the next "
        "call of the software is refused.",
        f"Closed as lapsed: {waiting} requests that nobody answered.",
    ], names


def close_page(page: Page, request: HttpRequest, pk: int) -> HttpResponse:
    """An office is closed for good; its number stays taken."""
    office = _open_office(pk)
    ends, names = _what_ends(office)
    joint = Joint(
        kind=Act.CLOSE_OFFICE,
        about={"office": office},
        carry_out=close_office,
        logged=office,
        back=reverse("admin:accounts_office_change", args=[office.pk]),
        title=f"Close {office}",
        stops=[
            *ends,
            f"Shut out: {office.memberships.active().count()} people; nobody opens a page or a "
            "document of this office any more, and open invitations are withdrawn.",
            "Kept: the consents, their events and their evidence, as proof.",
            "Told: everybody who works there. It cannot be undone.",
        ],
        names=names,
        change=f"state: {'active' if office.is_active else 'suspended'} → closed",
    )
    return act_together(page, request, joint)


def number_page(page: Page, request: HttpRequest, pk: int) -> HttpResponse:
    """Software names an office by its number, so what was allowed for the old one ends."""
    office = _open_office(pk)
    ends, names = _what_ends(office)
    joint = Joint(
        kind=Act.CHANGE_NUMBER,
        about={"office": office},
        carry_out=change_number,
        logged=office,
        back=reverse("admin:accounts_office_change", args=[office.pk]),
        title=f"Change the enterprise number of {office}",
        stops=[
            f"The number is {office.company_number} now. Another number is another legal person: "
            "consents do not move to it. An Admin decides anew when the software asks again.",
            *ends,
            "Kept: the people, the companies, the documents.",
            "Told: all Admins.",
        ],
        names=names,
        form=NumberForm,
        change=f"enterprise number: {office.company_number} → {{}}",
    )
    return act_together(page, request, joint)
