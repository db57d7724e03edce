"""Companies: the list of an office, and what it says about each of them."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.decorators import office_view
from accounts.finding import older_than, one_page
from accounts.models import Office
from accounts.pages import see_other
from accounts.requests import OfficeRequest
from accounts.spreadsheet import csv_file, iso
from clients.admins import Outdated, Taken
from clients.events import ClientEvent
from clients.forms import (
    AccountForm,
    AddForm,
    ArchiveForm,
    CompanyForm,
    RegistryFilter,
)
from clients.models import Client
from clients.views.pages import FORM, active, kept, outdated, registry_page, to_record, words_of

PAGE = 50
STORY = 25


@require_safe
@office_view()
def companies(request: OfficeRequest) -> HttpResponse:
    """The companies of the office, searched, filtered and paged by key."""
    asked = RegistryFilter(request.GET)
    asked.is_valid()
    ours = Client.objects.filter(office=request.office)
    rows = ours.in_state(asked.given("state")).named(asked.words).with_transfer()
    page, last = one_page(rows.sorted_after(asked.given("sort"), asked.given("after")), PAGE)
    context = registry_page(
        request,
        asked=asked,
        companies=page,
        counts=ours.counts(),
        arriving=request.office.transfers_in.open().with_companies(),
        next_url=last and asked.further(after=last.uuid),
    )
    return render(request, "clients/companies.html", context)


@require_safe
@office_view()
def export(request: OfficeRequest) -> HttpResponse:
    """All companies of the office as CSV, the archived ones too."""
    heads = [_("Company code"), _("Enterprise number"), _("Name"), _("Language"), _("E-mail")]
    heads += [_("Bank accounts"), _("Archived"), _("Reason"), _("Leaves")]
    return csv_file(f"companies-{request.office.slug}.csv", heads, _rows(request.office))


def _rows(office: Office) -> Iterator[list[str]]:
    rows = Client.objects.kept().filter(office=office).prefetch_related("accounts")
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
    client = kept(request, uuid)
    story = ClientEvent.objects.filter(client=client, office=request.office).order_by("-pk")
    if before := older_than(request):
        story = story.filter(pk__lt=before)
    events, last = one_page(story, STORY)
    context = registry_page(
        request,
        client=client,
        transfer=client.transfer_under_way(),
        accounts=client.accounts.order_by("iban"),
        events=events,
        next_url=last and f"?before={last.pk}",
    )
    return render(request, "clients/record.html", context)


@require_http_methods(FORM)
@office_view(admin=True)
def add(request: OfficeRequest) -> HttpResponse:
    """Take a company into the books of the office."""
    form = AddForm(request.POST or None, initial={"language": request.office.language})
    if request.method == "POST" and form.is_valid():
        try:
            client = Client.objects.add(request.office, request.user, **form.cleaned_data)
        except Taken as taken:
            form.add_error(*words_of(taken))
        else:
            messages.info(request, _("%(company)s is added.") % {"company": client})
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
            messages.info(request, _("The company is saved."))
            return to_record(client)
    return render(request, "clients/edit.html", registry_page(request, client=client, form=form))


@require_http_methods(FORM)
@office_view(admin=True)
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
            messages.info(request, _("The account is registered."))
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
        messages.info(request, _("The account is removed; its documents stay."))
    return see_other("clients:accounts", request.office.slug, client.uuid)


@require_http_methods(FORM)
@office_view(admin=True)
def archive(request: OfficeRequest, uuid: UUID) -> HttpResponse:
    """Put a company away, after saying what software will no longer see."""
    client = active(request, uuid)
    if client.transfer_under_way():
        messages.warning(request, _("A company that is being transferred cannot be archived."))
        return to_record(client)
    form = ArchiveForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            client.archive(request.user, form.cleaned_data["reason"])
        except Outdated:
            messages.warning(request, outdated())
        else:
            messages.info(request, _("%(company)s is archived.") % {"company": client})
        return to_record(client)
    return render(request, "clients/archive.html", registry_page(request, client=client, form=form))


@require_http_methods(FORM)
@office_view(admin=True)
def restore(request: OfficeRequest, uuid: UUID) -> HttpResponse:
    """Take a company back from the archive, when its number is free."""
    client = kept(request, uuid)
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
