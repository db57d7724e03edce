"""The protection of an account: password, second factor, and the open sessions."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.decorators import person_view
from accounts.requests import PersonRequest
from accounts.user_agents import name_of_user_agent
from core.http import safe_next, see_other


@require_safe
@person_view
def security(request: PersonRequest) -> HttpResponse:
    """The page with everything that protects the account of this person."""
    sessions = list(UserSession.objects.purge_and_list(request.user))
    for session in sessions:
        session.browser = name_of_user_agent(session.user_agent)
    mine = Authenticator.objects.filter(user=request.user).order_by("pk")
    context = {
        "app": mine.filter(type=Authenticator.Type.TOTP).first(),
        "passkeys": mine.filter(type=Authenticator.Type.WEBAUTHN),
        "recovery_codes": mine.filter(type=Authenticator.Type.RECOVERY_CODES).first(),
        "sessions": sessions,
        "next": safe_next(request),
    }
    return render(request, "accounts/security.html", context)


@require_POST
@person_view
def end_session(request: PersonRequest) -> HttpResponse:
    """Log out elsewhere: one session, or all but this one."""
    others = UserSession.objects.filter(user=request.user).exclude(
        session_key=request.session.session_key
    )
    wanted = request.POST.get("session", "")
    if wanted != "all":
        others = others.filter(pk=int(wanted) if wanted.isdecimal() else 0)
    for session in others:
        session.end()
    messages.info(request, _("Logged out. You are still logged in on this device."))
    return see_other("mfa_index")
