"""Days and moments as the four languages write them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.utils import translation

from core.dates import day_in_words, moment_in_words

AT = datetime(2026, 11, 26, 13, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "moment", "first"),
    [
        ("en", "26 November 2026, 14:02", "1 December 2026"),
        ("nl", "26 november 2026 om 14.02 uur", "1 december 2026"),
        ("fr", "26 novembre 2026 à 14\u00a0h\u00a002", "1er décembre 2026"),
        ("de", "26. November 2026, 14:02 Uhr", "1. Dezember 2026"),
    ],
)
def test_a_moment_is_said_as_the_language_says_it(language: str, moment: str, first: str) -> None:
    with translation.override(language):
        assert moment_in_words(AT) == moment
        assert day_in_words(date(2026, 12, 1)) == first
        assert moment_in_words(datetime(2026, 12, 1, 8, tzinfo=UTC)).startswith(first)
        assert (day_in_words(None), moment_in_words(None)) == ("", "")
