"""The public pages about software."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from partners.logos import Logo


@require_safe
def logo(request: HttpRequest, sha256: str) -> HttpResponse:
    """A logo, by its SHA-256. It never changes and is about no office."""
    png = bytes(get_object_or_404(Logo, pk=sha256).png)
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return HttpResponse(png, content_type="image/png", headers=headers)
