"""The server programs that wheels bring into the environment."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from devtools.console import CannotContinueError


@cache
def find_program(package: str, program: str) -> Path:
    """Return the path of a server program inside an installed package."""
    spec = find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for path in Path(folder).rglob(program):
            if path.is_file():
                return path
    raise CannotContinueError(
        f"The program {program} is missing from .venv; delete .venv and start again."
    )
