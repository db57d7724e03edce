"""Search all documents of an office at once, newest first."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, NamedTuple

from django.db import connection
from django.utils import timezone

from accounts.models import Office
from core.row_security import office_scope
from documents.models import DocumentDetails
from documents.search_query import Term, terms_of

# Documents are kept for ten years at most; some are dated ahead.
DAYS_BACK, DAYS_AHEAD = 3660, 62
# As the database takes words apart: amounts with their cents, else letters and digits.
PARTS = re.compile(r"[0-9]+[.][0-9]{2}(?![0-9.])|[a-z0-9]+")
BEGINNING = 4
# Of the words that begin with the same four letters, so many of each month are looked at.
MOST_ALIKE = "limit 2000"
# Month by month, newest first, until the page is full. In each month the index gives the documents
# that have every word; row security then lets those of the office through.
FOUND = """
    select d.document_id
    from generate_series(%(newest)s::date, %(oldest)s::date, interval '-1 month') month
    cross join lateral (
        select document_id from documents_documentdetails
        where document_id = any(array(
            select document_id from documents_searchentry where {entries}
        )) and office_id = %(office)s {words}
        order by dated_on desc, document_id desc limit %(limit)s
    ) d
    limit %(limit)s
"""
ENTRY = "words && documents_search_keys(%(office)s, month::date, %(spellings_{n})s)"


class Wanted(NamedTuple):
    """One word in the spellings that the index may have; `part_of` a word where it is not whole."""

    spellings: list[str]
    part_of: str = ""


def found_documents(office: Office, text: str, limit: int) -> list[DocumentDetails]:
    """The newest documents that have every word; where there are none, words that begin so.

    Each has its client, `uuid` and `newest_version`.
    """
    wanted = [word for term in terms_of(text) for word in _words(term)]
    if not wanted:
        return []
    beginnings = [_beginning(word) for word in wanted]
    with office_scope(office.pk):
        keys = _keys(office, wanted, limit)
        if not keys and beginnings != wanted:
            keys = _keys(office, beginnings, limit)
        return list(DocumentDetails.objects.for_list(keys).select_related("client"))


def _words(term: Term) -> list[Wanted]:
    if term.day:
        return [Wanted([f"day {term.day}"])]
    amounts = [spelling for spelling in term.spellings if spelling != term.text]
    parts = PARTS.findall(term.text)
    if len(parts) == 1:
        return [Wanted([*parts, *amounts])]
    return [Wanted(amounts)] if amounts else [Wanted([part]) for part in parts]


def _beginning(word: Wanted) -> Wanted:
    first = word.spellings[0]
    if len(first) < BEGINNING or not first[0].isalpha() or " " in first:
        return word
    return Wanted([*word.spellings, f"{first[:BEGINNING]}*"], first)


def _keys(office: Office, wanted: list[Wanted], limit: int) -> list[int]:
    entries = " and ".join(ENTRY.format(n=n) for n in range(len(wanted)))
    parts = [word.part_of for word in wanted if word.part_of]
    today = timezone.localdate()
    parameters: dict[str, Any] = {
        "newest": (today + timedelta(DAYS_AHEAD)).replace(day=1),
        "oldest": today - timedelta(DAYS_BACK),
        "office": office.pk,
        "limit": limit,
        "parts": [f"%{part}%" for part in parts],
        **{f"spellings_{n}": word.spellings for n, word in enumerate(wanted)},
    }
    statement = FOUND.format(
        entries=f"{entries} {MOST_ALIKE}" if parts else entries,
        words="and words like all(%(parts)s)" if parts else "",
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [key for (key,) in cursor.fetchall()]
