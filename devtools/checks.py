"""`lint`, `fix` and `types`: tests/test_house.py runs the same commands."""

from __future__ import annotations

import subprocess

from devtools.console import say
from devtools.paths import BIN, ROOT
from devtools.servers import environment_without_servers

TEMPLATES = ("templates", "demo")
LINT = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("djlint", *TEMPLATES, "--lint", "--quiet"),
    ("lint-imports",),
    ("codespell",),
)
FIX = (
    ("ruff", "check", "--fix", "."),
    ("ruff", "format", "."),
)
TYPES = (("mypy",),)


def run_checks(commands: tuple[tuple[str, ...], ...]) -> int:
    """Run all of the commands, also after one that fails; return 1 where one failed."""
    failed = []
    for program, *arguments in commands:
        say(f"{program} {' '.join(arguments)}".rstrip())
        done = subprocess.run(
            [BIN / program, *arguments], cwd=ROOT, env=environment_without_servers(), check=False
        )
        if done.returncode:
            failed.append(program)
    if failed:
        say(f"Not clean: {', '.join(failed)}.")
    return 1 if failed else 0
