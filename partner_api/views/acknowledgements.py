"""Software says what it did with documents (connect-api section 12)."""

from __future__ import annotations

from typing import Any

import orjson
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request

from consents.access import AccessContext
from documents.acknowledgements import KnownWord, Word, acknowledge
from documents.models.bulk_lookup import find_named
from partner_api.document_downloads import WantedDocument
from partner_api.document_shapes import IDENTIFIER, ref
from partner_api.errors import MEDIA_TYPE, ApiError, Fault
from partner_api.hot_path.reading import SENTENCES, require_access
from partner_api.hot_path.resource import Resource
from partner_api.idempotency import StoredAnswer, run_once
from partner_api.negotiation import whole_body
from partner_api.schema import IDEMPOTENCY_KEY, in_path, refusals
from partner_api.serializers.acknowledgements import AcknowledgementsSerializer
from partner_api.times import in_milliseconds

POINTER = "/data/{}/relationships/document/data/id"
UNKNOWN = Fault("notFound", "There is no such document for you.")


class Acknowledgements(Resource):
    @extend_schema(
        operation_id="acknowledgeDocuments",
        summary="Say what you did with documents",
        request=AcknowledgementsSerializer,
        responses={
            200: OpenApiResponse(ref("Acknowledged"), "What is known now."),
            **refusals(403, 404, 409, 413, 415),
        },
        parameters=[*in_path(office=IDENTIFIER), IDEMPOTENCY_KEY],
    )
    def post(self, request: Request, office: str) -> HttpResponse:
        """Received, booked or rejected: the office sees it. It is never required.

        A document that you may not read is in `errors`; the others count. None at all is 404.
        """
        caller = self.caller(request)
        access = caller.at_office
        require_access(caller, access)
        body = AcknowledgementsSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        words, faults = _words(access, body.validated_data["data"])
        if not words:
            raise ApiError(404, *faults)

        def act() -> StoredAnswer:
            known = acknowledge(caller.partner_id, access.office_id, words)
            return StoredAnswer(200, orjson.dumps(_body(words, known, faults)))

        raw = whole_body(request._request)
        answer = run_once(request._request, raw, caller.partner_id, act)
        return HttpResponse(answer.body, status=answer.status, content_type=MEDIA_TYPE)


def _words(access: AccessContext, entries: list[dict[str, Any]]) -> tuple[list[Word], list[Fault]]:
    """The last word about each document that may be read, and a fault for each other one."""
    wanted = []
    for place, entry in enumerate(entries):
        document = entry["relationships"]["document"]["data"]
        wanted.append(WantedDocument(place, document["type"], document["id"], ""))
    found = find_named(access, [one.name for one in wanted if one.name])
    words: dict[int, Word] = {}
    faults = []
    for one, entry in zip(wanted, entries, strict=True):
        reason = access.denial_reason(one.kind.type)
        documents = found.get(one.name, []) if one.name else []
        if reason is not None or len(documents) != 1:
            fault = Fault(reason.value, SENTENCES[reason]) if reason else UNKNOWN
            faults.append(fault._replace(pointer=POINTER.format(one.place)))
            continue
        said = entry["attributes"]
        words[documents[0].id] = Word(
            documents[0],
            one.kind.kind,
            said["status"],
            said.get("reference") or "",
            said.get("reason") or "",
        )
    return list(words.values()), faults


def _body(words: list[Word], known: dict[int, KnownWord], faults: list[Fault]) -> dict[str, Any]:
    data = [_resource(word, known[word.document.id]) for word in words]
    return {"data": data} | ({"errors": [fault.as_json() for fault in faults]} if faults else {})


def _resource(word: Word, known: KnownWord) -> dict[str, Any]:
    row = word.document.row
    document = {"type": word.kind.row.type, "id": row.public_id or row.uuid}
    return {
        "type": "acknowledgement",
        "attributes": {
            "status": known.status,
            "reference": known.reference or None,
            "reason": known.reason or None,
            "at": in_milliseconds(known.at),
        },
        "relationships": {"document": {"data": document}},
    }
