"""Checks of one field of a partner's entry while somebody types: the rules of the form itself."""

from __future__ import annotations

from collections.abc import Callable

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, JsonResponse

from backoffice.admin.site import AdminPage
from core.enterprise_number import CompanyNumberField
from notifications.models.webhook_endpoint import check_address
from partners.certificates import plain_fingerprint
from partners.models import ClientCertificate, Partner
from partners.redirects import fault_of_registration

LONGEST = 2100


def _name(value: str) -> None:
    if Partner.objects.filter(name=value.strip()).exists():
        raise ValidationError("Software with this name exists already.")


def _redirect(value: str) -> None:
    if fault := fault_of_registration(value, is_origin=False):
        raise ValidationError(fault)


def _fingerprint(value: str) -> None:
    field = ClientCertificate._meta.get_field("fingerprint")
    field.run_validators(plain_fingerprint(value))


def _with(field: forms.Field) -> Callable[[str], None]:
    return lambda value: field.clean(value)


# The last part of a field's name, as the form has it.
CHECKS: dict[str, Callable[[str], None]] = {
    "name": _name,
    "legal_number": _with(CompanyNumberField()),
    "email": _with(forms.EmailField()),
    "website": _with(forms.URLField(assume_scheme="https")),
    "connect_url": _with(forms.URLField(assume_scheme="https")),
    "uri": _redirect,
    "url": check_address,
    "fingerprint": _fingerprint,
}


def check_field(page: AdminPage, request: HttpRequest) -> JsonResponse:
    """Answer `{"problem": "…"}`, empty where the value is good or nobody checks this field."""
    name, value = request.GET.get("field", ""), request.GET.get("value", "")[:LONGEST]
    check = CHECKS.get(name)
    problem = ""
    if check is not None and value.strip():
        try:
            check(value)
        except ValidationError as error:
            problem = " ".join(error.messages)
    return JsonResponse({"problem": problem})
