"""Many documents in one call (connect-api section 11)."""

from __future__ import annotations

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request

from consents.access import AccessContext
from core.streams import SlotStream
from core.zip_stream import LONGEST, length_of
from documents.access_log import record_served
from partner_api.document_downloads import ArchiveStream, collect, wanted_documents
from partner_api.document_shapes import FILE, IDENTIFIER
from partner_api.errors import refused
from partner_api.hot_path.download import long_or_whole
from partner_api.hot_path.reading import reader_of, require_access
from partner_api.hot_path.resource import Resource
from partner_api.idempotency import StoredAnswer, run_once
from partner_api.negotiation import whole_body
from partner_api.schema import IDEMPOTENCY_KEY, in_path, refusals
from partner_api.serializers.document_downloads import DownloadRequestSerializer

ZIP = "application/zip"


class DocumentDownloads(Resource):
    @extend_schema(
        operation_id="downloadDocuments",
        summary="Download many documents",
        request=DownloadRequestSerializer,
        responses={
            (200, ZIP): OpenApiResponse(FILE, "A ZIP of the files; `errors.json` lists the rest."),
            **refusals(403, 404, 409, 413, 415),
        },
        parameters=[*in_path(office=IDENTIFIER), IDEMPOTENCY_KEY],
    )
    def post(self, request: Request, office: str) -> HttpResponseBase:
        """Up to 500 files as one ZIP, stored as they are, of a length that is known."""
        caller = self.caller(request)
        access = caller.at_office
        require_access(caller, access)
        body = DownloadRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        # Nothing is stored but the key: the archive is made again, from what may be read then.
        raw = whole_body(request._request)
        run_once(request._request, raw, caller.partner_id, lambda: StoredAnswer(200, b""))
        archive = collect(access, wanted_documents(body.validated_data))
        # Rendering takes time, in which access may have ended.
        require_access(caller, AccessContext.of(access.consent_id))
        reader = reader_of(caller, access)
        stream = ArchiveStream(reader, archive)
        length = length_of(stream.entries)
        if length > LONGEST:
            raise refused(413, "payloadTooLarge", "The ZIP is longer than 4 GiB; ask for less.")
        content = long_or_whole(caller.partner_id, iter(stream), length)
        if archive.files:
            record_served(reader, [file.read for file in archive.files.values()])
        headers = {
            "Content-Type": ZIP,
            "Content-Length": str(length),
            "Content-Disposition": 'attachment; filename="documents.zip"',
        }
        if isinstance(content, SlotStream):
            return StreamingHttpResponse(content, headers=headers)
        return HttpResponse(content, headers=headers)
