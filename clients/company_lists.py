"""Lists of companies that people paste or upload: what they name, and what is wrong with them."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from accounts.models import LANGUAGES, Office
from clients.forms import AddForm
from clients.models import Client, ClientQuerySet
from core.enterprise_number import plain_number

CODE_IN_USE = _("Another company in your office already has this code. Choose a different one.")
# As many as an office may add in a day.
MOST_LINES = 1000
# The columns of the export; the last two may be missing.
COLUMNS = ["code", "company_number", "name", "language", "email"]
DIGITS = re.compile(r"\d{9,10}")


def text_of(pasted: str, upload: UploadedFile[Any] | None) -> str:
    """What was pasted, or else the text of the file; spreadsheets write UTF-8 or Windows-1252."""
    if upload is None:
        return pasted
    data: bytes = upload.read()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def rows_of(text: str) -> list[list[str]]:
    """The cells of each line that has any; cells stand between `;`, tabs or commas."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    between = max(";\t,", key=first.count)
    rows = csv.reader(text.replace("\0", "").splitlines(), delimiter=between)
    cells = ([cell.strip() for cell in row] for row in rows)
    return [row for row in cells if any(row)]


class Named(NamedTuple):
    """The companies that a list names by number or code, and what it names besides."""

    clients: list[Client]
    unknown: list[str]


def named_in(text: str, ours: ClientQuerySet) -> Named:
    """The companies of `ours` that a list names. A line of a spreadsheet names one of them."""
    lines = rows_of(text)
    wanted = {cell for row in lines for cell in row if cell}
    rows = ours.filter(company_number__in={plain_number(cell) for cell in wanted})
    by_number = {client.company_number: client for client in rows}
    by_code = {client.code: client for client in ours.filter(code__in=wanted)}
    found: dict[int, Client] = {}
    unknown: list[str] = []
    for place, row in enumerate(lines):
        here = {
            cell: by_code.get(cell) or by_number.get(plain_number(cell)) for cell in row if cell
        }
        found |= {client.pk: client for client in here.values() if client}
        any_here = any(here.values())
        if not any_here and place == 0 and len(row) > 1 and not _has_number(row):
            continue  # the heads of the columns
        unknown += [
            cell
            for cell, client in here.items()
            if not client and (_has_number([cell]) or not any_here)
        ]
    return Named(list(found.values()), list(dict.fromkeys(unknown)))


def _has_number(cells: Iterable[str]) -> bool:
    return any(DIGITS.fullmatch(plain_number(cell)) for cell in cells)


class Wrong(NamedTuple):
    """A line that cannot be added, and why."""

    line: int
    name: str
    errors: list[str]


class Import(NamedTuple):
    """What a list of companies would add: the new ones, those that are here, and what is wrong."""

    new: list[dict[str, Any]]
    known: list[str]
    wrong: list[Wrong]


def read_import(office: Office, text: str) -> Import:
    """Check each line as the form for one company does, and against the lines before it."""
    rows = rows_of(text)
    if rows and not _has_number(rows[0]):
        rows = rows[1:]  # the heads of the columns
    ours = Client.objects.active().filter(office=office)
    numbers = set(ours.values_list("company_number", flat=True))
    codes = set(
        Client.objects.not_transferred().filter(office=office).values_list("code", flat=True)
    )
    found = Import([], [], [])
    for line, row in enumerate(rows[:MOST_LINES], 1):
        form = AddForm(_fields(row, office))
        valid = form.is_valid()
        number = str(form.cleaned_data.get("company_number", ""))
        if number in numbers:
            found.known.append(form.data.get("name") or number)
        elif valid and form.cleaned_data["code"] not in codes:
            found.new.append(form.cleaned_data)
            numbers.add(number)
            codes.add(form.cleaned_data["code"])
        else:
            errors = [str(error) for errors in form.errors.values() for error in errors]
            found.wrong.append(Wrong(line, " · ".join(row[:3]), errors or [str(CODE_IN_USE)]))
    return found


def _fields(row: list[str], office: Office) -> dict[str, str]:
    fields = dict(zip(COLUMNS, row, strict=False))
    if fields.get("language", "").lower() not in dict(LANGUAGES):
        fields["language"] = office.language
    return fields
