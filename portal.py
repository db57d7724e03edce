#!/usr/bin/env python3
"""Start the portal or one of its tools: `python3 portal.py demo`, `python3 portal.py test`, …

This file finds a fitting Python, makes the environment `.venv`, installs the pinned libraries and
hands over to the package `devtools`, which has all the words. It uses the standard library only
and parses on any Python 3: a machine with an old one gets a sentence instead of a traceback.
"""

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence

try:
    import fcntl
except ImportError:
    sys.exit("The portal runs on Linux with Python 3.11 or newer.")

HERE = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(HERE, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
CANDIDATES = ["python3.11", "python3.12", "python3.13", "python3.14"]


class SetupError(Exception):
    """The environment cannot be made; the text is the sentence that the person reads."""


def main() -> None:
    try:
        use_a_fitting_python()
        # Only here: its syntax is that of Python 3.11.
        from devtools.command_line import read_command

        command = read_command(sys.argv[1:])
        if command.pins:
            with only_one_at_a_time():
                make_venv()
                install(command.pins)
        # What runs without pins also runs without an environment.
        python = PYTHON if command.pins else sys.executable
        os.chdir(HERE)
        sys.stdout.flush()
        os.execv(python, [python, "-m", "devtools"] + sys.argv[1:])
    except SetupError as reason:
        say(str(reason))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


def say(text: str) -> None:
    print(text)
    sys.stdout.flush()


def use_a_fitting_python() -> None:
    """Go on with this Python, or start again with a newer one that is installed."""
    if sys.version_info >= (3, 11):
        return
    probe = "import sys; sys.exit(sys.version_info < (3, 11))"
    for name in CANDIDATES:
        path = shutil.which(name)
        if path and subprocess.call([path, "-c", probe], stderr=subprocess.DEVNULL) == 0:
            os.execv(path, [path] + sys.argv)
    raise SetupError(
        "This is Python %d.%d; the portal needs Python 3.11 or newer (Debian 12: apt install "
        "python3 python3-venv)." % sys.version_info[:2]
    )


@contextlib.contextmanager
def only_one_at_a_time() -> "Iterator[None]":
    """A second start waits until the first one has installed everything."""
    os.makedirs(os.path.join(HERE, "var"), exist_ok=True)
    with open(os.path.join(HERE, "var", "lock-install"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def make_venv() -> None:
    if os.path.exists(PYTHON) and subprocess.call([PYTHON, "-m", "pip", "-qV"], stdout=-3) == 0:
        return
    try:
        import ensurepip  # noqa: F401
        import venv
    except ImportError:
        raise SetupError("Python's venv module is missing (Debian: apt install python3-venv).")
    say("Making .venv …")
    venv.create(VENV, with_pip=True, clear=True, symlinks=True)


def install(names: "Sequence[str]") -> None:
    """Install the pins of these files of requirements/; skipped while they are unchanged."""
    for name in names:
        pins = os.path.join(HERE, "requirements", name + ".txt")
        stamp = os.path.join(VENV, "pins-" + name)
        with open(pins, "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        if os.path.exists(stamp) and open(stamp).read() == digest:
            continue
        say("Installing " + os.path.relpath(pins, HERE) + " …")
        if not install_with_uv(pins) and not install_with_pip(pins):
            raise SetupError("The pins could not be installed; see the lines above.")
        with open(stamp, "w") as file:
            file.write(digest)


def install_with_uv(pins: str) -> bool:
    uv = os.path.join(VENV, "bin", "uv")
    if not os.path.exists(uv):
        subprocess.call([PYTHON, "-m", "pip", "install", "-q", "uv"], stderr=subprocess.DEVNULL)
    if not os.path.exists(uv):
        return False
    command = [uv, "pip", "install", "-q", "--python", PYTHON, "--require-hashes", "-r", pins]
    return subprocess.call(command, env=uv_environment()) == 0


def uv_environment() -> "dict[str, str]":
    """Give uv the package indexes that pip is set up with; uv does not read pip's settings."""
    environment = dict(os.environ)
    for theirs, ours in (("index-url", "UV_DEFAULT_INDEX"), ("extra-index-url", "UV_INDEX")):
        index = os.environ.get("PIP_" + theirs.replace("-", "_").upper()) or pip_setting(theirs)
        if index:
            environment.setdefault(ours, " ".join(index.split()))
    # As pip does, uv may ask every index: the hashes say which file is the right one.
    environment.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    return environment


def pip_setting(name: str) -> str:
    command = [PYTHON, "-m", "pip", "config", "get", "global." + name]
    try:
        return subprocess.check_output(command, stderr=subprocess.DEVNULL).decode().strip()
    except subprocess.CalledProcessError:
        return ""


def install_with_pip(pins: str) -> bool:
    say("uv could not do it; trying pip, which takes longer …")
    command = [PYTHON, "-m", "pip", "install", "-q", "--require-hashes", "-r", pins]
    return subprocess.call(command) == 0


if __name__ == "__main__":
    main()
