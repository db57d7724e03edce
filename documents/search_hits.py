"""What a search shows of each document it finds: the movement that matched, in its own words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from accounts.models import Office
from core.document_kinds import Kind
from core.plain_text import plain
from core.row_security import office_scope
from documents.formats import BankStatement, Movement
from documents.models import Content, DocumentDetails
from documents.office_search import found_documents
from documents.rendering.parse_stored import parse_stored
from documents.search_query import Term, terms_of

# Reading a file takes a few milliseconds: only the first statements show their movements.
MOST_READ = 10


class Hit(NamedTuple):
    """A document, and the movement of it that has most of the words, if any."""

    details: DocumentDetails
    movement: Movement | None = None


def found_hits(office: Office, text: str, limit: int) -> list[Hit]:
    """The newest documents of the office in which everything is found."""
    found, terms = found_documents(office, text, limit), terms_of(text)
    statements = [one.pk for one in found if one.kind == Kind.BANK_ACCOUNT_STATEMENT][:MOST_READ]
    files: dict[int, list[Content]] = defaultdict(list)
    with office_scope(office.pk):
        for content in Content.objects.filter(document__in=statements):
            files[content.document_id].append(content)
    return [Hit(one, _movement(files.get(one.pk, []), terms)) for one in found]


def _movement(contents: list[Content], terms: list[Term]) -> Movement | None:
    facts = parse_stored(contents).facts if contents else None
    if not isinstance(facts, BankStatement):
        return None
    scores = [(_score(movement, terms), movement) for movement in _all(facts.movements)]
    best = max(scores, key=lambda score: score[0], default=(0, None))
    return best[1] if best[0] else None


def _all(movements: Iterable[Movement]) -> Iterable[Movement]:
    for movement in movements:
        yield movement
        yield from _all(movement.details)


def _score(movement: Movement, terms: list[Term]) -> int:
    """How many of the terms this movement has."""
    said = plain(
        " ".join(
            (
                movement.name,
                movement.iban,
                movement.communication,
                movement.reference,
                movement.structured,
                "".join(filter(str.isdigit, movement.structured)),
            )
        )
    )
    return sum(
        any(spelling in said for spelling in term.spellings)
        or abs(movement.amount) in term.amounts
        or movement.booked_on == term.day
        for term in terms
    )
