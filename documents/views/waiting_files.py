"""The files that wait for an office because they could not be filed, and "this is ours"."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.decorators import office_view
from accounts.requests import OfficeRequest
from core.http import see_other
from core.lists import Part, one_page
from documents.ingest.pipeline import replay
from documents.models import QuarantinedFile
from documents.storage.blobs import Damaged
from documents.views.pages import PAGE, office_page
from documents.waiting_files import in_words


@require_safe
@office_view()
def waiting_files(request: OfficeRequest) -> HttpResponse:
    """Which files wait, why, and what the office can do; the newest first."""
    waiting = Part(QuarantinedFile.objects.concerning(request.office), ("-pk",))
    page = one_page(request.GET, PAGE, waiting)
    context = {
        **office_page(request),
        "page": page,
        "waiting": in_words(request.office, page.rows),
    }
    return render(request, "documents/waiting_files.html", context)


@require_POST
@office_view()
def file_it(request: OfficeRequest, sha256: str) -> HttpResponse:
    """File a whole file that had no owner when it came: the office says that it is theirs."""
    waiting = QuarantinedFile.objects.concerning(request.office)
    file = get_object_or_404(waiting, sha256=sha256)
    try:
        filed = replay(file)
    except Damaged:
        filed = False
    if filed:
        messages.success(request, _("The file is filed."))
    else:
        messages.warning(request, _("The file could not be filed. Portal staff can see it too."))
    return see_other("documents:waiting_files", request.office.slug)
