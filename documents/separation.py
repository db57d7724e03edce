"""Separate documents that were filed as versions of one, and are documents of their own.

The natural key lacked the day and the opening balance once, so statements of one number were
versions of one document: a bank that gives one number for a month had all days but the last shown
as replaced. The key of each is made again from its stored file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from django.db import connection

from clients.models import Client
from core.document_kinds import BY_KIND, Kind
from core.row_security import every_office
from documents.formats import Refused
from documents.formats.reading import read
from documents.ingest.classify import classify
from documents.storage.blobs import Damaged, load

# Groups that are looked at in one transaction.
GROUPS_PER_PAGE = 500
GROUPS = """
    select distinct client_id, kind, natural_key from documents_documentdetails
    where version > 1 and (client_id, kind, natural_key) > (%s, %s, %s)
    order by client_id, kind, natural_key limit %s
"""
MEMBERS = """
    select f.document_id, f.client_id, f.kind, f.natural_key, f.version, f.number, f.dated_on,
        f.sha256, coalesce(d.public_id, d.uuid::text)
    from documents_documentdetails f join documents_document d on d.id = f.document_id
    where f.client_id = %s and f.kind = %s and f.natural_key = any(%s)
    order by f.document_id
"""
# No two rows may have one version of one key in between, so there are two steps.
MOVE = """
    update documents_documentdetails f set natural_key = w.natural_key, version = 16384 + w.place
    from unnest(%(documents)s::bigint[], %(keys)s::text[], %(places)s::int[])
        w (document_id, natural_key, place)
    where f.document_id = w.document_id
"""
NUMBER = """
    update documents_documentdetails f set version = w.version
    from unnest(%(documents)s::bigint[], %(versions)s::int[]) w (document_id, version)
    where f.document_id = w.document_id
"""
# A first version has neither `version` nor `replaces`, as when it is filed.
TELL = """
    update documents_document d set attributes = d.attributes - 'version' - 'replaces'
        || case when w.version = 1 then '{}'::jsonb
            else jsonb_build_object('version', w.version, 'replaces', w.replaces) end
    from unnest(%(documents)s::bigint[], %(versions)s::int[], %(replaces)s::text[])
        w (document_id, version, replaces)
    where d.id = w.document_id
"""


class Group(NamedTuple):
    """The documents of a company that are filed as versions of one."""

    client_id: int
    kind: int
    natural_key: str


class Member(NamedTuple):
    """A filed document with what makes it the same document as others."""

    document_id: int
    client_id: int
    kind: int
    natural_key: str
    version: int
    number: str
    dated_on: str
    sha256: str
    wire_id: str


@dataclass(frozen=True)
class Separated:
    """A document that was a later version of another one, and is a document of its own."""

    company_number: str
    kind: str
    number: str
    dated_on: str
    wire_id: str
    version: int

    def __str__(self) -> str:
        return (
            f"{self.company_number} {self.kind} {self.number} of {self.dated_on} {self.wire_id}:"
            f" was version {self.version} of another document"
        )


@dataclass(frozen=True)
class Unreadable:
    """A document whose stored file tells nothing: it stays where it is."""

    wire_id: str
    sha256: str
    reason: str

    def __str__(self) -> str:
        return f"{self.wire_id} cannot be read ({self.sha256}): {self.reason}"


def wrongly_joined(*, separate: bool) -> Iterator[Separated | Unreadable]:
    """Name the documents that are no versions of each other, and separate them where asked.

    Each group is a transaction of its own, with the company locked as when files come in.
    """
    for group in _groups():
        with every_office():
            members = _members(group, [group.natural_key])
        keys: dict[int, str] = {}
        for member in members:
            try:
                keys[member.document_id] = _key_of(member)
            except (Damaged, Refused) as problem:
                yield Unreadable(member.wire_id, member.sha256, str(problem))
        if len(set(keys.values())) < 2:
            continue
        yield from _named(members, keys)
        if separate:
            _separate(group, keys)


def _groups() -> Iterator[Group]:
    """Page by page, so that no transaction stays open while files are read."""
    last = Group(0, 0, "")
    while True:
        with every_office(), connection.cursor() as cursor:
            cursor.execute(GROUPS, [*last, GROUPS_PER_PAGE])
            page = list(map(Group._make, cursor.fetchall()))
        yield from page
        if len(page) < GROUPS_PER_PAGE:
            return
        last = page[-1]


def _members(group: Group, keys: list[str]) -> list[Member]:
    """The documents with one of these keys, in the order in which they came."""
    with connection.cursor() as cursor:
        cursor.execute(MEMBERS, [group.client_id, group.kind, keys])
        return list(map(Member._make, cursor.fetchall()))


def _key_of(member: Member) -> str:
    """The natural key that the stored file would be filed under today."""
    data = load(member.sha256)
    (parsed,) = read(data)
    found = classify(parsed, hashlib.sha256(data).hexdigest())
    return next(one.natural_key for one in found if one.kind == member.kind)


def _named(members: list[Member], keys: dict[int, str]) -> Iterator[Separated]:
    """The documents that are first versions from now on."""
    numbers = dict(
        Client.objects.filter(pk=members[0].client_id).values_list("pk", "company_number")
    )
    seen: set[str] = set()
    for member in members:
        key = keys.get(member.document_id)
        if key and key not in seen and member.version > 1:
            yield Separated(
                numbers[member.client_id], BY_KIND[Kind(member.kind)].label.lower(), member.number,
                str(member.dated_on), member.wire_id, member.version,
            )  # fmt: skip
        if key:
            seen.add(key)


def _separate(group: Group, keys: dict[int, str]) -> None:
    """Write the keys, and number the versions of each key again in the order in which they came."""
    with every_office():
        Client.objects.select_for_update(no_key=True).get(pk=group.client_id)
        members = _members(group, [group.natural_key, *set(keys.values())])
        rows: list[tuple[int, str, int, str | None]] = []
        newest: dict[str, tuple[int, str]] = {}
        for member in members:
            key = keys.get(member.document_id, member.natural_key)
            version, replaces = newest.get(key, (0, None))
            newest[key] = version + 1, member.wire_id
            rows.append((member.document_id, key, version + 1, replaces))
        documents, names, versions, replaced = map(list, zip(*rows, strict=True))
        written = {
            "documents": documents, "keys": names, "places": list(range(len(rows))),
            "versions": versions, "replaces": replaced,
        }  # fmt: skip
        with connection.cursor() as cursor:
            for statement in (MOVE, NUMBER, TELL):
                cursor.execute(statement, written)
