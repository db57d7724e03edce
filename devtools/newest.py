"""`test-next`: the suite without browsers on the newest Python and Django that we could move to.

It makes an environment of its own in var/next from the ranges of pyproject.toml, not from the
pins, and allows a Django that is newer than its range. A failure here warns of the next upgrade.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

from devtools.console import CannotContinueError, say
from devtools.files import hold_lock
from devtools.paths import BIN, VAR
from devtools.pins import FILES, requirements_of
from devtools.processes import ChildProcesses, run_module
from devtools.servers import TEST, environment_of_tests
from devtools.suite import with_two_workers
from portal import uv_environment

FOLDER = VAR / "next"
# These tests are about the pins and the tools of `.venv` itself.
LEFT_OUT = ("tests/browser", "tests/test_house.py", "tests/test_dependencies.py")


def run_next_test(arguments: list[str], children: ChildProcesses) -> int:
    with hold_lock("test"):
        python = _make_environment()
        environment = environment_of_tests(children, TEST)
        ignored = [f"--ignore={path}" for path in LEFT_OUT]
        return run_module(
            ["pytest", "-m", "not browser", *ignored, *with_two_workers(arguments)],
            environment,
            python,
        )


def _make_environment() -> str:
    """Install the newest of everything; return the interpreter."""
    interpreter = newest_python()
    shutil.rmtree(FOLDER, ignore_errors=True)
    say("Installing the newest libraries …")
    _uv("venv", "--quiet", "--python", str(interpreter), str(FOLDER))
    override = FOLDER / "override.txt"
    override.write_text("django>=5.2\n")
    wanted = FOLDER / "requirements.txt"
    wanted.write_text("\n".join(one for name in FILES for one in requirements_of(name)))
    python = str(FOLDER / "bin" / "python")
    _uv(
        *("pip", "install", "--quiet", "--python", python, "--upgrade"),
        *("--override", str(override), "-r", str(wanted)),
    )
    versions = "import django, sys; print(sys.version.split()[0], django.__version__)"
    found = subprocess.check_output([python, "-c", versions], text=True).split()
    say(f"Python {found[0]}, Django {found[1]}")
    return python


def newest_python() -> Path:
    """Return the newest installed interpreter."""
    listed = subprocess.run(
        [
            *(str(BIN / "uv"), "python", "list", "--only-installed", "--no-managed-python"),
            *("--output-format", "json", ">=3.11"),
        ],
        env=uv_environment() | {"PATH": _path_with_pyenv()},
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(listed.stdout)
    parts = [one["version_parts"] for one in found]
    versions = [(part["major"], part["minor"], part["patch"]) for part in parts]
    return Path(found[versions.index(max(versions))]["path"])


def _path_with_pyenv() -> str:
    """Return PATH with the interpreters of pyenv, which hides those that are not chosen."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    folders = [str(folder) for folder in root.glob("versions/*/bin")]
    return os.pathsep.join([*folders, os.environ["PATH"]])


def _uv(*arguments: str) -> None:
    if subprocess.call([str(BIN / "uv"), *arguments], env=uv_environment()) != 0:
        raise CannotContinueError("uv failed; see the lines above.")
