"""Words of the pages of operators, which are in English only."""

from __future__ import annotations


def counted(number: int, word: str) -> str:
    """Return the number with the word, which takes an s where it is not one."""
    return f"{number} {word}{'s' * (number != 1)}"
