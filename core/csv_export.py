"""CSV files that people open in a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from tempfile import SpooledTemporaryFile

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from core.streams import WHOLE

PIECE = 64 * 1024

# The start of a cell for some separator, then what begins a formula.
FORMULA = re.compile(r"""(?:^|(?<=[,;\t\r\n]))(?=[ \0"']*[=+\-@]|[\t\r\n\0])""")


def csv_file(name: str, heads: list[str], rows: Iterable[list[str]]) -> HttpResponseBase:
    """A CSV in UTF-8, as spreadsheets read it; no cell of it can run as a formula.

    All rows are read before the answer begins, in the language of the page. A long file is stored
    on the disk until it is sent, so even a very long one takes little memory.
    """
    file = SpooledTemporaryFile(max_size=WHOLE)  # noqa: SIM115  # closed when all of it is sent
    # The first character tells spreadsheets that it is UTF-8.
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    lines = csv.writer(text)
    lines.writerow(heads)
    lines.writerows([harmless(cell) for cell in row] for row in rows)
    text.detach()
    size = file.tell()
    file.seek(0)
    headers = {
        "Content-Type": "text/csv; charset=utf-8",
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Length": str(size),
    }
    if size <= WHOLE:
        return HttpResponse(b"".join(_pieces(file)), headers=headers)
    return StreamingHttpResponse(_pieces(file), headers=headers)


def _pieces(file: SpooledTemporaryFile[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(PIECE):
            yield piece


def harmless(cell: str) -> str:
    """The text with an apostrophe before everything that a spreadsheet could run as a formula.

    A spreadsheet may split the file at another separator than ours (Belgian ones split at `;`), so
    what follows any separator counts as the start of a cell. Source: OWASP, CSV Injection.
    """
    return FORMULA.sub("'", cell)
