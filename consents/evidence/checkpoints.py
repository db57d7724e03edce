"""Checkpoints: every five minutes the signed state of all consent events leaves the database.

Events are put into a log, one after the other, whatever office they are of. A checkpoint has the
number of its events and the root of their Merkle tree. Whoever has a checkpoint can prove later
that none of these events was changed, taken out or put in between.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.core.files.base import ContentFile
from django.core.files.storage import Storage, storages
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models.functions import Now

from consents.evidence import signed_note
from consents.evidence.merkle import Tree
from consents.models import LogCheckpoint, LogEntry

# One process at a time puts events into the log.
LOCK = 20_006
# The chains that went on since. Their heads are held, in the order in which everybody holds them.
GONE_ON = """
    select office_id, logged, length from consents_chainhead where logged < length
    order by office_id for no key update
"""
APPEND = """
    insert into consents_logentry (position, event_id)
    select (select coalesce(max(position), 0) from consents_logentry)
           + row_number() over (order by event.id), event.id
    from unnest(%s::bigint[], %s::bigint[], %s::bigint[]) as chain (office_id, logged, length)
    join consents_consentevent event on event.office_id = chain.office_id
        and event.number > chain.logged and event.number <= chain.length
"""
LOGGED = "update consents_chainhead set logged = length where office_id = any(%s)"
WAITING = """
    select count(*), coalesce(extract(epoch from now() - min(at)), 0)::float8 from (
        select event.at from consents_logentry entry
        join consents_consentevent event on event.id = entry.event_id
        where position > (select coalesce(max(size), 0) from consents_logcheckpoint
                          where delivered_at is not null)
        union all
        select event.at from consents_chainhead chain
        join consents_consentevent event on event.office_id = chain.office_id
            and event.number > chain.logged
    ) as open
"""


def write_checkpoint() -> LogCheckpoint | None:
    """Put the new events into the log and sign its state; None where nothing is new."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [LOCK])
        _append(cursor)
        last = LogCheckpoint.objects.order_by("-size").first()
        tree = Tree(last.size, [bytes.fromhex(one) for one in last.edge]) if last else Tree()
        before = tree.size
        for leaf in leaves(after=before):
            tree.add(leaf)
        if tree.size == before:
            return None
        note = signed_note.write(signed_note.Checkpoint(tree.size, tree.root))
        edge = [one.hex() for one in tree.edge]
        return LogCheckpoint.objects.create(size=tree.size, edge=edge, note=note)


def leaves(after: int = 0) -> Iterator[bytes]:
    """The leaves of the tree: the event hashes, in the order of the log."""
    entries = LogEntry.objects.filter(position__gt=after).order_by("position")
    for event_hash in entries.values_list("event__event_hash", flat=True).iterator():
        yield bytes.fromhex(event_hash)


def deliver_checkpoints() -> int:
    """Write to the place outside what is not there yet, the oldest first; return how many."""
    place = storages["checkpoints"]
    waiting = LogCheckpoint.objects.filter(delivered_at=None).order_by("size")
    if waiting:
        key_line = signed_note.public_key_line()
        _put(place, f"{key_line.split('+')[1]}.key", f"{key_line}\n")
    for checkpoint in waiting:
        _put(place, name_of(checkpoint), checkpoint.note)
        LogCheckpoint.objects.filter(pk=checkpoint.pk, delivered_at=None).update(delivered_at=Now())
    return len(waiting)


def name_of(checkpoint: LogCheckpoint) -> str:
    """The name of its file: by size, and apart where a restored database went another way."""
    return f"{checkpoint.size:012}-{checkpoint.edge[-1][:8]}.checkpoint"


def _put(place: Storage, name: str, text: str) -> None:
    if place.exists(name):
        with place.open(name) as file:
            if file.read() == text.encode():
                return
        place.delete(name)  # a crash cut it off
    place.save(name, ContentFile(text.encode()))


def read_checkpoints() -> Iterator[tuple[str, signed_note.Checkpoint | None]]:
    """The files of the place by name; None where no key that lies there has signed the file."""
    place = storages["checkpoints"]
    try:
        names = sorted(place.listdir("")[1])
    except FileNotFoundError:
        return
    keys = [_text(place, name) for name in names if name.endswith(".key")]
    for name in names:
        if name.endswith(".checkpoint"):
            try:
                yield name, signed_note.read(_text(place, name), keys)
            except (signed_note.WrongCheckpoint, ValueError):
                yield name, None


def _text(place: Storage, name: str) -> str:
    with place.open(name) as file:
        return bytes(file.read()).decode()


def waiting() -> tuple[int, float]:
    """How many events no delivered checkpoint covers, and the age of the oldest in seconds."""
    with connection.cursor() as cursor:
        cursor.execute(WAITING)
        number, seconds = cursor.fetchone()
    return number, seconds


def _append(cursor: CursorWrapper) -> None:
    cursor.execute(GONE_ON)
    chains = cursor.fetchall()
    if chains:
        columns = [list(column) for column in zip(*chains, strict=True)]
        cursor.execute(APPEND, columns)
        cursor.execute(LOGGED, [columns[0]])
