"""What the pages of an office have in common."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme

from accounts.requests import OfficeRequest


def office_page(request: OfficeRequest, section: str) -> dict[str, Any]:
    """What base_office.html needs."""
    return {"office": request.office, "role": request.membership.role, "section": section}


def see_other(to: str, *args: Any, **kwargs: Any) -> HttpResponse:
    """303, so that the browser comes with GET and Back and reload are harmless."""
    response: HttpResponse = redirect(to, *args, **kwargs)
    response.status_code = 303
    return response


def safe_next(request: HttpRequest, otherwise: str = "") -> str:
    """Where the person was going, when that is a path of ours."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        return wanted
    return otherwise
