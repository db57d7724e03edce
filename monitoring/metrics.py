"""The metrics for Prometheus, computed from the database for each request.

So every web process answers the same, and a restart loses nothing.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from ipaddress import IPv6Address, ip_address, ip_network
from itertools import accumulate, groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.views.decorators.csrf import csrf_exempt
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from consents.access import DenialReason, allowed_by_denial_reason
from consents.evidence import checkpoints
from documents.storage.blobs import storage
from documents.storage.filesystem import FilesystemStorage
from monitoring import job_timings
from monitoring.queue import jobs_waiting
from monitoring.timings import BOUNDS, timings

NEVER = float("inf")
# The reasons why an allowed consent gives nothing, whatever kind of document is asked for.
OF_CONSENT = (
    DenialReason.PARTNER_SUSPENDED,
    DenialReason.OFFICE_SUSPENDED,
    DenialReason.PAUSED,
    DenialReason.TERMS_OVERDUE,
)
# The figures are those of real offices: consents of the sandbox are none.
REAL = "office_id in (select id from accounts_office where kind = 'real')"
CONSENTS = f"select status, count(*) from consents_consent where {REAL} group by status"  # noqa: S608
PAUSED = f"""
    select count(*) from consents_consent where {REAL} and status = 'allowed'
    and paused_at is not null and coalesce(paused_until > statement_timestamp(), true)
"""  # noqa: S608  # constants only
# The list of identifiers makes it 1 look into the index for each consent, however many days pass.
CALLS = f"""
    select coalesce(sum(served), 0), coalesce(sum(refused), 0), coalesce(sum(refused_ended), 0)
    from consents_consentactivity
    where day = (statement_timestamp() at time zone 'Europe/Brussels')::date
      and consent_id = any(array(select id from consents_consent where {REAL}))
"""  # noqa: S608  # constants only
# What waits to be done, since when: after 30 days no sweep looks for an event any more.
WAITING = """
    select what, count(since), extract(epoch from statement_timestamp() - min(since)) from (
        values ('event'), ('email'), ('webhook'), ('publication'), ('file')
    ) as every(what) left join (
        select 'event' as what, e.at as since from consents_consentevent e
        where e.at > statement_timestamp() - interval '30 days' and not exists (
            select from notifications_fanout f where f.event_id = e.id
        )
        union all select 'email', created_at from mailer_outgoingemail
        where sent_at is null and given_up_at is null
        union all select 'webhook', created_at from notifications_delivery
        where delivered_at is null and given_up_at is null
        union all select 'publication', started_at from documents_ingestbatch
        union all select 'file', received_at from documents_quarantinedfile where state = 'waiting'
    ) as waiting using (what) group by what
"""
ENDPOINTS = """
    select count(*) filter (where off_at is null), count(*) filter (where off_at is not null),
        count(*) filter (where flagged_at is not null)
    from notifications_webhookendpoint
"""
# The newest stop that was measured.
STOP = """
    select seconds, served, extract(epoch from statement_timestamp() - started_at)
    from monitoring_stopmeasurement where fault = '' and released_at is not null
    order by started_at desc limit 1
"""
HEARTBEAT = "select extract(epoch from statement_timestamp() - at) from monitoring_heartbeat"
# By name: every bucket that something fell into, and what all of them took.
TIMINGS = """
    select name, method, outcome, bucket, count, seconds from monitoring_timing where kind = %s
    order by name, method, outcome, bucket
"""
# What PostgreSQL counts of a table that row security shows office by office.
DOCUMENTS = """
    select n_tup_ins, n_live_tup, pg_database_size(current_database())
    from pg_stat_user_tables where relname = 'documents_document'
"""
BACKUP = "select extract(epoch from statement_timestamp() - at) from monitoring_lastbackup"


@csrf_exempt
def metrics(request: HttpRequest) -> HttpResponse:
    """Return the metrics to addresses of PORTAL_METRICS_FROM, and 404 to everybody else."""
    if not may_ask(request):
        raise Http404
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    timings.write()
    registry = CollectorRegistry()
    registry.register(Figures())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def may_ask(request: HttpRequest) -> bool:
    """Whether every address on the way here is one of Prometheus or of its own proxies.

    A proxy in front appends who called it, so a visitor can add addresses but take none away.
    """
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR")
    way = [request.META.get("REMOTE_ADDR", ""), *(forwarded.split(",") if forwarded else [])]
    return all(_is_of_prometheus(address.strip()) for address in way)


def _is_of_prometheus(text: str) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return any(address in ip_network(network) for network in settings.PORTAL_METRICS_FROM)


class Figures(Collector):
    """All metrics, each with its meaning."""

    def collect(self) -> Iterator[Metric]:
        yield from _of_consents()
        yield from _of_what_waits()
        yield from _of_jobs()
        yield from _of_calls()
        yield from _of_runs()
        yield from _of_documents()
        if settings.PORTAL_PROBE_SECRET:
            yield from _of_stops()


def gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(name, meaning, value=value)


def _of_consents() -> Iterator[Metric]:
    by_status = GaugeMetricFamily("portal_consents", "Consents by status", labels=["status"])
    counted = dict.fromkeys(("to_be_determined", "allowed", "denied", "cancelled"), 0)
    for status, number in (counted | dict(_rows(CONSENTS))).items():
        by_status.add_metric([status], number)
    yield by_status
    yield gauge("portal_consents_paused", "Allowed, but paused by the office", _rows(PAUSED)[0][0])
    yield from _of_access()
    calls = CounterMetricFamily(
        "portal_document_calls",
        "Calls for documents today; starts again at midnight in Brussels",
        labels=["outcome"],
    )
    for outcome, number in zip(("served", "refused", "refused_ended"), *_rows(CALLS), strict=True):
        calls.add_metric([outcome], number)
    yield calls


def _of_access() -> Iterator[Metric]:
    """The same answer as the API: what can be read now, and otherwise the first reason."""
    counted = allowed_by_denial_reason()
    yield gauge("portal_consents_readable", "Allowed, and can be read now", counted.get(None, 0))
    denied = GaugeMetricFamily(
        "portal_consents_denied",
        "Allowed, but nothing can be read now, by the first reason that the API gives",
        labels=["reason"],
    )
    for reason in OF_CONSENT:
        denied.add_metric([reason.value], counted.get(reason, 0))
    yield denied


def _of_what_waits() -> Iterator[Metric]:
    number = GaugeMetricFamily("portal_waiting", "Rows that wait to be done", labels=["what"])
    oldest = GaugeMetricFamily(
        "portal_waiting_seconds", "How long the oldest of them has waited", labels=["what"]
    )
    # An event waits until a checkpoint outside the database covers it.
    for what, count, seconds in [*_rows(WAITING), ("checkpoint", *checkpoints.waiting())]:
        number.add_metric([what], count)
        oldest.add_metric([what], float(seconds or 0))
    yield number
    yield oldest
    endpoints = GaugeMetricFamily(
        "portal_webhook_endpoints", "Webhook endpoints by state", labels=["state"]
    )
    for state, count in zip(("on", "off", "flagged"), *_rows(ENDPOINTS), strict=True):
        endpoints.add_metric([state], count)
    yield endpoints


def _of_stops() -> Iterator[Metric]:
    seconds, served, age = next(iter(_rows(STOP)), (None, 0, NEVER))
    if seconds is not None:
        yield gauge("portal_stop_seconds", "From a suspension to the first refused call", seconds)
        yield gauge("portal_stop_served_after", "Calls served after the suspension", served)
    yield gauge("portal_stop_measured_age_seconds", "Since a stop was last measured", float(age))


def _of_jobs() -> Iterator[Metric]:
    found = _rows(HEARTBEAT)
    yield gauge(
        "portal_heartbeat_age_seconds",
        "Since a worker last ran the job that beat queues every minute",
        float(found[0][0]) if found else NEVER,
    )
    made = _rows(BACKUP)
    yield gauge(
        "portal_backup_age_seconds",
        "Since manage.py backup last made a whole backup",
        float(made[0][0]) if made else NEVER,
    )
    jobs = jobs_waiting()
    yield gauge("portal_redis_up", "Whether Redis answers", int(jobs is not None))
    if jobs is not None:
        yield gauge("portal_queue_jobs", "Jobs in Redis that no worker has taken yet", jobs)


def _of_calls() -> Iterator[Metric]:
    by_route = HistogramMetricFamily(
        "portal_request_seconds",
        "From the request to its answer, by the name of the route; of a download until it begins",
        labels=["route", "method", "status"],
    )
    for labels, rows in groupby(_rows(TIMINGS, "call"), itemgetter(0, 1, 2)):
        fell, took = [0] * (len(BOUNDS) + 1), 0.0
        for *_labels, bucket, count, seconds in rows:
            fell[bucket] += count
            took += seconds
        bounds = [*map(str, BOUNDS), "+Inf"]
        buckets = list(zip(bounds, accumulate(fell), strict=True))
        by_route.add_metric(list(labels), buckets, took)
    yield by_route


def _of_runs() -> Iterator[Metric]:
    runs = CounterMetricFamily("portal_jobs", "Runs of a task", labels=["task", "outcome"])
    took = CounterMetricFamily("portal_jobs_seconds", "How long they took", labels=["task"])
    for task, rows in groupby(_rows(TIMINGS, "job"), itemgetter(0)):
        # Also what never happened is told: Prometheus notices the first failure by the zero before.
        ended, seconds_of_task = Counter(dict.fromkeys(job_timings.OUTCOMES.values(), 0)), 0.0
        for *_task, outcome, _bucket, count, seconds in rows:
            ended[outcome] += count
            seconds_of_task += seconds
        for outcome, number in ended.items():
            runs.add_metric([task, outcome], number)
        took.add_metric([task], seconds_of_task)
    yield runs
    yield took


def _of_documents() -> Iterator[Metric]:
    ((filed, there, size),) = _rows(DOCUMENTS)
    yield CounterMetricFamily(
        "portal_documents_in", "Documents that were filed, as PostgreSQL counts", value=filed
    )
    yield gauge("portal_documents", "Documents that are there, as PostgreSQL estimates", there)
    yield gauge("portal_database_bytes", "The size of the database", size)
    documents = storage()
    if isinstance(documents, FilesystemStorage):
        disk = shutil.disk_usage(_that_is_there(Path(documents.location)))
        place = GaugeMetricFamily(
            "portal_storage_bytes", "The disk of the documents' bytes", labels=["what"]
        )
        place.add_metric(["size"], disk.total)
        place.add_metric(["free"], disk.free)
        yield place


def _that_is_there(folder: Path) -> Path:
    """The folder, or before the first document the one in which it will be made."""
    return next(path for path in (folder, *folder.parents) if path.exists())


def _rows(sql: str, *values: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values or None)
        return list(cursor.fetchall())
