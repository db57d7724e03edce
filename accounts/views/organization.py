"""Administration > Organization."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.decorators import ask_again_after_15_minutes, office_view
from accounts.forms import OrganizationForm
from accounts.requests import OfficeRequest, office_page
from core.http import see_other


@require_http_methods(["GET", "HEAD", "POST"])
@office_view(admin=True)
def organization(request: OfficeRequest) -> HttpResponse:
    """Show and change the data of the office; its enterprise number is fixed."""
    ask_again_after_15_minutes(request)
    form = OrganizationForm(request.POST or None, office=request.office)
    if request.method == "POST" and form.is_valid():
        request.office.change(request.user, **form.cleaned_data)
        messages.info(request, _("Your changes have been saved."))
        return see_other("accounts:organization", request.office.slug)
    context = {**office_page(request, "organization"), "form": form}
    return render(request, "accounts/organization.html", context)
