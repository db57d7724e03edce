"""The lists of the admin as CSV: the rows and columns that the list shows, and who took it out."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.options import IncorrectLookupParameters, ModelAdmin
from django.contrib.admin.utils import label_for_field, lookup_field
from django.contrib.admin.views.main import SEARCH_VAR
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.text import slugify

from accounts.models import User
from backoffice.admin.lists import REACH
from backoffice.event_log import TAKEN_OUT
from backoffice.words import counted
from core.csv_export import csv_file

# Of the filter, so many characters stand in the history.
LONGEST_FILTER = 300


def list_as_csv(page: ModelAdmin[Any], request: HttpRequest) -> HttpResponse:
    """Answer with what the list shows for this search, filter and order, REACH rows at most.

    The event log says who took which list out. Where more rows exist, the last line says so.
    """
    opts = page.opts
    try:
        changes = page.get_changelist_instance(request)
    except IncorrectLookupParameters:
        return redirect(f"admin:{opts.app_label}_{opts.model_name}_changelist")
    columns = [str(name) for name in changes.list_display if name != "action_checkbox"]
    heads = [str(label_for_field(name, page.model, model_admin=page)) for name in columns]
    found = list(changes.queryset[: REACH + 1])
    rows = found[:REACH]
    _write_down(page, request, len(rows))
    lines = [[_cell(page, name, row) for name in columns] for row in rows]
    if len(found) > REACH:
        lines.append([f"Only the first {REACH} rows. Filter or search for the others."])
    name = f"{slugify(str(opts.verbose_name_plural))}.csv"
    return cast(HttpResponse, csv_file(name, heads, lines))


def _write_down(page: ModelAdmin[Any], request: HttpRequest, rows: int) -> None:
    """Write to the history which list was taken out, by which filter, and how many rows.

    The words of a search may name a person, whom the history could never forget.
    """
    chosen = {name: "words" if name == SEARCH_VAR else value for name, value in request.GET.items()}
    words = urlencode(sorted(chosen.items()))[:LONGEST_FILTER]
    model = cast(type[Model], page.model)
    LogEntry.objects.create(
        user=cast(User, request.user),
        content_type=ContentType.objects.get_for_model(model, for_concrete_model=False),
        object_repr=f"list of {page.opts.verbose_name_plural}"[:200],
        action_flag=CHANGE,
        change_message=f"{TAKEN_OUT}{counted(rows, 'row')}, filter: {words or 'none'}",
    )


def _cell(page: ModelAdmin[Any], name: str, row: Model) -> str:
    """Return what the list shows in a column, as text; a moment with its offset."""
    try:
        field, _attr, value = lookup_field(name, row, page)
    except ObjectDoesNotExist:
        return ""
    if field is not None and field.is_relation:
        value = getattr(row, field.name)
    elif getattr(field, "flatchoices", None):
        value = dict(cast(Any, field).flatchoices).get(value, value)
    if isinstance(value, datetime):
        return timezone.localtime(value).isoformat(timespec="seconds")
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
