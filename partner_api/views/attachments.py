"""The files inside a document: listed, and fetched by name (product section 10)."""

from __future__ import annotations

import orjson
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request

from core.row_security import office_scope
from documents.access_log import record
from documents.models import Attachment, Outcome
from partner_api.document_shapes import FILE, TEXT
from partner_api.errors import MEDIA_TYPE, not_found
from partner_api.hot_path.download import Wanted, download
from partner_api.hot_path.resource import Resource
from partner_api.hot_path.views import DOCUMENT_PATH, asked_document
from partner_api.schema import NOT_MODIFIED, RANGE_HEADERS, in_path, refusals
from partner_api.serializers.attachments import AttachmentsSerializer

ANY = "application/octet-stream"


class Attachments(Resource):
    @extend_schema(
        operation_id="listAttachments",
        summary="List the attachments of a document",
        responses={
            200: OpenApiResponse(AttachmentsSerializer, "All of them; mostly none."),
            **refusals(403, 404),
        },
        parameters=in_path(**DOCUMENT_PATH),
    )
    def get(
        self, request: Request, office: str, client: str, kind: str, document: str
    ) -> HttpResponse:
        """The files that came inside the document, such as a time sheet in an invoice."""
        asked = asked_document(self.caller(request), kind, client, document)
        with office_scope(asked.access.office_id):
            attachments = list(Attachment.objects.of(asked.found.id))
        answer = orjson.dumps(AttachmentsSerializer({"data": attachments}).data)
        record(
            asked.reader,
            Outcome.SERVED,
            document_id=asked.found.id,
            media_type=MEDIA_TYPE,
            size=len(answer),
        )
        return HttpResponse(answer, content_type=MEDIA_TYPE)


class OneAttachment(Resource):
    @extend_schema(
        operation_id="readAttachment",
        summary="Download an attachment",
        responses={
            (200, ANY): OpenApiResponse(FILE, "The file, in its own media type."),
            (206, ANY): OpenApiResponse(FILE, "The part that `Range` asks for."),
            **NOT_MODIFIED,
            **refusals(403, 404, 416),
        },
        parameters=[*in_path(**DOCUMENT_PATH, name=TEXT), *RANGE_HEADERS],
    )
    def get(
        self, request: Request, office: str, client: str, kind: str, document: str, name: str
    ) -> HttpResponseBase:
        """One file by its name, whatever `Accept` says."""
        asked = asked_document(self.caller(request), kind, client, document)
        if "\0" in name:
            raise not_found()  # PostgreSQL holds no NUL, so nothing has such a name
        with office_scope(asked.access.office_id):
            found = Attachment.objects.of(asked.found.id).filter(name=name).first()
        if found is None:
            raise not_found()
        wanted = Wanted(found.as_format, found.name)
        return download(request, asked.reader, asked.kind, asked.found, wanted)
