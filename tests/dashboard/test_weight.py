"""What a first visit costs on a slow line."""

from __future__ import annotations

import re
from pathlib import Path

from django.contrib.staticfiles import finders
from django.test import Client as Browser

from tests.conftest import Cast

MOST = 120_000  # bytes, before fonts


def test_a_first_visit_weighs_less_than_120_kb_before_fonts(cast: Cast) -> None:
    """Uncompressed: the request, its style sheets, scripts and pictures."""
    browser = Browser()
    page = browser.get(f"/consent/{cast.consent.uuid}", follow=True).content
    linked = set(re.findall(r'(?:href|src)="/static/([^"]+)"', page.decode()))
    files = [path for path in linked if not path.endswith(".woff2")]
    assert any(path.endswith(".css") for path in files)
    weight = len(page)
    for path in files:
        found = finders.find(path)
        assert isinstance(found, str), path
        weight += Path(found).stat().st_size
    assert weight < MOST, weight
