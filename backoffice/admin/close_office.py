"""Close an office, or change its enterprise number, by two operators."""

from __future__ import annotations

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse

from accounts.models import Office
from backoffice.admin.four_eyes import FourEyesAction, ReasonForm, four_eyes_page
from backoffice.admin.site import AdminPage
from backoffice.models.four_eyes import ApprovalKind
from backoffice.termination import change_number, close_office
from backoffice.words import counted
from consents.models import Status
from core.enterprise_number import CompanyNumberField


class NumberForm(ReasonForm):
    """The new number, which no other office has, and the reason."""

    detail = CompanyNumberField(label="New enterprise number")
    field_order = ["detail", "reason"]

    def clean_detail(self) -> str:
        number: str = self.cleaned_data["detail"]
        if Office.objects.filter(company_number=number).exists():
            raise forms.ValidationError("Another office already has this number.")
        return number


def _open_office(key: int) -> Office:
    office: Office = get_object_or_404(Office, pk=key, closed_at=None)
    return office


def _what_ends(office: Office) -> tuple[list[str], list[str]]:
    """Return what both acts do to consents, and the names of the software that loses access."""
    allowed = office.consents.filter(status=Status.ALLOWED).select_related("partner")
    names = [consent.partner.name for consent in allowed.order_by("partner__name")[:20]]
    waiting = office.consents.live().exclude(status=Status.ALLOWED).count()
    return [
        f"{counted(allowed.count(), 'allowed consent')} will be cancelled permanently. The next "
        "call by the software is refused.",
        f"{counted(waiting, 'unanswered request')} will be closed as lapsed.",
    ], names


def close_page(page: AdminPage, request: HttpRequest, pk: int) -> HttpResponse:
    """Close an office permanently. Its number stays taken."""
    office = _open_office(pk)
    ends, names = _what_ends(office)
    action = FourEyesAction(
        kind=ApprovalKind.CLOSE_OFFICE,
        subjects={"office": office},
        carry_out=close_office,
        history_of=office,
        back=reverse("admin:accounts_office_change", args=[office.pk]),
        title=f"Close {office}",
        consequences=[
            *ends,
            f"{office.memberships.active().count()} people will lose access to all pages and "
            "documents of this office. Open invitations will be withdrawn.",
            "Consents, events and evidence will be kept as proof.",
            "Everyone who works for the office will be told. This cannot be undone.",
        ],
        affected=names,
        change=f"state: {'active' if office.is_active else 'suspended'} → closed",
    )
    return four_eyes_page(page, request, action)


def number_page(page: AdminPage, request: HttpRequest, pk: int) -> HttpResponse:
    """Change the number. Software knows an office by its number, so its consents end."""
    office = _open_office(pk)
    ends, names = _what_ends(office)
    action = FourEyesAction(
        kind=ApprovalKind.CHANGE_NUMBER,
        subjects={"office": office},
        carry_out=change_number,
        history_of=office,
        back=reverse("admin:accounts_office_change", args=[office.pk]),
        title=f"Change the enterprise number of {office}",
        consequences=[
            f"The current number is {office.company_number}. A different number is a different "
            "legal entity, so consents do not carry over. When software asks again, an Admin "
            "decides.",
            *ends,
            "Users, companies and documents will be kept.",
            "All Admins will be told.",
        ],
        affected=names,
        form=NumberForm,
        change=f"enterprise number: {office.company_number} → {{}}",
    )
    return four_eyes_page(page, request, action)
