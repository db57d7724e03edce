"""Companies: the list of an office, and what it says about each of them."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.decorators import office_view
from accounts.login.rate_limits import limited
from accounts.models import Office
from accounts.requests import OfficeRequest
from clients.admins import Outdated, Taken
from clients.forms import (
    AccountForm,
    AddForm,
    ArchiveForm,
    CompanyForm,
    RegistryFilter,
)
from clients.last_seen import LastSeen, last_seen
from clients.models import Client
from clients.models.event import ClientEvent
from clients.views.pages import (
    FORM,
    active,
    active_or_archived,
    outdated,
    registry_page,
    to_record,
    words_of,
)
from core.csv_export import csv_file
from core.dates import iso
from core.http import see_other
from core.lists import Part, one_page

PAGE = 50
EVENTS_ON_A_PAGE = 25


@require_safe
@office_view()
def companies(request: OfficeRequest) -> HttpResponse:
    """The companies of the office, searched, filtered and paged by key."""
    asked = RegistryFilter(request.GET)
    asked.is_valid()
    ours = Client.objects.filter(office=request.office)
    rows = ours.in_state(asked.given("state")).named(asked.words).with_transfer()
    page = asked.page_of(PAGE, Part(rows, (asked.given("sort"), "pk")), counted=True)
    seen = last_seen(request.office, page.rows)
    context = registry_page(
        request,
        asked=asked,
        page=page,
        companies=[(company, seen.get(company.pk, LastSeen())) for company in page.rows],
        counts=ours.counts(),
        arriving=request.office.transfers_in.open().with_companies(),
    )
    return render(request, "clients/companies.html", context)


@require_safe
@office_view()
def export(request: OfficeRequest) -> HttpResponseBase:
    """All companies of the office as CSV, the archived ones too."""
    heads = [_("Company code"), _("Enterprise number"), _("Name"), _("Language"), _("Email")]
    heads += [_("Bank accounts"), _("Archived"), _("Reason"), _("Leaving on")]
    return csv_file(f"companies-{request.office.slug}.csv", heads, _rows(request.office))


def _rows(office: Office) -> Iterator[list[str]]:
    rows = Client.objects.not_transferred().filter(office=office).prefetch_related("accounts")
    for one in rows.order_by("name", "pk").iterator(chunk_size=1000):
        accounts = " ".join(sorted(account.iban for account in one.accounts.all()))
        yield [
            *(one.code, one.company_number, one.name, one.language, one.email, accounts),
            *(iso(one.archived_at), one.archived_reason, iso(one.leaves_at)),
        ]


@require_safe
@office_view()
def record(request: OfficeRequest, uuid: UUID) -> HttpResponse:
    """What the office says about one company, and everything that happened to it here."""
    client = active_or_archived(request, uuid)
    history = ClientEvent.objects.filter(client=client, office=request.office)
    context = registry_page(
        request,
        client=client,
        tab="record",
        transfer=client.transfer_under_way(),
        accounts=client.accounts.order_by("iban"),
        page=one_page(request.GET, EVENTS_ON_A_PAGE, Part(history, ("-pk",))),
    )
    return render(request, "clients/record.html", context)


@require_http_methods(FORM)
@office_view(admin=True)
@limited("claim")
def add(request: OfficeRequest) -> HttpResponse:
    """Take a company into the books of the office."""
    form = AddForm(request.POST or None, initial={"language": request.office.language})
    if request.method == "POST" and form.is_valid():
        try:
            client = Client.objects.add(request.office, request.user, **form.cleaned_data)
        except Taken as taken:
            form.add_error(*words_of(taken))
        else:
            messages.info(request, _("%(company)s has been added.") % {"company": client})
            return to_record(client)
    return render(request, "clients/add.html", registry_page(request, form=form))


@require_http_methods(FORM)
@office_view(admin=True)
def edit(request: OfficeRequest, uuid: UUID) -> HttpResponse:
    """Change what the office says about a company; its enterprise number is fixed."""
    client = active(request, uuid)
    form = CompanyForm.of(client, request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            client.change(request.user, **form.cleaned_data)
        except Taken as taken:
            form.add_error(*words_of(taken))
        except Outdated:
            form.add_error(None, outdated())
        else:
            messages.info(request, _("The company has been saved."))
            return to_record(client)
    return render(request, "clients/edit.html", registry_page(request, client=client, form=form))


@require_http_methods(FORM)
@office_view(admin=True)
@limited("claim")
def accounts(request: OfficeRequest, uuid: UUID) -> HttpResponse:
    """The bank accounts whose statements are filed under this company."""
    client = active(request, uuid)
    form = AccountForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            client.register_account(request.user, form.cleaned_data["iban"])
        except Taken as taken:
            form.add_error(*words_of(taken))
        except Outdated:
            form.add_error(None, outdated())
        else:
            messages.info(request, _("The account has been added."))
            return see_other("clients:accounts", request.office.slug, client.uuid)
    known = client.accounts.order_by("iban")
    context = registry_page(request, client=client, form=form, accounts=known)
    return render(request, "clients/accounts.html", context)


@require_POST
@office_view(admin=True)
def remove_account(request: OfficeRequest, uuid: UUID, iban: str) -> HttpResponse:
    """Forget a bank account that the company does not use any more."""
    client = active(request, uuid)
    try:
        client.remove_account(request.user, iban)
    except Outdated:
        messages.warning(request, outdated())
    else:
        messages.info(request, _("The account has been removed. Its documents have been kept."))
    return see_other("clients:accounts", request.office.slug, client.uuid)


@require_http_methods(FORM)
@office_view(admin=True)
def archive(request: OfficeRequest, uuid: UUID) -> HttpResponse:
    """Put a company away, after saying what software will no longer see."""
    client = active(request, uuid)
    if client.transfer_under_way():
        messages.warning(request, _("You cannot archive a company while it is being transferred."))
        return to_record(client)
    form = ArchiveForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            client.archive(request.user, form.cleaned_data["reason"])
        except Outdated:
            messages.warning(request, outdated())
        else:
            messages.info(request, _("%(company)s has been archived.") % {"company": client})
        return to_record(client)
    return render(request, "clients/archive.html", registry_page(request, client=client, form=form))


@require_http_methods(FORM)
@office_view(admin=True)
@limited("claim")
def restore(request: OfficeRequest, uuid: UUID) -> HttpResponse:
    """Take a company back from the archive."""
    client = active_or_archived(request, uuid)
    if client.archived_at is None:
        return to_record(client)
    if request.method == "POST":
        try:
            client.restore(request.user)
        except Taken as taken:
            messages.error(request, words_of(taken)[1])
        except Outdated:
            messages.warning(request, outdated())
        else:
            messages.info(request, _("%(company)s is active again.") % {"company": client})
        return to_record(client)
    return render(request, "clients/restore.html", registry_page(request, client=client))
