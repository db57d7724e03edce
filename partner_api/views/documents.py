"""Document search and documents (connect-api sections 5 and 6): the hot path."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

import orjson
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from consents.access import Refusal, Standing
from documents.kinds import BY_PATH, EXTENSIONS, KindOfDocument
from documents.models import Document, Outcome
from documents.querysets import Window
from documents.reads import Reader, record
from partner_api.authentication import Caller, uuid_in_path
from partner_api.download import download, preferred_format
from partner_api.errors import MEDIA_TYPE, invalid, not_found, refused
from partner_api.idempotency import Kept, once
from partner_api.negotiation import read_json
from partner_api.schema import (
    AUTHENTICATED,
    IDEMPOTENCY_KEY,
    IDENTIFIER,
    TEXT,
    answers,
    body,
    in_path,
    ref,
)
from partner_api.search import document_resource, read_search, search_answer
from partner_api.serializers import fault
from partner_api.views.base import Resource

SENTENCES = {
    Refusal.PARTNER_SUSPENDED: "Your software is suspended; ask the portal.",
    Refusal.OFFICE_SUSPENDED: "The office is suspended for now.",
    Refusal.NOT_CONFIRMED: "The office does not allow access (any more, or yet).",
    Refusal.PAUSED: "The office paused access.",
    Refusal.TERMS_OVERDUE: "The office must accept the new terms first.",
    Refusal.KIND_NOT_ALLOWED: "Your software is not registered for this kind of document.",
}


FILE = {"type": "string", "format": "binary"}
FILES = [*EXTENSIONS]


class Searches(Resource):
    @answers(
        "Find documents",
        [(201, ref("Search"), [], "One page, oldest first.")],
        [*AUTHENTICATED, 403, 404, 409, 413, 415],
        request=body("SearchRequest"),
        parameters=[*in_path(office=IDENTIFIER), IDEMPOTENCY_KEY],
    )
    def post(self, request: Request, office: str) -> HttpResponse:
        """The documents of the named clients that became available in a window of time."""
        caller = self.caller(request)
        standing = caller.at_office
        _allowed(caller, standing)
        given, raw = read_json(request._request)
        search = read_search(given)
        _allowed(caller, standing, search.kind)
        after = search.after
        if isinstance(after, str):
            after = Document.objects.cursor_of(standing, search.kind.kind, after)
        clients, place, horizon = Document.objects.resolve(standing, search.clients, after)
        if search.after is not None and place is None:
            raise invalid(fault("/meta/paging/after", "It is no cursor of an earlier page."))
        identifier, horizon = _frozen(request, raw, caller, horizon)
        bounded = search.until(horizon)
        window = Window(standing.office_id, search.kind.kind, *bounded, search.limit + 1, place)
        rows = Document.objects.page(window, clients)
        record(_reader(caller, standing), Outcome.SERVED, media_type="search")
        answer = search_answer(search, identifier, bounded, clients, rows)
        return HttpResponse(orjson.dumps(answer), status=201, content_type=MEDIA_TYPE)


class OneDocument(Resource):
    @answers(
        "Read or download a document",
        [
            (200, ref("OneDocument"), [], "Its resource."),
            (200, FILE, FILES, "The file, in the format of `Accept`."),
            (206, FILE, FILES, "The part that `Range` asks for."),
        ],
        [304, *AUTHENTICATED, 403, 404, 406, 416],
        parameters=in_path(
            office=IDENTIFIER,
            client=TEXT,
            document=TEXT,
            kind={"type": "string", "enum": [*BY_PATH]},
        ),
    )
    def get(
        self, request: Request, office: str, client: str, kind: str, document: str
    ) -> HttpResponseBase:
        """One document: its JSON, or the format that `Accept` asks for."""
        caller = self.caller(request)
        standing = caller.at_office
        known = BY_PATH.get(kind)
        if known is None:
            raise not_found()
        _allowed(caller, standing, known)
        identifier = _identifier(known, document)
        if "\0" in client + document:
            raise not_found()  # PostgreSQL holds no NUL, so nothing has such a name
        found = Document.objects.one(standing, known.kind, client, identifier)
        if found is None:
            raise not_found()
        reader = _reader(caller, standing)
        wanted = preferred_format(request, known, found)
        if wanted is None:
            answer = orjson.dumps({"data": document_resource(known, found.row, found.number)})
            record(
                reader,
                Outcome.SERVED,
                document_id=found.id,
                media_type=MEDIA_TYPE,
                size=len(answer),
            )
            return HttpResponse(answer, content_type=MEDIA_TYPE)
        return download(request, reader, known, found, wanted)


def _frozen(
    request: Request, raw: bytes, caller: Caller, horizon: datetime
) -> tuple[str, datetime]:
    """The id of the search and its latest end; with an idempotency key those of the first time.

    A kept page would be a back door after a cancel, so the page itself is read again.
    """

    def first_time() -> Kept:
        return Kept(201, orjson.dumps([str(uuid4()), horizon]))

    kept = once(request._request, raw, caller.partner_id, first_time)
    identifier, moment = orjson.loads(kept.answer)
    return identifier, datetime.fromisoformat(moment)


def _identifier(kind: KindOfDocument, text: str) -> UUID | str:
    return uuid_in_path(text, f"{kind.type}Id") if kind.uuid_on_the_wire else text


def _reader(caller: Caller, standing: Standing) -> Reader:
    return Reader(standing.office_id, standing.consent_id, caller.application_id)


def _allowed(caller: Caller, standing: Standing, kind: KindOfDocument | None = None) -> None:
    """Go on, or write the refused attempt down and answer with the first failing reason."""
    reason = standing.refusal(kind.type if kind else None)
    if reason is None:
        return
    record(
        _reader(caller, standing),
        Outcome.REFUSED,
        media_type=kind.type if kind else "",
        reason=reason.value,
    )
    meta = {"portalStatus": standing.status} if reason == Refusal.NOT_CONFIRMED else {}
    raise refused(403, reason.value, SENTENCES[reason], **meta)
