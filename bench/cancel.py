"""`cancel`: software reads in a loop while the office cancels; no data after the commit.

Two worker processes, as in production, so that a cache in one of them would be noticed.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from accounts.models import Office
from bench import calls, participants
from bench.calls import Answer, Asker, Call
from bench.report import Report
from bench.servers import serving
from consents.actors import Actor
from consents.models import Consent
from partners.models import Partner

ROUNDS = 5
BEFORE = 0.6
LONGEST = 60.0
WORKERS = 2
READERS_OF_EACH = 2
SEARCH, JSON, CONTENT, PAGING = "search", "JSON", "content", "half-read paging"
KINDS = [SEARCH, JSON, CONTENT, PAGING]


class Seen(NamedTuple):
    """When a call began, and what came back."""

    began: float
    answer: Answer


@dataclass(eq=False)
class Reader(threading.Thread):
    """One program that calls as fast as it can, until `stop` is set."""

    kind: str
    port: int
    ask: Callable[[str | None], Call]
    stop: threading.Event
    seen: list[Seen] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    def run(self) -> None:
        asker, after = Asker(self.port), None
        while not self.stop.is_set():
            began = time.monotonic()
            answer = asker.ask(self.ask(after))
            # After a refusal, ask for the same page again, as a stubborn program would.
            if self.kind == PAGING and answer.has_data:
                after = answer.json()["meta"]["paging"].get("after")
            self.seen.append(Seen(began, answer._replace(body=answer.body[:80])))


@dataclass
class Tally:
    """The totals of all rounds of one kind of reader."""

    before: int = 0
    after: int = 0
    with_data: int = 0
    unanswered: int = 0
    other: int = 0

    def add(self, seen: list[Seen], committed: float) -> None:
        later = [one.answer for one in seen if one.began > committed]
        self.before += sum(one.answer.has_data for one in seen if one.began <= committed)
        self.after += len(later)
        self.with_data += sum(answer.has_data for answer in later)
        self.unanswered += sum(answer.status == 0 for answer in later)
        self.other += sum(answer.status not in (0, 200, 201, 206, 403) for answer in later)


def measure(size: str, options: argparse.Namespace) -> bool:
    report = Report("cancel", size)
    office, who = participants.office(participants.OF_CANCEL), participants.credentials()
    consent = participants.allow(office)
    tallies = {kind: Tally() for kind in KINDS}
    with serving("ours", workers=WORKERS, threads=options.threads) as servers:
        server = servers["ours"]
        for _ in range(ROUNDS):
            consent = participants.allow(office)
            _round(server.port, _asks(office, who), consent, tallies, options.calls // ROUNDS)
        megabytes = server.megabytes()
    # The next command needs the office in the state that the seed made.
    participants.allow(office)
    _report(report, tallies, options.calls)
    report.at_most("16", f"memory of {WORKERS} workers after the run", megabytes, 200, " MB")
    return report.finish()


def _asks(office: Office, who: participants.Credentials) -> dict[str, Callable[[str | None], Call]]:
    numbers, window = participants.numbers(office, 100), calls.last(728)
    file = participants.files(office)["50 kB"]
    json = calls.document(who, office.uuid, file.number, file.uuid)
    content = calls.content(who, office.uuid, file.number, file.uuid)
    return {
        SEARCH: lambda _: calls.search(who, office.uuid, numbers, window, 100),
        JSON: lambda _: json,
        CONTENT: lambda _: content,
        PAGING: lambda after: calls.search(who, office.uuid, numbers, window, 10, after),
    }


def _round(
    port: int,
    asks: dict[str, Callable[[str | None], Call]],
    consent: Consent,
    tallies: dict[str, Tally],
    wanted: int,
) -> None:
    stop = threading.Event()
    readers = [Reader(kind, port, asks[kind], stop) for kind in KINDS * READERS_OF_EACH]
    for reader in readers:
        reader.start()
    time.sleep(BEFORE)
    consent.cancel(Actor.partner(Partner.objects.get(name=participants.PARTNER)))
    committed = time.monotonic()
    _wait_for(readers, committed, wanted)
    stop.set()
    for reader in readers:
        reader.join()
        tallies[reader.kind].add(reader.seen, committed)


def _wait_for(readers: list[Reader], committed: float, wanted: int) -> None:
    """Wait until enough calls began after the commit and were answered."""
    before = sum(len(reader.seen) for reader in readers) + len(readers)
    while sum(len(reader.seen) for reader in readers) - before < wanted:
        if time.monotonic() > committed + LONGEST:
            break
        time.sleep(0.05)


def _report(report: Report, tallies: dict[str, Tally], wanted: int) -> None:
    total = sum(tally.after for tally in tallies.values())
    what = "calls begun after the commit"
    report.true("9", what, f"≥ {wanted:,}", f"{total:,}", total >= wanted)
    for kind, tally in tallies.items():
        # A reader that never got a document before the cancel would prove nothing.
        report.true("9", f"{kind}: answers before it", "> 0", f"{tally.before:,}", tally.before > 0)
        report.count("9", f"{kind}: answers with data, of {tally.after:,}", tally.with_data, 0)
        report.count("9", f"{kind}: answers that are neither data nor 403", tally.other, 0)
        report.note("9", f"{kind}: connections broken off, no answer read", f"{tally.unanswered:,}")
