"""What became readable in the window of a search though it arrived before (connect-api section 10).

An office shares a company or a kind again, or a company moves in: what arrived in that gap becomes
readable when the gap ends. Software that asks from its last `to` gets it then, once. Where a gap of
the company and one of the kind overlap or follow each other, both together are one gap.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from documents.models.late_documents import NEVER, Gap, LateStream, Position
from documents.models.querysets import ResolvedSearch, SearchWindow
from partner_api.times import two_years_before

Span = tuple[datetime, datetime]


def with_late_documents(
    window: SearchWindow, resolved: ResolvedSearch, latest: datetime
) -> SearchWindow:
    """The window with its late documents; the cursor's place counts in each of the lists.

    `latest` is the end that a search can have now. A gap that ended behind it ends in the window of
    a later search, so its documents are left to that one, even if they arrived in this window.
    """
    if not resolved.gaps:
        return window
    of_kind, of_client = _by_client(resolved.gaps)
    spans = _by_span(of_kind, of_client, resolved.clients.numbers)
    place = _place_of_cursor(window, resolved, of_kind, of_client)
    late = [
        LateStream(
            tuple(clients),
            max(since, two_years_before(ended)),
            min(ended, window.start),
            ended,
            window.after if ended == place else None,
        )
        for (since, ended), clients in spans.items()
        if since < window.start <= ended < window.end and (place is None or ended >= place)
    ]
    not_yet = [
        (client, since)
        for (since, ended), clients in spans.items()
        if ended >= latest
        for client in clients
    ]
    return replace(window, after=_behind(window.after, place), late=late, not_yet=not_yet)


def _place_of_cursor(
    window: SearchWindow,
    resolved: ResolvedSearch,
    of_kind: Sequence[Span],
    of_client: defaultdict[int, list[Span]],
) -> datetime | None:
    """The arrival of the cursor's document; the end of the gap where it is a late one."""
    if window.after is None:
        return None
    arrival, _id = window.after
    if arrival < window.start:
        for since, ended in joined([*of_kind, *of_client[resolved.place_client or 0]]):
            if since <= arrival < ended:
                return ended
    return arrival


def _behind(cursor: Position | None, place: datetime | None) -> Position | None:
    """Where the list of what arrived goes on; after a late document, at the end of its gap."""
    if cursor is None or place is None or place == cursor[0]:
        return cursor
    return place, 0


def _by_client(gaps: Iterable[Gap]) -> tuple[list[Span], defaultdict[int, list[Span]]]:
    of_kind: list[Span] = []
    of_client: defaultdict[int, list[Span]] = defaultdict(list)
    for gap in gaps:
        spans = of_kind if gap.client_id is None else of_client[gap.client_id]
        spans.append((gap.since or NEVER, gap.until))
    return of_kind, of_client


def _by_span(
    of_kind: Sequence[Span], of_client: defaultdict[int, list[Span]], clients: Iterable[int]
) -> dict[Span, list[int]]:
    """Each gap with its clients."""
    found: defaultdict[Span, list[int]] = defaultdict(list)
    usual = joined(of_kind)
    for client in clients:
        own = of_client.get(client)
        for span in joined([*of_kind, *own]) if own else usual:
            found[span].append(client)
    return found


def joined(spans: Iterable[Span]) -> list[Span]:
    """The same time in spans that neither overlap nor touch."""
    joined: list[Span] = []
    for since, until in sorted(spans):
        if joined and since <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], until)
        else:
            joined.append((since, until))
    return joined
