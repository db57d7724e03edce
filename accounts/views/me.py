"""Personal info: name, language, notification preferences, and the offices of a person."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.decorators import person_view
from accounts.forms import MeForm
from accounts.models import Membership, Role, User
from accounts.notification_preferences import NotificationPreference
from accounts.requests import PersonRequest
from core.http import see_other


@require_http_methods(["GET", "HEAD", "POST"])
@person_view
def me(request: PersonRequest) -> HttpResponse:
    """Show and change name, language and notification preferences; for the address see `email`."""
    person = request.user
    form = MeForm(
        request.POST or None,
        initial={
            "name": person.name,
            "language": person.language,
            "notifications": [
                name
                for name in NotificationPreference.values
                if name not in person.muted_notifications
            ],
        },
    )
    if request.method == "POST" and form.is_valid():
        wanted = form.cleaned_data.pop("notifications")
        muted = [name for name in NotificationPreference.values if name not in wanted]
        User.objects.filter(pk=person.pk).update(muted_notifications=muted, **form.cleaned_data)
        with translation.override(form.cleaned_data["language"] or translation.get_language()):
            messages.info(request, _("Your changes have been saved."))
        return see_other("accounts:me")
    memberships = list(
        Membership.objects.active()
        .filter(user=person)
        .select_related("office")
        .order_by("office__name")
    )
    is_admin = any(membership.role == Role.ADMIN for membership in memberships)
    context = {"form": form, "memberships": memberships, "is_admin": is_admin}
    return render(request, "accounts/me.html", context)
