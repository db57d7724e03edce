"""The house rules that a tool can check: `ruff`, `mypy --strict`, import contracts, templates."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from devtools.checks import LINT, TYPES

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())
FOLDERS = SETTINGS["tool"]["importlinter"]["root_packages"]
# An import inside a function stands only where Django loads the apps, and says so.
REASON = "# app loading:"


@pytest.mark.parametrize("command", [*LINT, *TYPES], ids=lambda command: " ".join(command[:2]))
def test_the_house_is_tidy(command: tuple[str, ...]) -> None:
    """The commands of `make lint types`."""
    done = subprocess.run(
        [BIN / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_file_of_the_product_has_more_than_400_lines() -> None:
    files = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    assert len(files) > 200
    long = {str(path): n for path in files if (n := len(path.read_text().splitlines())) > 400}
    assert not long


def test_no_import_stands_inside_a_function() -> None:
    """Such an import hides a circle from its reader; Django's loading of apps alone needs it."""
    found = []
    for path in (path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")):
        lines = path.read_text().splitlines()
        for node in imports_in_functions("\n".join(lines)):
            if REASON not in lines[node.lineno - 1]:
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not found


def test_one_module_makes_pdfs() -> None:
    """One engine in the product: whoever wants a PDF asks `core.pdf`."""
    files = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    engines = re.compile(r"^\s*(import|from) (typst|reportlab|weasyprint|fpdf)\b", re.MULTILINE)
    found = [path for path in files if engines.search(path.read_text())]
    assert found == [ROOT / "core" / "typesetting" / "typeset.py"]


def imports_in_functions(text: str) -> list[ast.stmt]:
    return [
        node
        for function in ast.walk(ast.parse(text))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]


def test_an_import_inside_a_function_is_seen() -> None:
    assert imports_in_functions("def f():\n    if 1:\n        import os\n")
    assert not imports_in_functions("import os\n")


def test_every_package_is_kept_free_of_circles() -> None:
    contracts = SETTINGS["tool"]["importlinter"]["contracts"]
    (circles,) = [c for c in contracts if c["type"] == "acyclic_siblings"]
    assert circles["ancestors"] == FOLDERS
