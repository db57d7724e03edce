"""What changed for software at an office, in one order (connect-api section 11).

A document is readable from its arrival, but for the sharing gaps of its company and its kind.
Where such gaps overlap or follow each other they are one. The list tells each turn: a document
comes where it arrives or where a gap ends, and goes where a gap begins or it is deleted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from django.db import transaction

from consents.access import AccessContext
from core.document_kinds import BY_TYPE, DocumentKind
from documents.models.change_page import ChangePage, ChangeRow, Hidden, Turn, changes
from documents.models.document_changes import (
    Company,
    Gap,
    Resolved,
    companies,
    resolve,
    shared_part,
)
from documents.models.late_documents import NEVER
from partner_api.change_cursor import ChangeCursor
from partner_api.hot_path.authentication import Caller
from partner_api.hot_path.late_documents import Span, joined
from partner_api.hot_path.reading import require_access

ALWAYS = datetime(9999, 1, 1, tzinfo=UTC)


class Changes(NamedTuple):
    """One page: its changes, the cursor to keep, and up to when it is complete."""

    rows: list[ChangeRow]
    cursor: ChangeCursor
    horizon: datetime


def read_changes(
    caller: Caller,
    access: AccessContext,
    cursor: ChangeCursor | None,
    kinds: Collection[DocumentKind],
    limit: int,
) -> Changes:
    """One page behind the cursor; access is checked again under the lock of whoever changes it.

    Raises ApiError where it is refused now.
    """
    place, document_id, _begun = cursor or ChangeCursor(NEVER, 0, NEVER)
    with transaction.atomic():
        resolved = resolve(access, caller.partner_id, place, document_id)
        if resolved.access.denial_reason() is None:
            started = cursor or ChangeCursor.at_the_beginning(resolved.horizon)
            page = _page(resolved, started, kinds, limit)
            rows = changes(page)
    # Outside the transaction, so that the refusal is recorded.
    require_access(caller, resolved.access)
    if rows:
        started = started.behind(rows[-1].place, rows[-1].document_id)
    return Changes(rows, started, resolved.horizon)


def cursors(page: Changes) -> Iterator[ChangeCursor]:
    """The cursor of each change, which is its identifier."""
    for row in page.rows:
        yield page.cursor.behind(row.place, row.document_id)


def _page(
    resolved: Resolved, cursor: ChangeCursor, kinds: Collection[DocumentKind], limit: int
) -> ChangePage:
    access = resolved.access
    shared = [kind for kind in kinds if access.shares(kind.type)]
    # Of a document that nobody knows any more, all changes of its moment come again.
    after = (resolved.arrival or NEVER, cursor.document_id if resolved.arrival else 0)
    page = ChangePage(
        access=access,
        place=cursor.place,
        after=after,
        end=resolved.horizon,
        begun=cursor.begun,
        limit=limit,
        kinds=[kind.kind for kind in shared],
        every_kind=[kind.kind for kind in shared],
        shared=shared_part(access),
    )
    gaps = [gap for gap in resolved.gaps if _counts(gap, cursor)]
    return _with_gaps(page, cursor, gaps, kinds) if gaps else page


def _counts(gap: Gap, cursor: ChangeCursor) -> bool:
    """A gap that ended before the software began to read does not count."""
    return gap.until is None or gap.until > cursor.begun


def _with_gaps(
    page: ChangePage, cursor: ChangeCursor, gaps: list[Gap], kinds: Collection[DocumentKind]
) -> ChangePage:
    every = companies(page.access, gaps)
    named = {gap.client_id for gap in gaps}
    # A company that was never shared has no gap, and nothing of it is listed.
    concerned = [company for company in every if company.covered or company.id in named]
    lost = {gap.kind for gap in gaps}
    every_kind = [kind for kind in kinds if kind.kind in page.kinds or kind.type in lost]
    hidden = [_hidden(gap, cursor) for gap in gaps]
    turns = [
        turn
        for kind in every_kind
        for turn in _turns(page, hidden, kind, concerned)
        if page.place <= turn.place < page.end
    ]
    office = page.access.office_id
    return ChangePage(
        **{
            **vars(page),
            "every_kind": [kind.kind for kind in every_kind],
            "hidden": hidden,
            "turns": turns,
            "others": any(c.office_id != office for c in concerned),
        }
    )


def _hidden(gap: Gap, cursor: ChangeCursor) -> Hidden:
    """A gap in which the software began to read hid all from the beginning."""
    since = gap.hidden_at
    if since is None or since <= cursor.begun:
        since = NEVER
    kind = BY_TYPE[gap.kind].kind if gap.kind else None
    return Hidden(since, gap.until or ALWAYS, gap.client_id, kind)


def _turns(
    page: ChangePage, hidden: list[Hidden], kind: DocumentKind, concerned: list[Company]
) -> Iterator[Turn]:
    """Each beginning and each end of a gap, with its companies."""
    of_kind: list[Span] = [(h.since, h.until) for h in hidden if h.kind == kind.kind]
    of_client: defaultdict[int, list[Span]] = defaultdict(list)
    for one in hidden:
        if one.client_id is not None:
            of_client[one.client_id].append((one.since, one.until))
    usual = joined(of_kind)
    found: defaultdict[tuple[bool, datetime], list[int]] = defaultdict(list)
    is_shared = kind.kind in page.kinds
    for company in concerned:
        own = of_client.get(company.id)
        for since, until in joined([*of_kind, *own]) if own else usual:
            if since != NEVER:
                found[False, since].append(company.id)
            if until != ALWAYS and company.covered and is_shared:
                found[True, until].append(company.id)
    for (available, place), clients in found.items():
        after = page.after if place == page.place else (NEVER, 0)
        yield Turn(available, place, kind.kind, clients, after)
