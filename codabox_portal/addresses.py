"""What the settings that name a server or a bucket mean, in the words of Django."""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import environ

from codabox_portal.environment import Wrong
from core.document_kinds import KINDS


def database(text: str) -> dict[str, Any]:
    """A database, as Django's DATABASES wants it."""
    parts = urlsplit(text)
    if parts.scheme not in ("postgres", "postgresql") or not parts.path.strip("/"):
        raise Wrong("must look like postgres://role:password@host:5432/portal")
    try:
        found: dict[str, Any] = environ.Env.db_url_config(text)
    except ValueError:
        raise Wrong("must look like postgres://role:password@host:5432/portal") from None
    return found | {
        "ENGINE": "codabox_portal.postgresql",
        # A new connection costs 13 ms of CPU; workers keep theirs and check it when it was idle.
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            "application_name": "portal",
            "connect_timeout": 4,
            "tcp_user_timeout": 4000,
            **found.get("OPTIONS", {}),
        },
    }


def superuser(text: str) -> str:
    """The address of the database as a superuser: pg_dump reads it, and Django does not."""
    database(text)
    return text


def redis(text: str) -> str:
    if urlsplit(text).scheme not in ("redis", "rediss", "unix"):
        raise Wrong("must look like redis://:password@host:6379/0")
    return text


def mail_server(text: str) -> dict[str, Any]:
    """The EMAIL_ settings of Django."""
    if urlsplit(text).scheme not in environ.Env.EMAIL_SCHEMES:
        raise Wrong("must look like smtp+tls://user:password@host:587")
    try:
        return dict(environ.Env.email_url_config(text))
    except ValueError:
        raise Wrong("must look like smtp+tls://user:password@host:587") from None


def bucket(text: str) -> dict[str, Any]:
    """The options of the S3 storage, from one address; without a key the host's own role counts."""
    parts = urlsplit(text)
    name = parts.path.strip("/")
    if parts.scheme not in ("http", "https") or not parts.hostname or not name or "/" in name:
        raise Wrong("must look like https://key:secret@s3.example/bucket")
    options = {
        "bucket_name": name,
        "endpoint_url": f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}",
        "region_name": parse_qs(parts.query).get("region", ["us-east-1"])[0],
        "addressing_style": "path",
    }
    if parts.username:
        options |= {
            "access_key": unquote(parts.username),
            "secret_key": unquote(parts.password or ""),
        }
    return options


def documents_in_bucket(text: str) -> dict[str, Any]:
    """Where the documents' bytes lie, as Django's STORAGES wants it."""
    return {"BACKEND": "documents.storage.s3.S3Storage", "OPTIONS": bucket(text)}


def documents_in_folder(text: str) -> dict[str, Any]:
    return {
        "BACKEND": "documents.storage.filesystem.FilesystemStorage",
        "OPTIONS": {"location": text},
    }


def checkpoints_storage(text: str) -> dict[str, Any]:
    """Where the checkpoints go, a folder or a bucket, as Django's STORAGES wants it."""
    if "://" not in text:
        # Another account reads what this one writes.
        options = {"location": text, "file_permissions_mode": 0o644}
        return {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": options}
    return {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {**bucket(text), "default_acl": None},
    }


def checkpoints(text: str) -> str:
    """The place of the checkpoints, as it is written."""
    checkpoints_storage(text)
    return text


def receipt_key(text: str) -> str:
    try:
        size = len(base64.b64decode(text, validate=True))
    except binascii.Error:
        size = 0
    if size != 32:
        raise Wrong("must be the base64 of 32 bytes (openssl rand -base64 32)")
    return text


def months_to_keep(text: str) -> dict[str, int]:
    """The months of every kind; `text` changes some of them: kind=months, with commas."""
    months = {kind.type: kind.retention_months for kind in KINDS}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        kind, _, number = entry.partition("=")
        if kind not in months or not number.isdigit() or int(number) == 0:
            raise Wrong(f"must be like creditCardStatement=24, with one of {', '.join(months)}")
        months[kind] = int(number)
    return months
