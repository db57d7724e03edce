"""One document: shown as a page, downloaded in each of its formats, and who fetched it."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from accounts.decorators import office_view
from accounts.requests import OfficeRequest
from clients.models import Client
from core.document_kinds import BY_KIND, EXTENSIONS, PDF
from core.row_security import office_scope
from documents.access_report import all_fetches, who_can_see
from documents.acknowledgements import month_of, words_about
from documents.formats import Refused
from documents.models import Attachment, Content, DeletionRecord, Document, DocumentDetails
from documents.models.document_view import record_view
from documents.rendering.page import page_of
from documents.rendering.parse_stored import parse_stored
from documents.rendering.stored_pdf import stored_pdf
from documents.search_query import terms_of
from documents.storage.blobs import Damaged, load
from documents.views.pages import company_of, company_page, fetches_as_csv, who_read

# What attachments may be called (the list of Peppol); anything else is just bytes.
HARMLESS = {
    "text/csv",
    "image/png",
    "image/jpeg",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.oasis.opendocument.spreadsheet",
}


@require_safe
@office_view()
def document(request: OfficeRequest, number: str, uuid: UUID) -> HttpResponse:
    """The document as people read it, or why it cannot be shown."""
    client = company_of(request, number)
    with office_scope(request.office.pk):
        document = (
            Document.objects.select_related("client").filter(client=client, uuid=uuid).first()
        )
        if document is None:
            return _deleted(request, client, uuid)
        contents = list(document.contents.order_by("media_type"))
        attachments = list(Attachment.objects.of(document.pk))
        versions = list(DocumentDetails.objects.versions_of(document))
        words, month = words_about(document), month_of(document)
        record_view(document, request.user)
    stored = parse_stored(contents)
    page = page_of(stored.facts) if stored.facts else None
    common = _document_page(request, document, versions)
    context = {
        **common,
        "tab": "document",
        "contents": contents,
        "attachments": attachments,
        # Where nobody has asked for the PDF yet, asking renders it.
        "pdf_to_render": bool(stored.facts) and all(one.media_type != PDF for one in contents),
        "PDF": PDF,
        "problem": stored.problem,
        "warnings": stored.warnings,
        "words": words,
        "month": month,
        "page": page,
        "title": page.title if page else common["title"],
        # Whoever comes from a search sees the same words marked.
        "looked_for": [term.text for term in terms_of(request.GET.get("q", "")[:80])],
    }
    return render(request, "documents/document.html", context)


def _deleted(request: OfficeRequest, client: Client, uuid: UUID) -> HttpResponse:
    """A document that was there, and whose time was over."""
    deletion_record = get_object_or_404(DeletionRecord, client=client, uuid=uuid)
    context = {**company_page(request, client), "deletion_record": deletion_record}
    return render(request, "documents/deleted.html", context, status=410)


@require_safe
@office_view()
def file(request: OfficeRequest, number: str, uuid: UUID, media_type: str) -> HttpResponse:
    """The bytes, untouched, as a download: whatever they are, they do not run in our pages."""
    client = company_of(request, number)
    content = _content(client, uuid, media_type)
    try:
        if content is None and media_type == PDF:
            content = _rendered(client, uuid)
        if content is None:
            raise Http404
        data = load(content.sha256)
    except Damaged as damaged:
        context = {**company_page(request, client), "sha256": damaged}
        return render(request, "documents/damaged.html", context, status=500)
    with office_scope(request.office.pk):
        record_view(content.document, request.user, content.media_type)
    return _download(data, content.media_type, content.sha256, _file_name(client, content))


@require_safe
@office_view()
def attachment(request: OfficeRequest, number: str, uuid: UUID, name: str) -> HttpResponse:
    """A file from inside the document, as a download."""
    client = company_of(request, number)
    with office_scope(request.office.pk):
        attachments = Attachment.objects.select_related("document").filter(
            document__client=client, document__uuid=uuid
        )
        found = get_object_or_404(attachments, name=name)
    try:
        data = load(found.sha256)
    except Damaged as damaged:
        context = {**company_page(request, client), "sha256": damaged}
        return render(request, "documents/damaged.html", context, status=500)
    with office_scope(request.office.pk):
        record_view(found.document, request.user, found.media_type, found.name)
    return _download(data, found.media_type, found.sha256, found.name)


def _download(data: bytes, media_type: str, sha256: str, name: str) -> HttpResponse:
    """Bytes that others made: they are saved, never shown or run by our pages."""
    headers = {
        "Content-Disposition": content_disposition_header(True, name) or "attachment",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; sandbox",
        "ETag": f'"{sha256}"',
    }
    harmless = media_type in EXTENSIONS or media_type in HARMLESS
    media = media_type if harmless else "application/octet-stream"
    return HttpResponse(data, content_type=media, headers=headers)


def _content(client: Client, uuid: UUID, media_type: str) -> Content | None:
    with office_scope(client.office_id):
        contents = Content.objects.select_related("document__details")
        wanted = {"document__client": client, "document__uuid": uuid, "media_type": media_type}
        return contents.filter(**wanted).first()


def _rendered(client: Client, uuid: UUID) -> Content | None:
    """The PDF that nobody has asked for yet; None where the file cannot be read."""
    with office_scope(client.office_id):
        document = Document.objects.filter(client=client, uuid=uuid).first()
    if document is None:
        return None
    try:
        stored_pdf(client.office_id, document.pk)
    except (Content.DoesNotExist, Refused):
        return None
    return _content(client, uuid, PDF)


@require_safe
@office_view()
def access_report(request: OfficeRequest, number: str, uuid: UUID) -> HttpResponse:
    """Which software may fetch this document, and which did, when, in which format."""
    document, versions = _document(request, number, uuid)
    context = {
        **_document_page(request, document, versions),
        "tab": "access_report",
        "permissions": who_can_see(document.client, BY_KIND[document.kind].type),
        **who_read(request, document.client, document),
    }
    return render(request, "documents/document_access_report.html", context)


@require_safe
@office_view()
def access_report_csv(request: OfficeRequest, number: str, uuid: UUID) -> HttpResponseBase:
    """The fetches of this document as CSV, all of them."""
    document, _versions = _document(request, number, uuid)
    fetched = all_fetches(document.client, document)
    return fetches_as_csv(f"who-read-{number}-{uuid}.csv", fetched)


def _document(
    request: OfficeRequest, number: str, uuid: UUID
) -> tuple[Document, list[DocumentDetails]]:
    client = company_of(request, number)
    with office_scope(request.office.pk):
        found = Document.objects.select_related("client").filter(client=client, uuid=uuid).first()
        if found is None:
            raise Http404
        return found, list(DocumentDetails.objects.versions_of(found))


def _document_page(
    request: OfficeRequest, document: Document, versions: list[DocumentDetails]
) -> dict[str, Any]:
    """`details` is what is known of this version, `newest` the one that has replaced it."""
    details = next((one for one in versions if one.pk == document.pk), None)
    newest = versions[0] if versions and versions[0].pk != document.pk else None
    return {
        **company_page(request, document.client),
        "document": document,
        "title": f"{BY_KIND[document.kind].singular} {details.number if details else ''}".strip(),
        "details": details,
        "versions": versions,
        "newest": newest,
    }


def _file_name(client: Client, content: Content) -> str:
    """Kind, company, day and number in plain letters: a number is text that others wrote."""
    document = content.document
    details = getattr(document, "details", None)
    day = details.dated_on if details else document.available_at.date()
    name = details.number if details else document.uuid.hex[:8]
    number = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:40]
    parts = [BY_KIND[document.kind].path, client.company_number, str(day), number]
    return "_".join(filter(None, parts)) + "." + EXTENSIONS.get(content.media_type, "bin")
