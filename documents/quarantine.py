"""Files that were refused or have no place yet: kept with the reason, to be replayed."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

from django.db import connection
from django.db.models.functions import Now

from documents.formats import Reason, Refused
from documents.models import Quarantined, QuarantineState

# A file that comes again is tried again; what was filed or discarded stays so.
PUT = """
    insert into documents_quarantined (sha256, name, size, reason, detail, line, state, tries)
    values (%s, %s, %s, %s, %s, %s, 'waiting', 1)
    on conflict (sha256) do update set
        reason = excluded.reason, detail = excluded.detail, line = excluded.line,
        tries = documents_quarantined.tries + 1, tried_at = statement_timestamp()
    where documents_quarantined.state = 'waiting'
"""
NAME, DETAIL = 255, 500


@dataclass(frozen=True)
class Turned:
    """A file, or one document of it, for the quarantine; `data` is None once it is kept."""

    name: str
    sha256: str
    size: int
    refused: Refused
    data: bytes | None

    @classmethod
    def of(
        cls, name: str, data: bytes, refused: Refused, kept: tuple[str, int] | None = None
    ) -> Turned:
        if kept is not None:
            return cls(name, *kept, refused, None)
        return cls(name, hashlib.sha256(data).hexdigest(), len(data), refused, data)


def belongs_to(sha256: str) -> Refused:
    """Why a paper waits: its file does. The sentence is how a replay finds it again."""
    return Refused(Reason.PAPER_WITHOUT_FILE, f"its file waits as well: {sha256}")


def paper_waiting_for(sha256: str) -> Quarantined | None:
    """The paper that was delivered beside this file."""
    return Quarantined.objects.filter(
        state=QuarantineState.WAITING,
        reason=Reason.PAPER_WITHOUT_FILE.value,
        detail=belongs_to(sha256).detail,
    ).first()


def put_into_quarantine(turned: Collection[Turned]) -> None:
    with connection.cursor() as cursor:
        once = {each.sha256: each for each in turned}
        for _sha256, each in sorted(once.items()):
            refused = each.refused
            texts = _plain(each.name)[-NAME:], _plain(refused.detail)[:DETAIL]
            cursor.execute(
                PUT,
                [each.sha256, texts[0], each.size, refused.reason.value, texts[1], refused.line],
            )


def leave_quarantine(digests: Collection[str]) -> None:
    """What waited and was filed now, whole or document by document, waits no more."""
    Quarantined.objects.filter(sha256__in=digests, state=QuarantineState.WAITING).update(
        state=QuarantineState.FILED, tried_at=Now()
    )


def _plain(text: str) -> str:
    """Names come from outside: nothing in them may end a line, or break the table."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
