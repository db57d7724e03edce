"""Deploy checks: what `manage.py doctor` says of this deployment."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any, cast

from django.conf import settings
from django.core.checks import CheckMessage, Tags, Warning, register
from django.db import DatabaseError, connection
from django.db.backends.postgresql.base import DatabaseWrapper
from django.db.models.functions import Now

from consents import restore_guard
from documents.reads_by_month import months_ahead
from monitoring.database_role import the_database_role_is_ordinary
from monitoring.health import migrations_that_wait
from monitoring.models import Heartbeat
from monitoring.queue import jobs_waiting

OLDEST_POSTGRESQL = 150_000
NOT_SEEN_FOR = timedelta(minutes=5)
COOKIES = ("SESSION", "CSRF", "LANGUAGE")

Findings = Iterator[CheckMessage]

# What the doctor says of each check that found nothing.
ALL_IS_WELL = {
    "portal.W001": "No secret key can be guessed.",
    "portal.W002": "Receipts have a key of their own.",
    "portal.W003": "People reach the portal by https.",
    "portal.W004": "Cookies and HSTS are bound to https.",
    "portal.W005": "The addresses of people are told by the proxies in front.",
    "portal.W006": "Only private networks read /metrics.",
    "portal.W007": "The place of the checkpoints can be written and lies outside the program.",
    "portal.W008": "The register of ended consents can be written and lies outside the program.",
    "portal.W009": "No document lies among the static files.",
    "portal.W010": "The folder of the documents can be written.",
    "portal.W011": "PORTAL_DEBUG is off.",
    "portal.W012": "PORTAL_DEMO is off.",
    "portal.W013": "No webhook goes to this machine.",
    "portal.W014": "Static files are collected.",
    "portal.W015": "E-mails are sent and not kept in a folder.",
    "portal.W016": "The mail server answers.",
    "portal.W017": "Redis answers.",
    "portal.W018": "The database answers.",
    "portal.E001": "The database role is bound by row security.",
    "portal.E002": "The database role owns nothing.",
    "portal.W019": "PostgreSQL is new enough.",
    "portal.W020": "Worker and beat are at work.",
    "portal.W021": "The database has every migration of this release.",
    "portal.W022": "Nothing that was stopped goes on after a restore.",
    "portal.W023": "Every PORTAL_ name of the environment is a setting.",
    "portal.W024": "The access log has months ahead.",
}
DATABASE_IS_AWAY = "portal.W018"
ASKED_OF_THE_DATABASE = frozenset(
    f"portal.{name}" for name in ("E001", "E002", "W019", "W020", "W021", "W022", "W024")
)


def finding(number: int, sentence: str, hint: str) -> CheckMessage:
    return Warning(sentence, hint=hint, id=f"portal.W{number:03}")


def deployed(check: Callable[[], Findings]) -> Callable[[], Findings]:
    """Register a check that runs with `check --deploy` only."""

    def asked(**kwargs: Any) -> list[CheckMessage]:
        return list(check())

    register(Tags.security, deploy=True)(asked)
    return check


@deployed
def secrets() -> Findings:
    weak = [key for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS) if _is_weak(key)]
    if weak:
        yield finding(
            1,
            "PORTAL_SECRET_KEY, or a former one, can be guessed.",
            "Take 50 random characters or more: python3 -c 'import secrets;"
            " print(secrets.token_urlsafe(50))'.",
        )
    if not settings.PORTAL_RECEIPT_KEY:
        yield finding(
            2,
            "Receipts are signed with a key that follows from PORTAL_SECRET_KEY.",
            "Set PORTAL_RECEIPT_KEY (openssl rand -base64 32), or a new secret ends the old proof.",
        )


@deployed
def names() -> Findings:
    if settings.UNKNOWN_ENVIRONMENT:
        pairs = settings.UNKNOWN_ENVIRONMENT.items()
        meant = [f"{name} (do you mean {known}?)" if known else name for name, known in pairs]
        yield finding(
            23,
            f"These names are no settings of the portal: {', '.join(meant)}.",
            "docs/operations/environment.md has all settings.",
        )


def _is_weak(key: str) -> bool:
    return len(key) < 50 or len(set(key)) < 10 or key.startswith("django-insecure-")


@deployed
def addresses() -> Findings:
    if not settings.OVER_HTTPS:
        yield finding(
            3,
            "PORTAL_URL does not begin with https://, so cookies and passwords travel readable.",
            "Put TLS in front (docker/nginx.conf) and set PORTAL_URL to the https address.",
        )
    elif not _is_bound_to_https():
        yield finding(
            4,
            "Cookies or HSTS are not bound to https.",
            "codabox_portal/settings.py was changed: the flags follow from PORTAL_URL there.",
        )
    if settings.OVER_HTTPS and not settings.PORTAL_TRUSTED_PROXIES:
        yield finding(
            5,
            "PORTAL_TRUSTED_PROXIES is 0, so evidence and limits see the proxy instead of people.",
            "Set it to the number of proxies in front: 1 behind the nginx of docker/.",
        )
    if any(not ip_network(network).is_private for network in settings.PORTAL_METRICS_FROM):
        yield finding(
            6,
            "PORTAL_METRICS_FROM lets public addresses read /metrics.",
            "Name the network in which Prometheus stands.",
        )


def _is_bound_to_https() -> bool:
    flags = [getattr(settings, f"{cookie}_COOKIE_SECURE") for cookie in COOKIES]
    flags += [getattr(settings, f"{cookie}_COOKIE_HTTPONLY") for cookie in COOKIES]
    names = [getattr(settings, f"{cookie}_COOKIE_NAME") for cookie in COOKIES]
    bound = all(name.startswith("__Host-") for name in names)
    return all(flags) and bound and settings.SECURE_HSTS_SECONDS >= 31_536_000


@deployed
def files() -> Findings:
    register = Path(settings.PORTAL_ENDED_CONSENTS_FILE)
    yield from _outside(8, "PORTAL_ENDED_CONSENTS_FILE", register)
    if "://" not in settings.PORTAL_CHECKPOINTS:
        # A file of that folder stands for all of them.
        yield from _outside(7, "PORTAL_CHECKPOINTS", Path(settings.PORTAL_CHECKPOINTS) / "a")
    documents = settings.STORAGES["documents"]
    location = documents.get("OPTIONS", {}).get("location")
    if location is None:
        return
    folder = Path(location).resolve()
    public = [Path(settings.STATIC_ROOT), *map(Path, settings.STATICFILES_DIRS)]
    if any(folder.is_relative_to(served.resolve()) for served in public):
        yield finding(
            9,
            "PORTAL_STORAGE lies among the static files, which everybody may fetch.",
            "Choose a private folder.",
        )
    elif not _can_be_written(folder / "a"):
        yield finding(10, "PORTAL_STORAGE cannot be written.", f"Give this account {folder}.")


def _outside(number: int, name: str, path: Path) -> Findings:
    path = path.resolve()
    if not _can_be_written(path):
        yield finding(number, f"{name} cannot be written.", f"Give this account {path.parent}.")
    elif path.is_relative_to(settings.BASE_DIR):
        yield finding(
            number,
            f"{name} lies in the folder of the program and would be lost with it.",
            "Keep it outside, on a disk that is not restored with the database.",
        )


def _can_be_written(path: Path) -> bool:
    """Whether the file is, or could be made, ours to write; folders on the way are made later."""
    if path.exists():
        return path.is_file() and os.access(path, os.W_OK)
    parent = next(folder for folder in path.parents if folder.exists())
    return parent.is_dir() and os.access(parent, os.W_OK | os.X_OK)


@deployed
def switches() -> Findings:
    wrong = [
        (11, settings.DEBUG, "PORTAL_DEBUG shows strangers the inside of the portal."),
        (12, settings.PORTAL_DEMO, "PORTAL_DEMO tells everybody the demo's passwords."),
        (
            13,
            settings.PORTAL_WEBHOOKS_ALLOW_LOOPBACK,
            "PORTAL_WEBHOOKS_ALLOW_LOOPBACK lets a software call this machine itself.",
        ),
        (
            14,
            settings.STATIC_FROM_SOURCE,
            "PORTAL_STATIC_FROM_SOURCE serves static files uncollected: slow, and not cached.",
        ),
        (15, settings.PORTAL_MAIL_DIR, "PORTAL_MAIL_DIR keeps mails in a folder: none is sent."),
    ]
    for number, on, sentence in wrong:
        if on:
            yield finding(number, sentence, f"Take {sentence.split()[0]} out of the environment.")


@deployed
def servers() -> Findings:
    if not settings.PORTAL_MAIL_DIR and not _mail_server_answers():
        yield finding(
            16,
            f"No mail server answers at {settings.EMAIL_HOST}:{settings.EMAIL_PORT}.",
            "Set EMAIL_URL; until then mails wait, for three days.",
        )
    waiting = jobs_waiting()
    if waiting is None:
        yield finding(
            17,
            "Redis does not answer: calls are not limited and workers are not woken.",
            "Check REDIS_URL and that the server runs.",
        )
    try:
        yield from database(waiting)
    except DatabaseError as error:
        yield finding(
            18,
            f"The database does not answer: {type(error).__name__}.",
            "Check DATABASE_URL, that the server runs, and manage.py migrate.",
        )


def _mail_server_answers() -> bool:
    try:
        socket.create_connection((settings.EMAIL_HOST, settings.EMAIL_PORT), timeout=5).close()
    except OSError:
        return False
    return True


def database(waiting: int | None) -> Findings:
    """What the database says: who we are there, how old it is, and whether anybody works."""
    version = cast(DatabaseWrapper, connection).pg_version
    yield from the_database_role_is_ordinary()
    if version < OLDEST_POSTGRESQL:
        yield finding(
            19,
            f"PostgreSQL {version // 10_000} is older than what the portal needs.",
            "Take 15 or newer.",
        )
    missing = migrations_that_wait()
    if missing:
        yield finding(
            21,
            f"The database lacks {missing} migrations of this release, so it serves nobody.",
            "Run manage.py upgrade.",
        )
        return
    closed = None
    with suppress(OSError):  # a register that cannot be read is finding 8
        closed = restore_guard.why_closed()
    if closed:
        yield finding(
            22,
            f"The API is closed: {closed}.",
            "PORTAL_ENDED_CONSENTS_FILE names the register; docs/operations/backup.md helps.",
        )
    if not months_ahead():
        yield finding(
            24,
            "The access log has no month after the present one, so reads will lie apart.",
            "Start worker and beat: documents.tasks.keep_months_of_reads adds months every night.",
        )
    if not Heartbeat.objects.filter(at__gt=Now() - NOT_SEEN_FOR).exists():
        # Jobs that lie in Redis came from beat.
        who = "worker" if waiting else "beat and no worker"
        yield finding(
            20,
            f"No {who} was seen for five minutes: nobody is told of anything.",
            "Start worker and beat as docs/operations/index.md has them.",
        )
