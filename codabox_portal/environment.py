"""What the longer settings mean; wrong ones stop the start with a sentence."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

TEN_YEARS, TWO_YEARS = 120, 24
# By what the wire calls the kind; credit card statements can be downloaded for 24 months.
KEPT_FOR = {
    "bankAccountStatement": TEN_YEARS,
    "payrollStatement": TEN_YEARS,
    "creditCardStatement": TWO_YEARS,
    "purchaseInvoice": TEN_YEARS,
    "salesInvoice": TEN_YEARS,
}


def documents_storage(*, folder: str, bucket: str, accel: str) -> dict[str, Any]:
    """Where the documents' bytes lie, as Django's STORAGES wants it."""
    if not bucket:
        return {"BACKEND": "documents.folder.Folder", "OPTIONS": {"location": folder}}
    if accel:
        raise ImproperlyConfigured(
            "PORTAL_ACCEL lets nginx send files of the folder: leave it empty with "
            "PORTAL_STORAGE_S3."
        )
    return {"BACKEND": "documents.bucket.Bucket", "OPTIONS": in_bucket(bucket)}


def in_bucket(address: str) -> dict[str, Any]:
    """The options of the S3 storage, from one address; without a key the host's own role counts."""
    parts = urlsplit(address)
    bucket = parts.path.strip("/")
    if parts.scheme not in ("http", "https") or not parts.hostname or not bucket or "/" in bucket:
        raise ImproperlyConfigured(
            "PORTAL_STORAGE_S3 must look like https://key:secret@s3.example/bucket."
        )
    options = {
        "bucket_name": bucket,
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


def months_to_keep(text: str) -> dict[str, int]:
    """The months of every kind; `text` changes some of them: kind=months, with commas."""
    months = dict(KEPT_FOR)
    for entry in filter(None, (part.strip() for part in text.split(","))):
        kind, _, number = entry.partition("=")
        if kind not in months or not number.isdigit() or int(number) == 0:
            raise ImproperlyConfigured(
                f"PORTAL_RETENTION_MONTHS has {entry!r}; it must be like creditCardStatement=24, "
                f"with one of {', '.join(months)}."
            )
        months[kind] = int(number)
    return months
