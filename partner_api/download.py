"""The bytes of a document: which format, which part, and who sends them."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterator
from itertools import chain

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from rest_framework.request import Request

from consents.access import Standing
from documents.kinds import EXTENSIONS, KindOfDocument
from documents.models import Outcome
from documents.querysets import Format, Found
from documents.reads import Reader, record
from documents.storage import Part, name_of, pieces
from partner_api.errors import ApiError, Fault, refused
from partner_api.negotiation import is_known, preferred_type

JSON = ("application/vnd.api+json", "application/json")
RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")
# A proxy finishes what it was handed, so it only gets what fits the socket's buffers anyway.
HAND_TO_PROXY = 256 * 1024


def preferred_format(request: Request, kind: KindOfDocument, found: Found) -> Format | None:
    """Return the format that `Accept` prefers; None means JSON, also for a generic `Accept`."""
    accept = request.META.get("HTTP_ACCEPT", "").strip()
    if not accept or accept in JSON:
        return None
    # Most name just what they want; the others are weighed as RFC 9110 says (150 µs).
    if accept in found.formats:
        return found.formats[accept]
    aliases = {alias: name for alias, name in kind.aliases.items() if name in found.formats}
    offered = [*JSON, *found.formats, *aliases]
    chosen = preferred_type(accept, offered)
    if chosen is None:
        raise refused(406, "notAcceptable", f"This document comes as {', '.join(offered[1:])}.")
    if chosen in JSON:
        return None
    kept = found.formats[aliases.get(chosen, chosen)]
    return kept._replace(media_type=chosen)


def download(
    request: Request, reader: Reader, kind: KindOfDocument, found: Found, wanted: Format
) -> HttpResponseBase:
    """Send the file, or the part asked for. The read is recorded before the first byte leaves."""
    etag = f'"{wanted.sha256}"'
    headers = {"ETag": etag, "Accept-Ranges": "bytes"}
    if is_known(request, etag):
        record(reader, Outcome.SERVED, document_id=found.id, media_type=wanted.media_type)
        return HttpResponse(status=304, headers=headers)
    asked = _part(request._request, wanted, etag)
    start, end = asked or (0, wanted.size)
    length = end - start
    sent = 0 if request.method == "HEAD" else length
    to_proxy = settings.PORTAL_ACCEL and wanted.size <= HAND_TO_PROXY
    by_proxy = to_proxy and request.method == "GET" and asked is None
    stream: Iterator[bytes] = iter(())
    if sent and not by_proxy:
        # A file that is lost is told, in JSON, instead of an answer that breaks off.
        stream = _begun(_stream(reader, kind, found, wanted, Part(start, length, wanted.size)))
    record(reader, Outcome.SERVED, document_id=found.id, media_type=wanted.media_type, size=sent)
    headers |= {
        "Content-Type": wanted.media_type,
        "Content-Disposition": content_disposition_header(True, _file_name(kind, found, wanted))
        or "attachment",
        # A file that is really a web page must not run as one.
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    if by_proxy:
        location = f"{settings.PORTAL_ACCEL}/{name_of(wanted.sha256)}"
        # Content-Length 0 keeps the proxy's connection to us alive.
        return HttpResponse(headers=headers | {"X-Accel-Redirect": location})
    headers["Content-Length"] = str(length)
    if asked:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{wanted.size}"
    status = 206 if asked else 200
    if request.method == "HEAD":
        return HttpResponse(status=status, headers=headers)
    return StreamingHttpResponse(stream, status=status, headers=headers)


def _begun(stream: Iterator[bytes]) -> Iterator[bytes]:
    """The same pieces; the first is read at once, or what is wrong with it raised."""
    first = next(stream)
    return chain([first], stream)


def _stream(
    reader: Reader, kind: KindOfDocument, found: Found, wanted: Format, part: Part
) -> Iterator[bytes]:
    def may_go_on() -> bool:
        standing = Standing.of(reader.consent_id)
        return standing.refusal(kind.type) is None and standing.covers(found.row.client_id)

    def on_cut(sent: int) -> None:
        record(
            reader,
            Outcome.CUT,
            document_id=found.id,
            media_type=wanted.media_type,
            size=sent,
        )

    return pieces(wanted.sha256, part, may_go_on, on_cut)


def _file_name(kind: KindOfDocument, found: Found, wanted: Format) -> str:
    day, short = found.row.available_at[:10], found.row.uuid[:8]
    # Invoices come in whatever format their sender chose.
    guessed = mimetypes.guess_extension(wanted.media_type) or ".bin"
    ending = EXTENSIONS.get(wanted.media_type, guessed[1:])
    return f"{kind.type}_{found.number}_{day}_{short}.{ending}"


def _part(request: HttpRequest, wanted: Format, etag: str) -> tuple[int, int] | None:
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
            Fault("invalidParameter", "The document is shorter than that range."),
            headers={"Content-Range": f"bytes */{wanted.size}"},
        )
    return start, end
