"""Many companies at once: add a list, archive a list; each shows first what it would do."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.decorators import office_view
from accounts.login.rate_limits import limited
from accounts.requests import OfficeRequest
from clients.admins import Outdated, Taken
from clients.company_lists import Import, Named, named_in, read_import, text_of
from clients.forms import ArchiveListForm, ListForm
from clients.models import Client
from clients.views.pages import FORM, registry_page, words_of
from core.http import see_other


@require_http_methods(FORM)
@office_view(admin=True)
@limited("claim")
def import_companies(request: OfficeRequest) -> HttpResponse:
    """Add the companies of a list; the first press only shows which are new, known or wrong."""
    form = ListForm(request.POST or None, request.FILES or None)
    found, text = None, ""
    if request.method == "POST" and form.is_valid():
        text = text_of(form.cleaned_data["pasted"], form.cleaned_data["upload"])
        found = read_import(request.office, text)
        if form.cleaned_data["press"] == "add" and found.new:
            _add(request, found)
            return see_other("clients:companies", request.office.slug)
    can_act = bool(found and found.new)
    context = registry_page(request, form=form, found=found, text=text, can_act=can_act)
    return render(request, "clients/import.html", context)


def _add(request: OfficeRequest, found: Import) -> None:
    added = 0
    for fields in found.new:
        try:
            Client.objects.add(request.office, request.user, **fields)
        except Taken as taken:
            messages.warning(request, f"{fields['name']}: {words_of(taken)[1]}")
            break
        added += 1
    text = ngettext("%(n)s company has been added.", "%(n)s companies have been added.", added)
    messages.success(request, text % {"n": added})


@require_http_methods(FORM)
@office_view(admin=True)
def archive_companies(request: OfficeRequest) -> HttpResponse:
    """Archive the companies of a list, with one reason; the first press only shows which."""
    form = ArchiveListForm(request.POST or None, request.FILES or None)
    found, text = None, ""
    if request.method == "POST" and form.is_valid():
        text = text_of(form.cleaned_data["pasted"], form.cleaned_data["upload"])
        ours = Client.objects.active().filter(office=request.office)
        found = named_in(text, ours.select_related("office"))
        if form.cleaned_data["press"] == "archive" and found.clients:
            _archive(request, found, form.cleaned_data["reason"])
            return see_other("clients:companies", request.office.slug)
    can_act = bool(found and found.clients)
    context = registry_page(request, form=form, found=found, text=text, can_act=can_act)
    return render(request, "clients/archive_list.html", context)


def _archive(request: OfficeRequest, found: Named, reason: str) -> None:
    archived = 0
    for client in found.clients:
        try:
            client.archive(request.user, reason)
        except Outdated:
            text = _("%(company)s was not archived, because it is being transferred.")
            messages.warning(request, text % {"company": client})
        else:
            archived += 1
    text = ngettext(
        "%(n)s company has been archived.", "%(n)s companies have been archived.", archived
    )
    messages.success(request, text % {"n": archived})
