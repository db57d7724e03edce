"""Another e-mail address: asked for, said yes to in the old mailbox and in the new one."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.address import AddressChange, AddressTaken
from accounts.decorators import fresh_view, person_view
from accounts.forms import AddressForm
from accounts.letters import tell_of_credential
from accounts.limits import limited
from accounts.pages import see_other
from accounts.requests import PersonRequest


@require_http_methods(["GET", "HEAD", "POST"])
@fresh_view
@limited("change_email")
def email(request: PersonRequest) -> HttpResponse:
    """Ask for another address; the first link goes to the one that counts now."""
    form = AddressForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        change = AddressChange(request.user, form.cleaned_data["email"], "old")
        _mail(request, change, request.user.email)
        return see_other("accounts:email")
    return render(request, "accounts/email.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@person_view
def confirm_email(request: PersonRequest, token: str) -> HttpResponse:
    """The link in a mailbox: the old one leads to the new one, the new one makes the change."""
    change = AddressChange.read(token, request.user)
    if change is None:
        return render(request, "accounts/email_over.html", status=410)
    if request.method != "POST":
        return render(request, "accounts/email_confirm.html", {"change": change})
    if change.step == "old":
        _mail(request, AddressChange(change.person, change.new, "new"), change.new)
        return see_other("accounts:email")
    old = request.user.email
    try:
        change.make()
    except AddressTaken:
        return render(request, "accounts/email_over.html", {"taken": True}, status=409)
    what = _("Your e-mail address was changed to %(email)s.") % {"email": change.new}
    for mailbox in (old, change.new):
        tell_of_credential(request, request.user, what, mailbox)
    messages.info(request, what)
    return see_other("accounts:me")


def _mail(request: PersonRequest, change: AddressChange, mailbox: str) -> None:
    change.mail()
    said = _("We have mailed a link to %(email)s. It is valid for 24 hours.")
    messages.info(request, said % {"email": mailbox})
