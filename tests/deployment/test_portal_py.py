"""portal.py: a small bootstrap that parses everywhere and says in a sentence what is missing."""

from __future__ import annotations

import ast
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from devtools import command_line
from tests.conftest import ROOT

BOOTSTRAP = ROOT / "portal.py"
# Runs portal.py as an older Python would.
OLD_PYTHON = """
import runpy, sys
sys.version_info = (3, 6, 15)
sys.argv = ["portal.py", "demo"]
runpy.run_path("portal.py", run_name="__main__")
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what portal.py needs before it has an environment."""
    shutil.copy(BOOTSTRAP, tmp_path)
    shutil.copytree(ROOT / "devtools", tmp_path / "devtools")
    return tmp_path


def start(checkout: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, checkout / "portal.py", *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_portal_py_parses_on_any_python_3() -> None:
    ast.parse(BOOTSTRAP.read_text(), feature_version=(3, 4))


def test_portal_py_is_small_and_imports_only_the_standard_library() -> None:
    assert len(BOOTSTRAP.read_text().splitlines()) <= 150
    files = [BOOTSTRAP, *(ROOT / "devtools").glob("*.py")]
    assert len(files) > 15
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            packages = {name.split(".")[0] for name in names}
            assert packages <= sys.stdlib_module_names | {"devtools", "portal"}, file


def test_an_old_python_is_one_sentence(checkout: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", OLD_PYTHON],
        cwd=checkout,
        env={"PATH": str(checkout)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout.startswith("This is Python 3.6; the portal needs Python 3.11 or newer")
    assert done.stderr == ""


def test_a_missing_venv_module_is_one_sentence(checkout: Path) -> None:
    """Only Python itself is assumed: what is missing is named, with the package to install."""
    (checkout / "ensurepip.py").write_text("raise ImportError")
    done = start(
        checkout, "demo", "--port", "18000", "--software-port=18001", PYTHONPATH=str(checkout)
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
def test_a_port_that_cannot_be_used_is_one_sentence(
    checkout: Path, arguments: list[str], sentence: str
) -> None:
    """It comes before anything is installed."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        done = start(checkout, "demo", *(argument.format(taken=taken) for argument in arguments))
    assert done.stdout == sentence.format(taken=taken) + "\n"
    assert done.returncode == 1
    assert not (checkout / ".venv").exists()


def test_an_unknown_word_or_argument_names_the_known_ones(checkout: Path) -> None:
    wrong = start(checkout, "tset")
    assert wrong.returncode == 2
    assert "invalid choice: 'tset'" in wrong.stderr
    assert "test-fast" in wrong.stderr
    assert start(checkout, "reset", "--now").returncode == 2


def test_reset_needs_no_environment_and_removes_the_data(checkout: Path) -> None:
    (checkout / "var" / "documents").mkdir(parents=True)
    done = start(checkout, "reset")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "The data of the demo is gone; the next start makes it anew.\n"
    assert not (checkout / "var").exists()
    assert not (checkout / ".venv").exists()


def test_reset_refuses_while_a_demo_runs(checkout: Path) -> None:
    import fcntl

    (checkout / "var").mkdir()
    with (checkout / "var" / "lock-demo").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = start(checkout, "reset")
    assert done.returncode == 1
    assert done.stdout == "A demo of this checkout is running already; stop it first.\n"
    assert (checkout / "var").exists()


def test_the_words_are_the_same_in_portal_py_the_makefile_and_contributing() -> None:
    words = set(command_line.WORDS) - {"demo", "reset"}
    makefile = (ROOT / "Makefile").read_text()
    listed = makefile.split("\nWORDS = ")[1].split("\n")[0].split()
    assert set(listed) == words
    assert "\nrun:\n\tpython3 portal.py demo" in makefile
    contributing = (ROOT / "CONTRIBUTING.md").read_text()
    table = [line.split("`")[1] for line in contributing.splitlines() if line.startswith("| `make")]
    assert {cell.removeprefix("make ") for cell in table} == words | {"run"}


def test_every_word_needs_pins_that_exist() -> None:
    for name, word in command_line.WORDS.items():
        for pins in word.pins:
            assert (ROOT / "requirements" / f"{pins}.txt").is_file(), name
