"""Tables that people open in a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import datetime

from django.http import HttpResponse
from django.utils import timezone


def csv_file(name: str, heads: list[str], rows: Iterable[list[str]]) -> HttpResponse:
    """A CSV in UTF-8, as spreadsheets read it; no cell of it can run as a formula."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response.write("\ufeff")  # so that spreadsheets read it as UTF-8
    lines = csv.writer(response)
    lines.writerow(heads)
    lines.writerows([harmless(cell) for cell in row] for row in rows)
    return response


def harmless(cell: str) -> str:
    """Text that a spreadsheet would take for a formula, with a quote in front (OWASP)."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r", "\n", "\0") else cell


def iso(moment: datetime | None) -> str:
    return timezone.localtime(moment).isoformat(timespec="seconds") if moment else ""
