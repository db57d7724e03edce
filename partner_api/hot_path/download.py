"""The bytes of a document: which format, which part, and who sends them."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from rest_framework.request import Request

from consents.access import AccessContext
from core.document_kinds import EXTENSIONS, PDF, DocumentKind
from core.row_security import office_scope
from core.streams import TRY_AGAIN, WHOLE, SlotStream, slots
from documents.access_log import Reader, record
from documents.formats import Refused
from documents.models import Attachment, Content, Outcome
from documents.models.querysets import FoundDocument, StoredFormat
from documents.rendering.stored_pdf import stored_pdf
from documents.storage.blobs import Part, name_of, pieces
from partner_api.errors import ApiError, Fault, not_found, refused, too_many_requests
from partner_api.hot_path.authentication import Caller
from partner_api.negotiation import is_known, preferred_type

JSON = ("application/vnd.api+json", "application/json")
RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")
# A proxy cannot be stopped, so it gets only files that fit in the buffers of the socket anyway.
HAND_TO_PROXY = WHOLE
# Nobody has asked for the PDF yet: it is rendered now.
TO_RENDER = StoredFormat(PDF, 0, "")


class Wanted(NamedTuple):
    """What a call asks for: a format of the document, or a file inside it by its name."""

    format: StoredFormat
    attachment: str = ""


def preferred_format(
    accept: str,
    kind: DocumentKind,
    found: FoundDocument,
    office_id: int,
    *,
    member: str = "Accept",
) -> Wanted | None:
    """Return the format that `Accept` prefers; None means JSON, also for a generic `Accept`.

    Every document comes as PDF; one that was not rendered yet is TO_RENDER. What no format fits may
    be an attachment: the first one of that media type.
    """
    if not accept or accept in JSON:
        return None
    formats = found.formats
    if formats and PDF not in formats:
        formats = {**formats, PDF: TO_RENDER}
    aliases = {alias: name for alias, name in kind.aliases.items() if name in formats}
    offered = [*JSON, *formats, *aliases]
    chosen = preferred_type(accept, offered)
    if chosen is None and (attachment := _attachment(accept, found, office_id)):
        return Wanted(attachment.as_format, attachment.name)
    if chosen is None:
        named = offered[1 if member == "Accept" else len(JSON) :]
        raise refused(406, "notAcceptable", f"{member} must be one of {', '.join(named)}.")
    if chosen in JSON:
        return None
    stored = formats[aliases.get(chosen, chosen)]
    return Wanted(stored._replace(media_type=chosen))


def structured_format(kind: DocumentKind, found: FoundDocument) -> str:
    """The media type of the machine-readable file; the first where there is none."""
    if kind.media_type in found.formats or not found.formats:
        return kind.media_type
    return min(found.formats)


def _attachment(accept: str, found: FoundDocument, office_id: int) -> Attachment | None:
    """The first attachment of the media type that `Accept` prefers among theirs."""
    with office_scope(office_id):
        attachments = list(Attachment.objects.of(found.id))
    chosen = preferred_type(accept, [attachment.media_type for attachment in attachments])
    return next((each for each in attachments if each.media_type == chosen), None)


def rendered(office_id: int, document_id: int) -> StoredFormat:
    """The PDF that is made now; raises ApiError where that cannot be."""
    try:
        return stored_pdf(office_id, document_id)
    except Content.DoesNotExist as error:
        raise not_found() from error
    except Refused as error:
        detail = "This document has no PDF, and its file cannot be read to make one."
        raise refused(406, "notAcceptable", detail) from error


def download(
    request: Request,
    reader: Reader,
    kind: DocumentKind,
    found: FoundDocument,
    asked_for: Wanted,
) -> HttpResponseBase:
    """Send the file, or the part asked for. The read is recorded before the first byte leaves."""
    wanted, attachment = asked_for
    write_down = partial(
        record, reader, document_id=found.id, media_type=wanted.media_type, attachment=attachment
    )
    etag = f'"{wanted.sha256}"'
    headers = {"ETag": etag, "Accept-Ranges": "bytes"}
    if is_known(request, etag):
        write_down(Outcome.SERVED)
        return HttpResponse(status=304, headers=headers)
    asked = _part(request._request, wanted, etag)
    start, end = asked or (0, wanted.size)
    length = end - start
    sent = 0 if request.method == "HEAD" else length
    to_proxy = settings.PORTAL_NGINX_LOCATION and wanted.size <= HAND_TO_PROXY
    by_proxy = to_proxy and request.method == "GET" and asked is None
    body: bytes | SlotStream = b""
    if sent and not by_proxy:
        part = Part(start, length, wanted.size)
        partner_id = cast(Caller, request.user).partner_id
        body = long_or_whole(partner_id, _stream(reader, kind, found, asked_for, part), length)
    write_down(Outcome.SERVED, size=sent)
    headers |= {
        "Content-Type": wanted.media_type,
        "Content-Disposition": content_disposition_header(
            True, attachment or _file_name(kind, found, wanted)
        )
        or "attachment",
        # A file that is really a web page must not run as one.
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    if by_proxy:
        location = f"{settings.PORTAL_NGINX_LOCATION}/{name_of(wanted.sha256)}"
        # Content-Length 0 keeps the proxy's connection to us alive.
        return HttpResponse(headers=headers | {"X-Accel-Redirect": location})
    headers["Content-Length"] = str(length)
    if asked:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{wanted.size}"
    status = 206 if asked else 200
    if isinstance(body, SlotStream):
        return StreamingHttpResponse(body, status=status, headers=headers)
    return HttpResponse(body, status=status, headers=headers)


def long_or_whole(partner_id: int, pieces: Iterator[bytes], length: int) -> bytes | SlotStream:
    """A short file whole; a long one in a slot of the partner, or 429 where it has no more.

    Of a long one the first piece is read at once: a file that is lost is told, in JSON, instead of
    an answer that breaks off.
    """
    if length <= WHOLE:
        return b"".join(pieces)
    slot = slots.take(partner_id)
    if slot is None:
        raise too_many_requests(
            TRY_AGAIN, "Too many long downloads at the same time; end one, then try again."
        )
    return SlotStream(slot, pieces).begun()


def _stream(
    reader: Reader, kind: DocumentKind, found: FoundDocument, wanted: Wanted, part: Part
) -> Iterator[bytes]:
    def may_go_on() -> bool:
        access = AccessContext.of(reader.consent_id)
        return access.denial_reason(kind.type) is None and access.covers(found.row.client_id)

    def on_cut(sent: int) -> None:
        record(
            reader,
            Outcome.CUT,
            document_id=found.id,
            media_type=wanted.format.media_type,
            attachment=wanted.attachment,
            size=sent,
        )

    return pieces(wanted.format.sha256, part, may_go_on, on_cut)


def _file_name(kind: DocumentKind, found: FoundDocument, wanted: StoredFormat) -> str:
    day, short = found.row.available_at[:10], found.row.uuid[:8]
    return f"{kind.type}_{found.number}_{day}_{short}.{extension_of(wanted)}"


def extension_of(wanted: StoredFormat) -> str:
    """How the name of the file ends; invoices come in whatever format their sender chose."""
    known = EXTENSIONS.get(wanted.media_type)
    return known or (mimetypes.guess_extension(wanted.media_type) or ".bin")[1:]


def _part(request: HttpRequest, wanted: StoredFormat, etag: str) -> tuple[int, int] | None:
    """Return the half-open part that one range asks for; None: no part, the whole file."""
    asked = RANGE.fullmatch(request.META.get("HTTP_RANGE", "").replace(" ", ""))
    if asked is None or request.META.get("HTTP_IF_RANGE", etag) != etag:
        return None
    first, last = asked.groups()
    if first:
        start, end = int(first), min(int(last or wanted.size), wanted.size - 1) + 1
        if last and int(last) < int(first):
            return None
    elif last:
        start, end = max(wanted.size - int(last), 0), wanted.size
    else:
        return None
    if start >= wanted.size or start >= end:
        raise ApiError(
            416,
            Fault("invalidParameter", "Range begins behind the end of the document."),
            headers={"Content-Range": f"bytes */{wanted.size}"},
        )
    return start, end
