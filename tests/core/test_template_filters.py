"""What the filters of all templates say."""

from __future__ import annotations

import pytest
from django.utils import translation

from core.template_filters import file_size


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "3.4\xa0KB"), ("nl", "3,4\xa0kB"), ("fr", "3,4\xa0Ko"), ("de", "3,4\xa0KB")],
)
def test_the_size_of_a_file_in_each_language(language: str, words: str) -> None:
    with translation.override(language):
        assert file_size(3486).lower() == words.lower()
        assert "io" not in file_size(3_486_000)
