"""What a consent covers: leave companies and kinds out at once, share more after a confirmation."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.decorators import ask_again_after_15_minutes, office_view
from accounts.requests import OfficeRequest, office_page
from clients.company_lists import text_of
from clients.models import Client
from consents.actors import Actor
from consents.forms import AgreeForm, ScopeFilter, ScopeForm
from consents.models import Consent, DecisionConflict, NotAnAdmin, Status, Terms
from consents.presenters import kinds_in_words
from consents.scope import ScopeChange, change_scope, differing
from consents.scope_selection import Selection
from consents.views.navigation import consent_of, to_page
from core.clock import database_time
from core.http import see_other
from core.lists import Page

PAGE = 50
# Of what was pasted and is unknown, so many are named.
FEW = 10


@require_http_methods(["GET", "HEAD", "POST"])
@office_view(admin=True)
def scope(request: OfficeRequest, uuid: UUID) -> HttpResponse:
    """Choose what is shared, over any number of pages; then save all of it at once.

    Less takes effect at once; more of a given consent is confirmed first.
    """
    consent = consent_of(request, uuid)
    if not (consent.is_open(database_time()) or consent.status == Status.ALLOWED):
        return to_page("consents:result", consent, {"via": "overview"})
    selection = Selection(consent, request.user)
    form = ScopeForm(request.POST or None, request.FILES or None, consent=consent)
    if request.method == "POST":
        valid = form.is_valid()
        selection.take(form)
        if valid:
            return _pressed(request, consent, selection, form)
    context = {
        **office_page(request, "consents"),
        **_companies(request, selection),
        "consent": consent,
        "selection": selection,
        "shared": len(selection.shared),
        "form": form,
        "back_url": _back(consent),
    }
    return render(request, "consents/scope.html", context)


def _pressed(
    request: OfficeRequest, consent: Consent, selection: Selection, form: ScopeForm
) -> HttpResponse:
    """Do what a button says; the ticks of its page are taken over already."""
    press, data = form.cleaned_data["press"], form.cleaned_data
    if form.saves:
        selection.draft.discard()
        return _save(request, consent, selection.change())
    page = 1
    if press in ("all", "none"):
        selection.mark(selection.found(""), shared=press == "all")
    elif press in ("found", "not_found"):
        selection.mark(selection.found(data["q"]), shared=press == "found")
    elif press in ("paste_in", "paste_out"):
        text = text_of(data["pasted"], data["upload"])
        _take_pasted(request, selection, text, shared=press == "paste_in")
    elif press in ("next", "previous"):
        page = max(1, (data["page"] or 1) + (1 if press == "next" else -1))
    if press == "discard":
        selection.draft.discard()
    else:
        selection.draft.keep()
    query = {name: value for name, value in (("q", data["q"]), ("page", page)) if value}
    path = reverse("consents:scope", args=[request.office.slug, consent.uuid])
    return see_other(f"{path}?{urlencode(query)}#companies")


def _take_pasted(request: OfficeRequest, selection: Selection, text: str, *, shared: bool) -> None:
    """Mark the companies of a pasted list, and say what it was taken for before anything holds."""
    pasted, before = selection.pasted(text), selection.shared
    keys = {client.pk for client in pasted.clients}
    selection.mark(keys, shared=shared)
    changed = len(before ^ selection.shared)
    found = ngettext("%(n)s company found", "%(n)s companies found", len(keys)) % {"n": len(keys)}
    differ = ngettext("%(n)s changed", "%(n)s changed", changed) % {"n": changed}
    same = _("%(n)s unchanged") % {"n": len(keys) - changed}
    messages.info(request, f"{found}: {differ}, {same}.")
    if pasted.unknown:
        names = ", ".join(pasted.unknown[:FEW]) + (" …" if pasted.unknown[FEW:] else "")
        words = _("Unknown, so ignored: %(names)s") % {"names": names}
        messages.warning(request, words)


@require_http_methods(["GET", "HEAD", "POST"])
@office_view(admin=True)
def widen(request: OfficeRequest, uuid: UUID) -> HttpResponse:
    """Confirm that software may read more than before."""
    consent = consent_of(request, uuid)
    change = ScopeChange.read(request.GET.get("change", ""), consent)
    if change is None or consent.status != Status.ALLOWED:
        return see_other(reverse("consents:scope", args=[request.office.slug, consent.uuid]))
    ask_again_after_15_minutes(request)
    terms = Terms.objects.in_force(get_language() or "en")
    form = AgreeForm(request.POST if request.method == "POST" else None, in_force=terms)
    if request.method == "POST" and form.is_valid():
        return _carried_out(request, consent, change, form.cleaned_data["terms"])
    added = Client.objects.active().filter(office=request.office, pk__in=change.clients_in)
    context = {
        **office_page(request, "consents"),
        "consent": consent,
        "kinds": kinds_in_words(change.kinds_in),
        "companies": added.order_by("name")[:PAGE],
        "count": added.count(),
        "new_clients": change.new_clients,
        "terms": terms,
        "form": form,
    }
    return render(request, "consents/widen.html", context)


def _save(request: OfficeRequest, consent: Consent, change: ScopeChange) -> HttpResponse:
    if consent.is_open(database_time()):
        return _carried_out(request, consent, change)
    answer = _carried_out(request, consent, change.narrowing())
    widening = differing(consent, change.widening())
    if not widening or consent.status != Status.ALLOWED:
        return answer
    page = reverse("consents:widen", args=[request.office.slug, consent.uuid])
    return see_other(f"{page}?{urlencode({'change': widening.sign(consent)})}")


def _carried_out(
    request: OfficeRequest, consent: Consent, change: ScopeChange, terms: Terms | None = None
) -> HttpResponse:
    try:
        change_scope(consent, Actor.of(request), change, terms)
    except DecisionConflict:
        return to_page("consents:result", consent, {"via": "overview"})
    except NotAnAdmin as error:
        raise PermissionDenied from error
    messages.success(request, _("Your changes apply from now on."))
    return see_other(_back(consent))


def _companies(request: OfficeRequest, selection: Selection) -> dict[str, Any]:
    """One page of the companies that are searched for, by name, and whether each is ticked."""
    asked = ScopeFilter(request.GET)
    asked.is_valid()
    found = selection.ours.named(asked.words).order_by("name", "pk")
    total, shared = found.count(), selection.shared
    number = min(asked.given("page"), -(-total // PAGE) or 1)
    first = (number - 1) * PAGE
    rows = [(company, company.pk in shared) for company in found[first : first + PAGE]]
    previous = "previous" if number > 1 else ""
    following = "next" if total > first + PAGE else ""
    return {
        "page": Page(rows, previous, following, first + 1, total),
        "total": selection.ours.count(),
        "found": total,
        "asked": asked,
        "number": number,
    }


def _back(consent: Consent) -> str:
    if consent.is_open(database_time()):
        return reverse("consents:manage", args=[consent.uuid])
    return reverse("consents:detail", args=[consent.office.slug, consent.uuid])
