"""Change the e-mail address: ask for it, confirm it in the old mailbox, then in the new one."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.decorators import fresh_view, person_view
from accounts.emails import send_credential_changed
from accounts.forms import EmailForm
from accounts.login.email_change import EmailChange, EmailTaken
from accounts.login.rate_limits import limited
from accounts.requests import PersonRequest
from core.email_address import readable_email
from core.http import see_other
from core.presses import key_of_press


@require_http_methods(["GET", "HEAD", "POST"])
@fresh_view
@limited("change_email")
def email(request: PersonRequest) -> HttpResponse:
    """Ask for another address; the first link goes to the present address."""
    form = EmailForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        change = EmailChange(request.user, form.cleaned_data["email"], "old")
        _send_link(request, change, request.user.email)
        return see_other("accounts:email")
    return render(request, "accounts/email.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@person_view
def confirm_email(request: PersonRequest, token: str) -> HttpResponse:
    """Confirm a link: after the old mailbox the new one gets a link, which makes the change."""
    change = EmailChange.read(token, request.user)
    if change is None:
        return render(request, "accounts/email_over.html", status=410)
    if request.method != "POST":
        return render(request, "accounts/email_confirm.html", {"change": change})
    if change.step == "old":
        _send_link(request, EmailChange(change.person, change.new, "new"), change.new)
        return see_other("accounts:email")
    old = request.user.email
    try:
        change.make()
    except EmailTaken:
        return render(request, "accounts/email_over.html", {"taken": True}, status=409)
    what = _("Your email address was changed to %(email)s.") % {"email": readable_email(change.new)}
    for mailbox in (old, change.new):
        send_credential_changed(request, request.user, what, mailbox)
    messages.info(request, what)
    return see_other("accounts:me")


def _send_link(request: PersonRequest, change: EmailChange, mailbox: str) -> None:
    change.send_link(key_of_press(request))
    sent = _("We sent a link to %(email)s. It is valid for 24 hours.")
    messages.info(request, sent % {"email": readable_email(mailbox)})
