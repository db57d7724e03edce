"""One document: opened as a page, downloaded in each of its formats, and who fetched it."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from accounts.decorators import office_view
from accounts.finding import older_than, one_page
from accounts.requests import OfficeRequest
from accounts.tenancy import office_scope
from clients.models import Client
from documents.kinds import BY_KIND, EXTENSIONS
from documents.models import Content, Document, Filing, Tombstone
from documents.opening import open_paper
from documents.sheets import sheet_of
from documents.storage import Damaged, load
from documents.views.pages import PAGE, company_of, company_page, fetches_as_csv
from documents.watching import all_fetches, fetches, who_may_read


@require_safe
@office_view()
def paper(request: OfficeRequest, number: str, uuid: UUID) -> HttpResponse:
    """The document as people read it, or why it cannot be shown."""
    client = company_of(request, number)
    with office_scope(request.office.pk):
        document = (
            Document.objects.select_related("client").filter(client=client, uuid=uuid).first()
        )
        if document is None:
            return _buried(request, client, uuid)
        contents = list(document.contents.order_by("media_type"))
        versions = list(Filing.objects.versions_of(document))
    opened = open_paper(contents)
    sheet = sheet_of(opened.paper) if opened.paper else None
    page = _document_page(request, document, versions)
    context = {
        **page,
        "tab": "paper",
        "contents": contents,
        "problem": opened.problem,
        "sheet": sheet,
        "title": sheet.title if sheet else page["title"],
    }
    return render(request, "documents/paper.html", context)


def _buried(request: OfficeRequest, client: Client, uuid: UUID) -> HttpResponse:
    """A document that was there, and whose time was over."""
    tombstone = get_object_or_404(Tombstone, client=client, uuid=uuid)
    context = {**company_page(request, client), "tombstone": tombstone}
    return render(request, "documents/buried.html", context, status=410)


@require_safe
@office_view()
def file(request: OfficeRequest, number: str, uuid: UUID, media_type: str) -> HttpResponse:
    """The bytes, untouched, as a download: whatever they are, they do not run in our pages."""
    client = company_of(request, number)
    with office_scope(request.office.pk):
        contents = Content.objects.select_related("document__filing")
        wanted = {"document__client": client, "document__uuid": uuid, "media_type": media_type}
        content = get_object_or_404(contents, **wanted)
    try:
        data = load(content.sha256)
    except Damaged:
        context = {**company_page(request, client), "content": content}
        return render(request, "documents/damaged.html", context, status=500)
    known = content.media_type in EXTENSIONS
    headers = {
        "Content-Disposition": content_disposition_header(True, _file_name(client, content)) or "",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
        "ETag": f'"{content.sha256}"',
    }
    media = content.media_type if known else "application/octet-stream"
    return HttpResponse(data, content_type=media, headers=headers)


@require_safe
@office_view()
def readers(request: OfficeRequest, number: str, uuid: UUID) -> HttpResponse:
    """Which software may fetch this document, and which did, when, in which format."""
    document, versions = _document(request, number, uuid)
    found = fetches(document.client, PAGE + 1, older_than(request), document)
    page, last = one_page(found, PAGE)
    context = {
        **_document_page(request, document, versions),
        "tab": "readers",
        "consents": who_may_read(document),
        "fetches": page,
        "next_url": last and f"?before={last.key}",
    }
    return render(request, "documents/readers.html", context)


@require_safe
@office_view()
def document_reads(request: OfficeRequest, number: str, uuid: UUID) -> HttpResponse:
    """The fetches of this document as CSV, all of them."""
    document, _versions = _document(request, number, uuid)
    fetched = all_fetches(document.client, document)
    return fetches_as_csv(f"who-read-{number}-{uuid}.csv", fetched)


def _document(request: OfficeRequest, number: str, uuid: UUID) -> tuple[Document, list[Filing]]:
    client = company_of(request, number)
    with office_scope(request.office.pk):
        found = Document.objects.select_related("client").filter(client=client, uuid=uuid).first()
        if found is None:
            raise Http404
        return found, list(Filing.objects.versions_of(found))


def _document_page(
    request: OfficeRequest, document: Document, versions: list[Filing]
) -> dict[str, Any]:
    """`filing` is what is known of this version, `newest` the one that has replaced it."""
    filing = next((one for one in versions if one.pk == document.pk), None)
    newest = versions[0] if versions and versions[0].pk != document.pk else None
    return {
        **company_page(request, document.client),
        "document": document,
        "title": f"{BY_KIND[document.kind].label} {filing.number if filing else ''}".strip(),
        "filing": filing,
        "versions": versions,
        "newest": newest,
    }


def _file_name(client: Client, content: Content) -> str:
    """Kind, company, day and number in plain letters: a number is text that others wrote."""
    document = content.document
    filing = getattr(document, "filing", None)
    day = filing.dated_on if filing else document.available_at.date()
    told = filing.number if filing else document.uuid.hex[:8]
    number = re.sub(r"[^A-Za-z0-9]+", "-", told).strip("-")[:40]
    parts = [BY_KIND[document.kind].path, client.company_number, str(day), number]
    return "_".join(filter(None, parts)) + "." + EXTENSIONS.get(content.media_type, "bin")
