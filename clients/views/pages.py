"""Which company, of which office, and where to go next."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from accounts.requests import OfficeRequest, office_page
from clients.admins import AccountTaken, CodeTaken, NumberTaken, Taken, TooManyClaims
from clients.models import Client
from core.http import see_other

FORM = ["GET", "HEAD", "POST"]


def registry_page(request: OfficeRequest, **more: Any) -> dict[str, Any]:
    return {**office_page(request, "companies"), **more}


def active_or_archived(request: OfficeRequest, uuid: UUID) -> Client:
    """A company that the office keeps or has archived, or 404."""
    rows = Client.objects.not_transferred().filter(office=request.office).with_transfer()
    return get_object_or_404(rows.select_related("office"), uuid=uuid)


def active(request: OfficeRequest, uuid: UUID) -> Client:
    """A company whose books the office keeps now, or 404."""
    rows = Client.objects.active().filter(office=request.office)
    return get_object_or_404(rows.select_related("office"), uuid=uuid)


def to_record(client: Client) -> HttpResponse:
    return see_other("clients:record", client.office.slug, client.uuid)


def words_of(taken: Taken) -> tuple[str | None, str]:
    """Which field is wrong, and the sentence: it only ever tells what the office itself has."""
    return {
        NumberTaken: ("company_number", _("Your office already has this company.")),
        CodeTaken: (
            "code",
            _("Another company in your office already has this code. Choose a different one."),
        ),
        AccountTaken: ("iban", _("Your office has already added this account.")),
        TooManyClaims: (
            None,
            _(
                "Your office has added as many companies and accounts as one day allows. "
                "Try again tomorrow."
            ),
        ),
    }[type(taken)]


def outdated() -> str:
    return _(
        "Nothing was saved: someone else has just changed this company. Check it and try again."
    )
