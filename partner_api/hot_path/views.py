"""Document search and documents (connect-api sections 5 and 6): the hot path."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, cast
from uuid import UUID, uuid4

import orjson
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request

from consents.access import AccessContext
from core.document_kinds import BY_PATH, EXTENSIONS, DocumentKind
from documents.access_log import Reader, record
from documents.models import Document, Outcome
from documents.models.querysets import FoundDocument, SearchWindow
from partner_api.document_shapes import FILE, IDENTIFIER, TEXT, ref
from partner_api.errors import MEDIA_TYPE, invalid, not_found, refused
from partner_api.hot_path.authentication import Caller, uuid_in_path
from partner_api.hot_path.download import (
    TO_RENDER,
    Wanted,
    download,
    preferred_format,
    rendered,
    structured_format,
)
from partner_api.hot_path.late_documents import with_late_documents
from partner_api.hot_path.reading import reader_of, require_access
from partner_api.hot_path.resource import Resource
from partner_api.hot_path.search import document_resource, fault, read_search, search_answer
from partner_api.idempotency import StoredAnswer, run_once
from partner_api.negotiation import whole_body
from partner_api.schema import IDEMPOTENCY_KEY, NOT_MODIFIED, RANGE_HEADERS, in_path, refusals
from partner_api.times import cut_to_milliseconds, two_years_before

DOCUMENT_PATH = {
    "office": IDENTIFIER,
    "client": TEXT,
    "document": TEXT,
    "kind": {"type": "string", "enum": [*BY_PATH]},
}
FORMAT = OpenApiParameter(
    "format",
    TEXT,
    description="The media type, as `Accept` has it; none: the structured file.",
)


class DocumentSearches(Resource):
    @extend_schema(
        operation_id="searchDocuments",
        summary="Find documents",
        request=dict.fromkeys((MEDIA_TYPE, "application/json"), ref("SearchRequest")),
        responses={
            201: OpenApiResponse(ref("Search"), "One page, oldest first."),
            **refusals(403, 404, 409, 413, 415),
        },
        parameters=[*in_path(office=IDENTIFIER), IDEMPOTENCY_KEY],
    )
    def post(self, request: Request, office: str) -> HttpResponse:
        """The documents of the named clients that became available in a window of time."""
        caller = self.caller(request)
        access = caller.at_office
        require_access(caller, access)
        search = read_search(cast(dict[str, Any], request.data))
        require_access(caller, access, search.kind)
        after = search.after
        if isinstance(after, str):
            after = Document.objects.cursor_of(access, search.kind.kind, after)
        resolved = Document.objects.resolve(
            access,
            search.clients,
            after,
            partner=caller.partner_id,
            kind=search.kind.type,
            since=search.start or two_years_before(datetime.now(tz=UTC)) - timedelta(days=1),
        )
        if search.after is not None and resolved.place is None:
            raise invalid(
                fault("/meta/paging/after", "after must be the cursor of an earlier page.")
            )
        identifier, horizon = _frozen(request, caller, resolved.horizon)
        bounded = search.until(horizon)
        window = SearchWindow(
            access.office_id, search.kind.kind, *bounded, search.limit + 1, resolved.place
        )
        window = with_late_documents(window, resolved, cut_to_milliseconds(horizon))
        rows = Document.objects.page(window, resolved.clients)
        record(reader_of(caller, access), Outcome.SERVED, media_type="search")
        answer = search_answer(search, identifier, bounded, resolved.clients, rows)
        return HttpResponse(orjson.dumps(answer), status=201, content_type=MEDIA_TYPE)


class OneDocument(Resource):
    @extend_schema(
        operation_id="readDocument",
        summary="Read or download a document",
        responses={
            (200, MEDIA_TYPE): OpenApiResponse(ref("OneDocument"), "Its resource."),
            (200, *EXTENSIONS): OpenApiResponse(FILE, "The file, in the format of `Accept`."),
            # JSON comes whole, but with files alone here a generated Java client does not compile.
            (206, MEDIA_TYPE): OpenApiResponse(ref("OneDocument"), "JSON comes whole, with 200."),
            (206, *EXTENSIONS): OpenApiResponse(FILE, "The part that `Range` asks for."),
            **NOT_MODIFIED,
            **refusals(403, 404, 406, 416),
        },
        parameters=[*in_path(**DOCUMENT_PATH), *RANGE_HEADERS],
    )
    def get(
        self, request: Request, office: str, client: str, kind: str, document: str
    ) -> HttpResponseBase:
        """One document: its JSON, or the format that `Accept` asks for."""
        asked = asked_document(self.caller(request), kind, client, document)
        found = asked.found
        wanted = preferred_format(
            request.META.get("HTTP_ACCEPT", "").strip(), asked.kind, found, asked.access.office_id
        )
        if wanted is None:
            resource = document_resource(asked.kind, found.row, found.number)
            answer = orjson.dumps({"data": resource})
            record(
                asked.reader,
                Outcome.SERVED,
                document_id=found.id,
                media_type=MEDIA_TYPE,
                size=len(answer),
            )
            return HttpResponse(answer, content_type=MEDIA_TYPE)
        return _sent(request, asked, wanted)


class DocumentFile(Resource):
    @extend_schema(
        operation_id="readDocumentFile",
        summary="Download the file of a document",
        responses={
            (200, *EXTENSIONS): OpenApiResponse(FILE, "The file."),
            (206, *EXTENSIONS): OpenApiResponse(FILE, "The part that `Range` asks for."),
            **NOT_MODIFIED,
            **refusals(403, 404, 406, 416),
        },
        parameters=[*in_path(**DOCUMENT_PATH), FORMAT, *RANGE_HEADERS],
    )
    def get(
        self, request: Request, office: str, client: str, kind: str, document: str
    ) -> HttpResponseBase:
        """The file alone, whatever `Accept` says: for clients that cannot choose it."""
        asked = asked_document(self.caller(request), kind, client, document)
        named = request.GET.get("format", "").strip()
        media_type = named or structured_format(asked.kind, asked.found)
        wanted = preferred_format(
            media_type, asked.kind, asked.found, asked.access.office_id, member="format"
        )
        if wanted is None:
            raise refused(406, "notAcceptable", "format must not be JSON: this is the file alone.")
        return _sent(request, asked, wanted)


class AskedDocument(NamedTuple):
    """A document that a call names, and that its caller may read now."""

    caller: Caller
    kind: DocumentKind
    found: FoundDocument

    @property
    def access(self) -> AccessContext:
        return self.caller.at_office

    @property
    def reader(self) -> Reader:
        return reader_of(self.caller, self.access)


def _sent(request: Request, asked: AskedDocument, wanted: Wanted) -> HttpResponseBase:
    """The file, which is rendered first where nobody asked for it before."""
    if wanted.format == TO_RENDER:
        wanted = Wanted(rendered(asked.access.office_id, asked.found.id))
        # Rendering takes time, in which access may have ended.
        now = AccessContext.of(asked.access.consent_id)
        row = asked.found.row
        identifier = row.public_id or row.uuid
        again = asked.caller._replace(access=now)
        asked = asked_document(again, asked.kind.path, asked.found.number, identifier)
    return download(request, asked.reader, asked.kind, asked.found, wanted)


def asked_document(caller: Caller, kind: str, client: str, document: str) -> AskedDocument:
    """The document that the path names; raises what the caller is answered instead."""
    access = caller.at_office
    known = BY_PATH.get(kind)
    if known is None:
        raise not_found()
    require_access(caller, access, known)
    identifier = _identifier(known, document)
    if "\0" in client + document:
        raise not_found()  # PostgreSQL holds no NUL, so nothing has such a name
    found = Document.objects.one(access, known.kind, client, identifier)
    if found is None:
        raise not_found()
    return AskedDocument(caller, known, found)


def _frozen(request: Request, caller: Caller, horizon: datetime) -> tuple[str, datetime]:
    """The id of the search and its latest end; under an idempotency key those of the first time.

    Only these two are stored: a stored page could still be read after a cancel.
    """

    def first_time() -> StoredAnswer:
        return StoredAnswer(201, orjson.dumps([str(uuid4()), horizon]))

    raw = whole_body(request._request)
    answer = run_once(request._request, raw, caller.partner_id, first_time)
    identifier, moment = orjson.loads(answer.body)
    return identifier, datetime.fromisoformat(moment)


def _identifier(kind: DocumentKind, text: str) -> UUID | str:
    return uuid_in_path(text, f"{kind.type}Id") if kind.uuid_on_the_wire else text
