"""Which company, of which office, and where to go next."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from accounts.pages import office_page, see_other
from accounts.requests import OfficeRequest
from clients.admins import AccountTaken, CodeTaken, NumberTaken, Taken
from clients.models import Client

FORM = ["GET", "HEAD", "POST"]


def registry_page(request: OfficeRequest, **more: Any) -> dict[str, Any]:
    return {**office_page(request, "companies"), **more}


def kept(request: OfficeRequest, uuid: UUID) -> Client:
    """A company that the office keeps or has archived, or 404."""
    rows = Client.objects.kept().filter(office=request.office).with_transfer()
    return get_object_or_404(rows.select_related("office"), uuid=uuid)


def active(request: OfficeRequest, uuid: UUID) -> Client:
    """A company whose books the office keeps now, or 404."""
    rows = Client.objects.active().filter(office=request.office)
    return get_object_or_404(rows.select_related("office"), uuid=uuid)


def to_record(client: Client) -> HttpResponse:
    return see_other("clients:record", client.office.slug, client.uuid)


def words_of(taken: Taken) -> tuple[str, str]:
    """Which field is wrong, and the sentence; never where else something is in use."""
    return {
        NumberTaken: (
            "company_number",
            _("This enterprise number is already active in the portal; ask for a transfer."),
        ),
        CodeTaken: ("code", _("Another company of your office has this code.")),
        AccountTaken: ("iban", _("This account is registered already.")),
    }[type(taken)]


def outdated() -> str:
    return _("Nothing was changed: somebody changed this company meanwhile.")
