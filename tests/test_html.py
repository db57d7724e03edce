"""What the Nu HTML checker found once, held without it: the checker itself is no dependency.

Where a table turns into a list on a phone, today's browsers keep its roles, so the templates name
none. A browser test hears them.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(
    path
    for folder in ("templates", "demo/templates")
    for path in (ROOT / folder).rglob("*.html")
    if "mails" not in path.parts
)
FINDINGS = {
    "a role on a part of a table": re.compile(
        r"<(?:table|thead|tbody|tr|td|th)\b[^>]*\brole=", re.DOTALL
    ),
    "microseconds in datetime": re.compile(r"datetime=\"\{\{[^}]*date:'c'"),
    "a closed void element": re.compile(r"</(?:br|hr|img|input|link|meta)>"),
    "a block inside a paragraph": re.compile(
        r"<p\b[^>]*>(?:(?!</p>).)*<(?:ul|ol|div|table)\b", re.DOTALL
    ),
}


@pytest.mark.parametrize("finding", FINDINGS)
def test_no_page_has_what_the_checker_found(finding: str) -> None:
    assert len(PAGES) > 100
    found = [
        str(path.relative_to(ROOT)) for path in PAGES if FINDINGS[finding].search(path.read_text())
    ]
    assert found == []


@pytest.mark.parametrize(
    ("finding", "wrong"),
    [
        ("a role on a part of a table", '<td class="x"\n role="cell">'),
        ("microseconds in datetime", "<time datetime=\"{{ moment.at|date:'c' }}\">"),
        ("a closed void element", "</br>"),
        ("a block inside a paragraph", '<p class="x">Text <ul>'),
    ],
)
def test_the_findings_are_found(finding: str, wrong: str) -> None:
    assert FINDINGS[finding].search(wrong)
