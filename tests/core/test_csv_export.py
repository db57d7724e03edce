"""A table is safe in every spreadsheet, whichever separator it splits the file at."""

import re
import tracemalloc

import pytest
from django.http import HttpResponse, StreamingHttpResponse

from core.csv_export import csv_file, harmless
from core.streams import WHOLE

STARTS = ["=", "+", "-", "@", "\t", "\r", "\n", "\0"]


@pytest.mark.requirement(111)
@pytest.mark.parametrize("separator", ["", ",", ";", "\t", "\n", "\r", "x;", "x; ", 'x;"', ";;"])
@pytest.mark.parametrize("start", STARTS)
def test_a_formula_after_any_separator_gets_an_apostrophe(separator: str, start: str) -> None:
    safe = harmless(f"{separator}{start}HYPERLINK(A1)")
    for cell in re.split(r"[,;\t\r\n]", safe):
        assert not re.match(r"""[ \0"]*[=+\-@]""", cell), safe


@pytest.mark.requirement(111)
@pytest.mark.parametrize("start", STARTS)
def test_a_cell_that_begins_with_a_character_of_the_owasp_list_gets_an_apostrophe(
    start: str,
) -> None:
    assert harmless(f"{start}Jan").startswith("'")


@pytest.mark.parametrize(
    "plain", ["Ledgerly", "Peeters & Zonen", "a-b", "x@y.example", "Jan, Piet"]
)
def test_plain_text_stays_as_it_is(plain: str) -> None:
    assert harmless(plain) == plain


@pytest.mark.requirement(111)
def test_a_whole_file_is_safe_where_semicolons_separate() -> None:
    answer = csv_file("x.csv", ["name"], [["Jan;=HYPERLINK(A1)"]])
    assert isinstance(answer, HttpResponse)
    cells = answer.content.decode("utf-8-sig").splitlines()[1].split(";")
    assert cells == ["Jan", "'=HYPERLINK(A1)"]


@pytest.mark.requirement(116)
def test_a_long_file_waits_on_the_disk_and_not_in_memory() -> None:
    rows = [[f"Company {number}", "x" * 200] for number in range(5 * WHOLE // 200)]
    tracemalloc.start()
    answer = csv_file("x.csv", ["name", "note"], (list(row) for row in rows))
    _kept, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(answer, StreamingHttpResponse)
    assert most < 2 * WHOLE
    sent = b"".join(answer.streaming_content)  # type: ignore[arg-type]
    assert len(sent) == int(answer["Content-Length"]) > 4 * WHOLE
    lines = sent.decode("utf-8-sig").splitlines()
    assert lines[0] == "name,note"
    assert lines[-1].startswith(f"Company {len(rows) - 1},")
