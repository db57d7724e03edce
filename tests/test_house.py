"""The house rules that a tool can check: `ruff`, `mypy --strict`, import contracts, templates."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())
FOLDERS = [*SETTINGS["tool"]["importlinter"]["root_packages"], "bench"]


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["mypy"],
        ["lint-imports"],
        ["djlint", "templates", "demo", "--lint", "--quiet"],
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_the_house_is_tidy(command: list[str]) -> None:
    done = subprocess.run(
        [BIN / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_file_of_the_product_has_more_than_400_lines() -> None:
    files = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    assert len(files) > 200
    long = {str(path): n for path in files if (n := len(path.read_text().splitlines())) > 400}
    assert not long


def test_portal_py_parses_on_any_python_3() -> None:
    import ast

    ast.parse((ROOT / "portal.py").read_text(), feature_version=(3, 4))


def test_a_missing_venv_module_is_one_sentence(tmp_path: Path) -> None:
    """Nothing but Python is assumed: what is missing is named, with the package to install."""
    (tmp_path / "ensurepip.py").write_text("raise ImportError")
    (tmp_path / "portal.py").write_text((ROOT / "portal.py").read_text())
    done = subprocess.run(
        [
            sys.executable,
            tmp_path / "portal.py",
            "demo",
            "--port",
            "18000",
            "--software-port=18001",
        ],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == "Python's venv module is missing (Debian: apt install python3-venv).\n"
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--port", "8001"], "--port and --software-port must differ."),
        (["--port", "70000"], "70000 is no port; choose one between 1 and 65535."),
        (
            ["--port", "{taken}"],
            "Port {taken} is taken; choose others with --port, --software-port.",
        ),
    ],
)
def test_a_port_that_cannot_be_is_one_sentence(
    tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    import socket

    (tmp_path / "portal.py").write_text((ROOT / "portal.py").read_text())
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        done = subprocess.run(
            [
                sys.executable,
                tmp_path / "portal.py",
                "demo",
                *(argument.format(taken=taken) for argument in arguments),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.stdout == sentence.format(taken=taken) + "\n"
    assert done.returncode == 1
