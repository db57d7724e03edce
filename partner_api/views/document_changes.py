"""Everything that changed for software at an office, in one order (connect-api section 11)."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any
from uuid import UUID

import orjson
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request

from core.document_kinds import BY_KIND, KINDS
from documents.access_log import record
from documents.models import Outcome
from documents.models.change_page import ChangeRow
from documents.models.document_changes import Wait
from partner_api.cached_answer import cached_answer
from partner_api.change_cursor import ChangeCursor
from partner_api.document_changes import Changes, cursors, read_changes
from partner_api.document_shapes import IDENTIFIER, ref
from partner_api.errors import Fault, invalid
from partner_api.hot_path.reading import reader_of, require_access
from partner_api.hot_path.resource import Resource
from partner_api.hot_path.search import document_resource
from partner_api.idempotency import StoredAnswer
from partner_api.schema import IF_NONE_MATCH, NOT_MODIFIED, in_path, refusals
from partner_api.serializers.document_changes import ChangePageSerializer
from partner_api.serializers.paging import checked_query, paging
from partner_api.times import in_milliseconds
from partner_api.waiting import Waiting


class DocumentChanges(Resource):
    @extend_schema(
        operation_id="listDocumentChanges",
        summary="Follow everything of an office",
        responses={
            200: OpenApiResponse(ref("DocumentChanges"), "One page, in the order of the changes."),
            **NOT_MODIFIED,
            **refusals(403, 404),
        },
        parameters=[*in_path(office=IDENTIFIER), ChangePageSerializer, IF_NONE_MATCH],
    )
    def get(self, request: Request, office: str) -> HttpResponse:
        """What became available and what was withdrawn, all kinds and companies, after a cursor.

        `meta.paging.after` is always there: keep it. With `wait` an empty page waits for a change.
        """
        caller = self.caller(request)
        access = caller.at_office
        require_access(caller, access)
        query = checked_query(ChangePageSerializer, request)
        for kind in query["kinds"] or ():
            require_access(caller, access, kind)
        kinds = query["kinds"] or KINDS
        cursor = _cursor(query["after"])
        page = read_changes(caller, access, cursor, kinds, query["limit"])
        with ExitStack() as stack:
            if not page.rows and query["wait"]:
                place = Waiting(caller.partner_id, access, query["wait"])
                waiting = stack.enter_context(place)
                wait = Wait(access.office_id, caller.partner_id, page.horizon)
                while not page.rows and waiting.until_a_change(wait):
                    page = read_changes(caller, access, page.cursor, kinds, query["limit"])
                    wait = wait._replace(moment=page.horizon)
            record(reader_of(caller, access), Outcome.SERVED, media_type="changes")
        return cached_answer(StoredAnswer(200, orjson.dumps(_body(page, query["limit"]))), request)


def _cursor(given: UUID | None) -> ChangeCursor | None:
    if given is None:
        return None
    cursor = ChangeCursor.from_uuid(given)
    if cursor is None:
        raise invalid(Fault("invalidParameter", "after must be the cursor of an earlier page."))
    return cursor


def _body(page: Changes, limit: int) -> dict[str, Any]:
    documents = {
        row.document_id: document_resource(BY_KIND[row.kind], row.document, row.number)
        for row in page.rows
        if row.available
    }
    return {
        "data": [
            _change(row, cursor) for row, cursor in zip(page.rows, cursors(page), strict=True)
        ],
        "included": {"documents": list(documents.values())},
        "meta": paging(limit, page.cursor.as_uuid()),
    }


def _change(row: ChangeRow, cursor: ChangeCursor) -> dict[str, Any]:
    document = {
        "type": BY_KIND[row.kind].type,
        "id": row.document.public_id or row.document.uuid,
    }
    return {
        "type": "documentChange",
        "id": str(cursor.as_uuid()),
        "attributes": {
            "change": "available" if row.available else "withdrawn",
            "at": in_milliseconds(row.place),
        },
        "relationships": {
            "document": {"data": document},
            "client": {"data": {"type": "client", "id": row.number}},
        },
    }
