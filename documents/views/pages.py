"""What the pages of a company have in common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from accounts.requests import OfficeRequest
from clients.models import Client
from core.csv_export import csv_file
from core.dates import iso
from documents.access_report import Fetch

PAGE = 50


def company_of(request: OfficeRequest, number: str) -> Client:
    clients = Client.objects.active().filter(office=request.office)
    return get_object_or_404(clients, company_number=number)


def office_page(request: OfficeRequest) -> dict[str, Any]:
    return {"office": request.office, "role": request.membership.role, "section": "companies"}


def company_page(request: OfficeRequest, client: Client) -> dict[str, Any]:
    return {**office_page(request), "client": client}


def fetches_as_csv(name: str, fetched: Iterable[Fetch]) -> HttpResponseBase:
    heads = [_("When"), _("Software"), _("Type"), _("Document"), _("Format"), _("Complete")]
    rows = (
        [
            iso(one.at),
            one.software,
            one.kind,
            one.document,
            one.attachment or one.format,
            str(int(one.whole)),
        ]
        for one in fetched
    )
    return csv_file(name, heads, rows)
