"""`day`: replay the documents, webhooks and downloads of one day of Belgium; goal 18.

Files come in, documents are filed and announced, and the software of ten partners fetches them by
search, by change feed and by ZIP. Meanwhile Admins cancel consents, and slow readers stay
connected. The whole day has 700,000 documents of 4,500 offices; `--share` says how much of it is
replayed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from statistics import quantiles
from typing import NamedTuple

from accounts.models import Office
from bench import belgium, calls, participants
from bench.belgium import Software
from bench.database import KEPT, ROOT
from bench.day_admin import Admin
from bench.day_software import WAYS, Program, SlowReaders, Wanted
from bench.report import Report
from bench.servers import serving
from codabox_portal.celery import app
from consents.models import Consent, ConsentEvent
from core.document_kinds import BY_KIND
from core.row_security import every_office
from documents.models import Document
from mailer.models import OutgoingEmail
from notifications.models import Delivery, FiledDocuments

SHARE = 0.1
WORKERS, THREADS = 2, 136
SLOW_READERS = 24
# One office in so many cancels, two at least.
CANCELS_OF = 10
# A document that is fetched later than this after it was filed is late.
LATE = timedelta(seconds=60)
PATIENCE = 60.0
WHOLE_DAY = 1800  # seconds of the whole on two cores: a tenth of it in three minutes


class Cancelled(NamedTuple):
    """A consent that was cancelled: when the commit was over, and how long it took."""

    office: Office
    at: float
    milliseconds: float


class Filed(NamedTuple):
    """A document of the day in the database."""

    office_id: int
    wanted: Wanted
    at: datetime


class Announced:
    """What the webhooks said: how many documents of each office; a repeated one counts once."""

    def __init__(self) -> None:
        self.notices: dict[str, tuple[str, int]] = {}

    def hear(self, body: bytes) -> None:
        data = json.loads(body)["data"]
        office = data["relationships"].get("accountingOffice", {}).get("data", {}).get("id")
        if office:
            self.notices[data["id"]] = (office, sum(data["attributes"]["counts"].values()))

    def of(self, offices: set[str]) -> int:
        return sum(count for office, count in list(self.notices.values()) if office in offices)


def measure(size: str, options: argparse.Namespace) -> bool:
    share = SHARE if options.share is None else options.share
    report = Report("day", f"{share:g} of a day beside {size}")
    app.control.purge()  # what earlier runs queued
    with _receiver() as (announced, url):
        software = belgium.offices_and_software(share, url)
        offices = [office for one in software for office in one.offices]
        files = belgium.write_files(share, offices)
        print(f"Wrote {files:,} files of {len(offices):,} offices.", flush=True)
        with _worker(), serving("ours", workers=WORKERS, threads=THREADS) as servers:
            _wait_until_nothing_waits(len(offices))
            began = time.monotonic()
            programs, cancelled, slow = _replay(software, files, servers["ours"].port)
            took = time.monotonic() - began
            gone = {one.office.pk for one in cancelled}
            kept = [office for office in offices if office.pk not in gone]
            filed = _filed(offices)
            heard = _wait_for(announced, kept, sum(each.office_id not in gone for each in filed))
    _report_documents(report, files, filed, programs, gone)
    _report_cancels(report, programs, cancelled)
    report.note("18", "announced to software, of those of kept consents", heard)
    report.note("15", "answers to slow readers", _told(slow.answers))
    most = WHOLE_DAY * share
    if share >= SHARE:
        report.at_most("18", "the whole", took, most, " s")
    else:
        report.note("18", "the whole", f"{took:.1f} s", took)
    return report.finish()


def _replay(
    software: list[Software], files: int, port: int
) -> tuple[list[Program], list[Cancelled], SlowReaders]:
    """Ingest while the programs fetch, consents end and slow readers stay connected."""
    ended = threading.Event()
    programs = [Program(one, WAYS[n % len(WAYS)], port, ended) for n, one in enumerate(software)]
    slow = SlowReaders(port, _large_file(), SLOW_READERS)
    for thread in [slow, *programs]:
        thread.start()
    ingest = subprocess.Popen(  # noqa: S603  # our own words only
        [sys.executable, "manage.py", "ingest", str(belgium.FOLDER)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )
    cancelled = list(_cancels(software, ingest, files))
    if ingest.wait():
        raise RuntimeError("the ingest refused files")
    ended.set()
    for program in programs:
        program.join()
    slow.stop.set()
    slow.join()
    return programs, cancelled, slow


def _large_file() -> calls.Call:
    office, who = participants.office(participants.OF_RUN), participants.credentials()
    file = participants.files(office)["1 MB"]
    return calls.content(who, office.uuid, file.number, file.uuid)


def _cancels(
    software: list[Software], ingest: subprocess.Popen[bytes], documents: int
) -> Iterator[Cancelled]:
    """Cancel some consents, spread over the ingest as it is expected to last."""
    pairs = [(one, office) for one in software for office in one.offices]
    chosen = random.Random(1).sample(pairs, max(len(pairs) // CANCELS_OF, 2))  # noqa: S311
    pause = max(documents / 500 / len(chosen), 0.2)
    with Admin() as admin:
        for one, office in chosen:
            if ingest.poll() is None:
                time.sleep(pause)
            consent = Consent.objects.get(office=office, partner=one.partner, status="allowed")
            yield Cancelled(office, *admin.cancel(consent.pk))


@contextmanager
def _receiver() -> Iterator[tuple[Announced, str]]:
    """Where the partners hear of new documents."""
    announced = Announced()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            announced.hear(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield announced, f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()


@contextmanager
def _worker() -> Iterator[None]:
    """A worker with its regular jobs, as in production."""
    command = [sys.executable, "-m", "celery", "-A", "codabox_portal", "worker", "--beat"]
    command += ["-s", str(KEPT / "beat"), "--pool", "threads", "--concurrency", "4"]
    with (KEPT / "worker.log").open("wb") as log:
        worker = subprocess.Popen(command, cwd=ROOT, env=os.environ, stdout=log, stderr=log)  # noqa: S603  # our own words only
    try:
        yield
    finally:
        worker.terminate()
        worker.wait(60)


def _wait_until_nothing_waits(offices: int) -> None:
    """Wait until the consents of the day, and what earlier runs left, are announced."""
    missed = ConsentEvent.objects.filter(fan_out=None)
    waiting = (missed, OutgoingEmail.objects.due(), FiledDocuments.objects, Delivery.objects.due())
    deadline = time.monotonic() + PATIENCE + offices / 10
    while any(each.exists() for each in waiting):
        if time.monotonic() > deadline:
            raise RuntimeError("the worker does not come to an end before the day begins")
        time.sleep(0.5)


def _filed(offices: list[Office]) -> list[Filed]:
    """Every document of the day, as the database has it."""
    with every_office():
        rows = Document.objects.filter(office_id__in=[office.pk for office in offices])
        return [
            Filed(office, Wanted(BY_KIND[kind].type, public_id or str(uuid), number), at)
            for office, kind, public_id, uuid, number, at in rows.values_list(
                *("office_id", "kind", "public_id", "uuid", "client__company_number"),
                "available_at",
            )
        ]


def _wait_for(announced: Announced, kept: list[Office], documents: int) -> str:
    """Wait until the webhooks have told of these documents."""
    offices = {str(office.uuid) for office in kept}
    deadline = time.monotonic() + PATIENCE
    while announced.of(offices) < documents and time.monotonic() < deadline:
        time.sleep(0.2)
    return f"{announced.of(offices):,} of {documents:,}"


def _report_documents(
    report: Report, delivered: int, filed: list[Filed], programs: list[Program], gone: set[int]
) -> None:
    report.true(
        "18", "delivered, filed", f"{delivered:,}", f"{len(filed):,}", len(filed) == delivered
    )
    doubled = sum(len(program.seen.doubled) for program in programs)
    fetched = {wanted: at for each in programs for wanted, at in each.seen.fetched.items()}
    expected = [one for one in filed if one.office_id not in gone]
    lost = sum(one.wanted not in fetched for one in expected)
    report.note("18", "to be fetched, of consents that were kept", f"{len(expected):,}")
    for way in WAYS:
        count = sum(len(each.seen.fetched) for each in programs if each.way == way)
        report.true("18", f"fetched by {way}", "> 0", f"{count:,}", count > 0)
    report.count("18", "lost", lost, 0)
    report.count("18", "doubled", doubled, 0)
    waited = sorted(fetched[one.wanted] - one.at for one in expected if one.wanted in fetched)
    if waited:
        told = f"p50 {waited[len(waited) // 2].total_seconds():.1f} s"
        told += f", longest {waited[-1].total_seconds():.1f} s"
        late = sum(each > LATE for each in waited)
        report.note("18", f"fetched later than {LATE.seconds} s ({told})", f"{late:,}", late)
    statuses = sum((each.seen.statuses for each in programs), Counter[int]())
    report.note("18", "answers to software", _told(statuses))


def _report_cancels(report: Report, programs: list[Program], cancelled: list[Cancelled]) -> None:
    data = {office: at for each in programs for office, at in each.seen.last_data.items()}
    after = sum(data.get(one.office.pk, 0.0) > one.at for one in cancelled)
    report.count("9", f"offices that gave data after one of {len(cancelled)} cancels", after, 0)
    refused = {office for each in programs for office in each.refused}
    both = sum(one.office.pk in refused for one in cancelled)
    told = f"{both} of {len(cancelled)}"
    report.true("9", "cancels whose software was refused then", "all", told, both == len(cancelled))
    times = [one.milliseconds for one in cancelled]
    report.at_most("18", "cancel: p99", quantiles(times, n=100, method="inclusive")[-1], 250, " ms")


def _told(counts: Mapping[int, int]) -> str:
    return ", ".join(f"{count:,} × {status}" for status, count in sorted(counts.items()))
