"""What the portal says about itself: help, privacy, and its icons for browsers and phones."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """How to connect, to decide and to stop, and whom to ask."""
    return render(request, "dashboard/help.html")


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """Which data about people the portal keeps, why, and for how long."""
    return render(request, "dashboard/privacy.html", {"years": settings.PORTAL_EVIDENCE_YEARS})


@require_safe
@cache_control(max_age=86_400)
def favicon(request: HttpRequest) -> HttpResponse:
    """Where browsers ask for it without reading the page."""
    return redirect(static("portal/favicon.ico"))


@require_safe
@cache_control(max_age=86_400)
def manifest(request: HttpRequest) -> HttpResponse:
    """What a phone shows when somebody puts the portal on their home screen."""
    icons = [
        {
            "src": static(f"portal/icon-{size}.png"),
            "sizes": f"{size}x{size}",
            "type": "image/png",
            "purpose": "any maskable",
        }
        for size in (192, 512)
    ]
    content = {
        "name": settings.PORTAL_NAME,
        "short_name": settings.PORTAL_NAME,
        "start_url": "/",
        "display": "browser",
        "background_color": "#f2f5f5",
        "theme_color": "#0b5a66",
        "icons": icons,
    }
    return JsonResponse(content, content_type="application/manifest+json")
