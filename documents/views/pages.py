"""What the pages of a company have in common."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from accounts.requests import OfficeRequest
from clients.models import Client
from core.csv_export import csv_file
from core.dates import iso
from core.lists import AFTER, BEFORE, Page, one_page
from core.row_security import office_scope
from documents.access_report import Fetch, fetches, looks, reads_of, views_of
from documents.models import Document

PAGE = 50
# Before the place in the list of looks, where the fetches stand on the same screen.
LOOKS = "looks_"


def company_of(request: OfficeRequest, number: str) -> Client:
    clients = Client.objects.active().filter(office=request.office)
    return get_object_or_404(clients, company_number=number)


def office_page(request: OfficeRequest) -> dict[str, Any]:
    return {"office": request.office, "role": request.membership.role, "section": "companies"}


def company_page(request: OfficeRequest, client: Client) -> dict[str, Any]:
    return {**office_page(request), "client": client}


def who_read(
    request: OfficeRequest, client: Client, document: Document | None = None
) -> dict[str, Page]:
    """The fetches of software and the looks of people: two lists, each keeps the other's place."""
    with office_scope(request.office.pk):
        reads = one_page(request.GET, PAGE, reads_of(client, document), kept=_place(request, LOOKS))
        views = one_page(
            request.GET, PAGE, views_of(client, document), kept=_place(request), prefix=LOOKS
        )
    return {
        "fetches": replace(reads, rows=fetches(client, reads.rows)),
        "looks": replace(views, rows=looks(client, views.rows)),
    }


def _place(request: OfficeRequest, prefix: str = "") -> dict[str, str]:
    names = (f"{prefix}{place}" for place in (BEFORE, AFTER))
    return {name: request.GET.get(name, "") for name in names}


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
