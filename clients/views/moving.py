"""A company goes to another office: the screens of both."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.decorators import ask_again_after_15_minutes, office_view
from accounts.login.rate_limits import limited
from accounts.requests import OfficeRequest
from clients.admins import CodeTaken, NumberTaken, Outdated
from clients.forms import AnswerForm, TransferForm
from clients.models import Transfer
from clients.views.pages import FORM, active, outdated, registry_page, to_record, words_of
from core.http import see_other


@require_http_methods(FORM)
@office_view(admin=True)
@limited("transfer")
def transfer(request: OfficeRequest, uuid: UUID) -> HttpResponse:
    """Ask another office to take the company over, after saying what ends here."""
    client = active(request, uuid)
    if client.transfer_under_way():
        return to_record(client)
    ask_again_after_15_minutes(request)
    form = TransferForm(request.POST or None, office=request.office)
    if request.method == "POST" and form.is_valid():
        to_office, preferred_at = form.cleaned_data["number"], form.cleaned_data["preferred_at"]
        try:
            Transfer.objects.ask(client, request.user, to_office, preferred_at)
        except Outdated:
            messages.warning(request, outdated())
        else:
            message = _("We asked %(office)s to take over %(company)s.")
            messages.info(request, message % {"office": to_office, "company": client})
        return to_record(client)
    return render(
        request, "clients/transfer.html", registry_page(request, client=client, form=form)
    )


@require_POST
@office_view(admin=True)
def withdraw(request: OfficeRequest, uuid: UUID) -> HttpResponse:
    """Keep the company after all, before its moment has come."""
    client = active(request, uuid)
    try:
        if asked := client.transfer_under_way():
            asked.withdraw(request.user)
    except Outdated:
        messages.warning(request, outdated())
    else:
        messages.info(
            request,
            _("Transfer withdrawn. %(company)s stays with your office.") % {"company": client},
        )
    return to_record(client)


@require_http_methods(FORM)
@office_view(admin=True)
def answer(request: OfficeRequest, uuid: UUID) -> HttpResponse:
    """Take over a company that another office gives away, or leave it there."""
    asked = request.office.transfers_in.select_related("client", "from_office", "to_office")
    transfer = get_object_or_404(asked, uuid=uuid)
    if transfer.agreed_at or transfer.closed_at:
        messages.info(request, _("This transfer has already been answered or withdrawn."))
        return see_other("clients:companies", request.office.slug)
    ask_again_after_15_minutes(request)
    form = AnswerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            _answer(request, transfer, form)
        except CodeTaken as taken:
            form.add_error(*words_of(taken))
        except NumberTaken as taken:
            form.add_error(None, words_of(taken)[1])
        except Outdated:
            messages.warning(request, outdated())
            return see_other("clients:companies", request.office.slug)
        else:
            return see_other("clients:companies", request.office.slug)
    context = registry_page(request, transfer=transfer, form=form)
    return render(request, "clients/answer.html", context)


def _answer(request: OfficeRequest, transfer: Transfer, form: AnswerForm) -> None:
    names = {"company": transfer.client, "office": transfer.from_office}
    if form.cleaned_data["wish"] == "decline":
        transfer.decline(request.user)
        messages.info(
            request, _("You declined the transfer. %(company)s stays with %(office)s.") % names
        )
        return
    transfer.agree(request.user, form.cleaned_data["code"])
    messages.info(request, _("You accepted the transfer of %(company)s from %(office)s.") % names)
