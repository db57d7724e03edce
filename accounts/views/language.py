"""The switch of the language in the footer."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from accounts.models import LANGUAGES, User


@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Store the language in a cookie, and in the account of a person who is logged in."""
    chosen = request.POST.get("language")
    if isinstance(request.user, User) and chosen in dict(LANGUAGES):
        User.objects.filter(pk=request.user.pk).update(language=chosen)
    response = set_language(request)
    if response.status_code == 302:
        response.status_code = 303
    return response
