"""The output for the person at the terminal."""

from __future__ import annotations


class CannotContinueError(Exception):
    """The command cannot continue; the text is shown to the person."""


def say(text: str) -> None:
    # Flushed: a child process writes to the same terminal.
    print(text, flush=True)
