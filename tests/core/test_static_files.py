"""The static files of the demo, which are served from where they are written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from whitenoise.middleware import WhiteNoiseMiddleware


@pytest.mark.parametrize("after", ["a { color: red }\n" * 9, "b {}\n"], ids=["grew", "shrank"])
def test_a_style_sheet_that_changed_after_the_start_is_sent_whole(
    settings: Any, tmp_path: Path, after: str
) -> None:
    kept: Any = finders.get_finder  # django-stubs does not know that it is a cache
    settings.STATICFILES_DIRS = [tmp_path]
    kept.cache_clear()
    sheet = tmp_path / "changed.css"
    sheet.write_text("a { color: red }\n")
    serve = WhiteNoiseMiddleware(_no_page)
    try:
        for text in (sheet.read_text(), after):
            sheet.write_text(text)
            answer = serve(RequestFactory().get("/static/changed.css"))
            body = b"".join(answer.streaming_content)
            assert (answer.status_code, body.decode()) == (200, text)
            assert int(answer.headers["Content-Length"]) == len(body)
    finally:
        kept.cache_clear()


def _no_page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=404)
