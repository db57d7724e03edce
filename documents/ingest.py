"""Documents come in: batch by batch, the bytes first, then the rows, all of a batch or nothing.

Idempotent: the same bytes are filed once for a company, so a run that was killed is simply begun
again. What is refused goes to the quarantine, with its bytes and the reason.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from io import BytesIO
from itertools import chain
from typing import BinaryIO, cast

import structlog
from django.db import transaction

from accounts.tenancy import every_office
from documents.arrivals import Arrival, of_file
from documents.filing import SOFTWARE, Entry, entries
from documents.formats import Invoice, Reason, Refused, Sheet
from documents.formats.reading import MOST_BYTES, read
from documents.kinds import PDF
from documents.models import Kind, Quarantined
from documents.orphans import holding_off_the_sweep
from documents.owners import Owner, Owners
from documents.publication import publishing
from documents.quarantine import (
    Turned,
    belongs_to,
    leave_quarantine,
    paper_waiting_for,
    put_into_quarantine,
)
from documents.renditions import render
from documents.rows import Arriving, Stored, insert, there_already
from documents.storage import keep_all, load, name_of, storage

log = structlog.get_logger(__name__)
# A batch holds no more than this, so the memory is the same for ten files and for a million.
MOST_FILES = 250
MOST_TOGETHER = 16 * 1024 * 1024
TRIES = 5
PDF_STARTS = b"%PDF-"
WITHOUT_FILE = "a paper, and no file beside it that says what it is"


class OwnerMoved(Exception):
    """A company or account changed hands between the look-up and the lock."""


@dataclass
class Taken:
    """What came of a batch: each file is filed, known already, or refused."""

    files: int = 0
    filed: Counter[Kind] = field(default_factory=Counter)
    # Of those filed: under a name that was there with other bytes.
    newer: int = 0
    known: int = 0
    refused: list[tuple[str, Refused]] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Item:
    """One document of a delivered file, read and ready to be filed; `whole` is that file."""

    name: str
    sheet: Sheet
    sha256: str
    whole: bytes
    whole_sha256: str
    entries: list[Entry]
    paper: bytes | None
    available_at: datetime | None = None


@dataclass(frozen=True, eq=False)
class Placed:
    """An item as one company's document."""

    item: Item
    entry: Entry
    owner: Owner

    @property
    def key(self) -> tuple[int, int, str]:
        return self.owner.client_id, self.entry.kind.value, self.item.sha256


def ingest(arrivals: Iterable[Arrival], software: str = SOFTWARE) -> Iterator[Taken]:
    """Take the files in; each batch is committed when it is told. Only outside a transaction."""
    coming = iter(arrivals)
    while True:
        with holding_off_the_sweep():
            batch = list(_next_batch(coming))
            taken = _take_in(batch, software) if batch else None
        if taken is None:
            return
        yield taken


def _our_fault(error: Exception) -> Refused:
    return Refused(Reason.STRUCTURE, f"the portal could not handle it: {type(error).__name__}")


def _next_batch(coming: Iterator[Arrival]) -> Iterator[Arrival]:
    size = 0
    for count, arrival in enumerate(coming, start=1):
        yield arrival
        size += arrival.size
        if count >= MOST_FILES or size >= MOST_TOGETHER:
            return


def _take_in(batch: list[Arrival], software: str) -> Taken:
    items: list[Item] = []
    turned: list[Turned] = []
    for arrival in batch:
        try:
            items += read_items(arrival, software)
        except Refused as refused:
            turned += _turned_away(arrival, refused)
        except Exception as error:
            # A fault of ours must not keep the files behind this one waiting.
            log.exception("reader_failed", name=arrival.name)
            turned += _turned_away(arrival, _our_fault(error))
        else:
            turned += _papers_of_nobody(arrival, items)
    for _ in range(TRIES):
        try:
            return file_items(items, turned, files=len(batch))
        except OwnerMoved:
            continue
    raise OwnerMoved


def replay(waiting: Quarantined) -> list[tuple[str, Refused]]:
    """Take the kept file in again, with the paper that came with it; return what is refused still.

    Raises Damaged when the kept bytes are not what they were.
    """
    paper = paper_waiting_for(waiting.sha256)
    refused: list[tuple[str, Refused]] = []
    with _kept_file(waiting) as file:
        for taken in ingest(_with_paper(of_file(waiting.name, file), paper)):
            refused += taken.refused
    if not refused:
        leave_quarantine([waiting.sha256])  # of a ZIP every file was filed
    return refused


def _kept_file(waiting: Quarantined) -> BinaryIO:
    if waiting.size > MOST_BYTES:
        return cast(BinaryIO, storage().open(name_of(waiting.sha256)))
    return BytesIO(load(waiting.sha256))


def _with_paper(arrivals: Iterable[Arrival], paper: Quarantined | None) -> Iterator[Arrival]:
    for arrival in arrivals:
        yield replace(arrival, paper=load(paper.sha256)) if paper else arrival


# --- reading -------------------------------------------------------------------------------------


def read_items(
    arrival: Arrival, software: str = SOFTWARE, available_at: datetime | None = None
) -> list[Item]:
    """The documents of a file; raises Refused when the file as a whole is not right."""
    if arrival.refused:
        raise arrival.refused
    if arrival.data.startswith(PDF_STARTS):
        raise Refused(Reason.PAPER_WITHOUT_FILE, WITHOUT_FILE)
    sheets = read(arrival.data, arrival.name)
    data, whole = arrival.data, hashlib.sha256(arrival.data).hexdigest()
    items = []
    for place, sheet in enumerate(sheets, start=1):
        one = len(sheets) == 1
        sha256 = hashlib.sha256(sheet.data).hexdigest()
        name = arrival.name if one else f"{arrival.name}#{place}"
        # A paper of several documents shows each company what is another's.
        paper = arrival.paper if one and _is_pdf(arrival.paper) else None
        found = entries(sheet, sha256, software)
        items.append(Item(name, sheet, sha256, data, whole, found, paper, available_at))
    return items


def _is_pdf(paper: bytes | None) -> bool:
    return paper is not None and paper.startswith(PDF_STARTS)


def _turned_away(arrival: Arrival, refused: Refused) -> list[Turned]:
    """The file, and the paper beside it, which waits for its file."""
    file = Turned.of(arrival.name, arrival.data, refused, arrival.kept)
    if arrival.paper is None:
        return [file]
    return [file, Turned.of(f"{arrival.name} (paper)", arrival.paper, belongs_to(file.sha256))]


def _papers_of_nobody(arrival: Arrival, items: list[Item]) -> list[Turned]:
    """The paper beside a file that could not take it."""
    if arrival.paper is None or any(item.paper is arrival.paper for item in items):
        return []
    if not _is_pdf(arrival.paper):
        refused = Refused(Reason.UNKNOWN_FORMAT, "the paper beside the file is no PDF")
    else:
        refused = Refused(Reason.PAPER_WITHOUT_FILE, "the file beside it has several documents")
    return [Turned.of(f"{arrival.name} (paper)", arrival.paper, refused)]


# --- filing --------------------------------------------------------------------------------------


def file_items(items: list[Item], turned: list[Turned], files: int = 0) -> Taken:
    """Keep the bytes, then write the rows of all items, and the quarantine, in one commit."""
    everything = [entry for item in items for entry in item.entries]
    with every_office():
        placed, homeless = _sorted(items, Owners.of(everything))
        known = there_already(each.key for each in placed)
    turned = [*turned, *homeless]
    # Twice in one batch is known the second time.
    fresh = list({each.key: each for each in placed if each.key not in known}.values())
    papers, failed = _papers(fresh)
    turned += failed
    fresh = list(papers)
    arriving = _with_bytes(papers, turned)
    lost = {each.sha256 for each in turned}
    found = {digest for item in items for digest in _digests(item)} - lost
    with publishing() if arriving else transaction.atomic(), every_office():
        _lock(fresh)
        filed = insert(arriving) if arriving else []
        put_into_quarantine(turned)
        leave_quarantine(found)
    return Taken(
        files,
        Counter(kind for kind, _version in filed),
        sum(version > 1 for _kind, version in filed),
        len(placed) - len(filed) - len(failed),
        [(each.name, each.refused) for each in turned],
    )


def _digests(item: Item) -> Iterator[str]:
    yield item.sha256
    yield item.whole_sha256
    if item.paper is not None:
        yield hashlib.sha256(item.paper).hexdigest()


def _sorted(items: list[Item], owners: Owners) -> tuple[list[Placed], list[Turned]]:
    """Those that have a company, and those that wait for one."""
    placed, homeless = [], []
    for item in items:
        try:
            found = owners.placed(item.entries)
            placed += [Placed(item, entry, owner) for entry, owner in found]
        except Refused as refused:
            # The whole file waits: one statement of many cannot always be read alone.
            homeless.append(
                Turned(item.name, item.whole_sha256, len(item.whole), refused, item.whole)
            )
            if item.paper is not None:
                lonely = belongs_to(item.whole_sha256)
                homeless.append(Turned.of(f"{item.name} (paper)", item.paper, lonely))
    return placed, homeless


def _papers(placed: list[Placed]) -> tuple[dict[Placed, bytes], list[Turned]]:
    """The paper of each, and those for which none could be made."""
    papers: dict[Placed, bytes] = {}
    failed = []
    for each in placed:
        try:
            papers[each] = _paper(each)
        except Exception as error:
            item = each.item
            log.exception("rendition_failed", name=item.name)
            failed.append(
                Turned(item.name, item.whole_sha256, len(item.whole), _our_fault(error), item.whole)
            )
    return papers, failed


def _paper(placed: Placed) -> bytes:
    """The paper that was delivered beside the file or inside it, or else the one we render."""
    item, paper = placed.item, placed.item.sheet.paper
    inside = paper.attachment if isinstance(paper, Invoice) else None
    return item.paper or inside or render(paper, placed.owner.language)


def _with_bytes(papers: dict[Placed, bytes], turned: list[Turned]) -> list[Arriving]:
    """Store all bytes of the batch in one go, and say what lies where."""
    sheets = (each.item.sheet.data for each in papers)
    waiting = (each.data for each in turned if each.data is not None)
    digests = keep_all(chain(papers.values(), sheets, waiting))
    return [
        Arriving(
            each.entry,
            each.owner,
            (
                Stored(each.item.sheet.media_type, len(each.item.sheet.data), each.item.sha256),
                Stored(PDF, len(paper), digest),
            ),
            each.item.available_at,
        )
        for (each, paper), digest in zip(papers.items(), digests, strict=False)
    ]


def _lock(placed: list[Placed]) -> None:
    """Hold the companies where they are, and learn their accounts; raise when one has moved."""
    everything = [each.entry for each in placed]
    owners = Owners.of(everything, lock=True)
    if owners.learn((each.entry, each.owner) for each in placed):
        owners = Owners.of(everything, lock=True)
    if any(owners.owner(each.entry) != each.owner for each in placed):
        raise OwnerMoved
