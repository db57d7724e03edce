"""`pins`: export the libraries of pyproject.toml, with versions and hashes, to requirements/.

A pinned version stays while its range allows it. `--upgrade` takes the newest versions of all
libraries, `--upgrade-package NAME` the newest of one.
"""

from __future__ import annotations

import subprocess
import tomllib

from devtools.console import CannotContinueError, say
from devtools.paths import BIN, ROOT
from portal import uv_environment

# Each file uses the versions of the files before it, because they are installed together.
FILES = ("portal", "embedded", "telemetry", "test", "bench", "dev")


def requirements_of(name: str) -> list[str]:
    """Return what pyproject.toml asks for in one file of requirements/."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras: dict[str, list[str]] = settings["project"]["optional-dependencies"]
    groups: dict[str, list[str]] = settings["dependency-groups"]
    if name == "portal":
        return [*settings["project"]["dependencies"], *extras["s3"]]
    if name == "telemetry":
        return [*extras["opentelemetry"], *extras["sentry"]]
    return extras[name] if name in extras else groups[name]


def run_pins(arguments: list[str]) -> int:
    for number, name in enumerate(FILES):
        say(f"requirements/{name}.txt …")
        before = [word for file in FILES[:number] for word in ("-c", f"requirements/{file}.txt")]
        done = subprocess.run(
            [
                *(str(BIN / "uv"), "pip", "compile", "-", "-o", f"requirements/{name}.txt"),
                *("--quiet", "--generate-hashes", "--universal", "--python-version", "3.11"),
                # Do not write the address of a package index: each machine has its own.
                *("--no-header", "--no-annotate", "--no-emit-index-url", *before, *arguments),
            ],
            cwd=ROOT,
            env=uv_environment(),
            input="\n".join(requirements_of(name)),
            text=True,
            stdout=subprocess.DEVNULL,
            check=False,
        )
        if done.returncode:
            raise CannotContinueError(f"uv could not find pins for {name}; see the lines above.")
    return 0
