"""The link of an invitation: join, or say why it does not work."""

from __future__ import annotations

from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import perform_login
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods

from accounts.forms import JoinForm
from accounts.login.rate_limits import limited
from accounts.models import Invitation, User
from accounts.models.invitation import InvitationEnded
from core.http import safe_next, see_other


@require_http_methods(["GET", "HEAD", "POST"])
@limited("open_invitation")
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Show the right screen for the person who opens the link."""
    found = Invitation.objects.with_token(token)
    if found is None:
        return _over(request, "unknown", 404)
    if found.state != "invited":
        return _over(request, found.state, 410)
    try:
        if isinstance(request.user, User):
            return _accept(request, found, request.user)
        if User.objects.filter(email__iexact=found.email).exists():
            return see_other(_login_url(request))
        return _join(request, found)
    except IntegrityError:
        # A double click: the first click has just made the account.
        return see_other(_login_url(request))
    except InvitationEnded:
        return _over(request, Invitation.objects.get(pk=found.pk).state, 410)


def _accept(request: HttpRequest, found: Invitation, person: User) -> HttpResponse:
    """A person with this account only accepts; others read for whom the invitation is."""
    if person.email.lower() != found.email.lower():
        switch_url = reverse("account_logout") + "?" + urlencode({"next": request.get_full_path()})
        context = {"invitation": found, "switch_url": switch_url}
        return render(request, "accounts/invitation_of_another.html", context, status=403)
    if request.method == "POST":
        found.accept(person)
        return see_other(safe_next(request, _home_of(found)))
    context = {"invitation": found, "next": safe_next(request)}
    return render(request, "accounts/invitation_accept.html", context)


def _join(request: HttpRequest, found: Invitation) -> HttpResponse:
    """A new person chooses name and password, and joins."""
    form = JoinForm(request.POST or None, email=found.email)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            person = User.objects.create_user(
                found.email,
                form.cleaned_data["password"],
                name=form.cleaned_data["name"],
                language=get_language() or found.language,
            )
            found.accept(person)
        record_authentication(request, person, method="password", email=person.email)
        response: HttpResponse = perform_login(
            request, person, redirect_url=safe_next(request, _home_of(found)), signup=True
        )
        response.status_code = 303
        return response
    context = {"invitation": found, "form": form, "next": safe_next(request)}
    return render(request, "accounts/invitation_join.html", context)


def _over(request: HttpRequest, state: str, status: int) -> HttpResponse:
    return render(request, "accounts/invitation_over.html", {"state": state}, status=status)


def _home_of(found: Invitation) -> str:
    return reverse("dashboard:office", args=[found.office.slug])


def _login_url(request: HttpRequest) -> str:
    return reverse("account_login") + "?" + urlencode({"next": request.get_full_path()})
