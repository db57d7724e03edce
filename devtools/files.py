"""Folders and files of `var/`: their owners, their modes, and one lock for each job."""

from __future__ import annotations

import fcntl
import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devtools.console import CannotContinueError
from devtools.paths import VAR


def make_folder(path: Path, mode: int, owner: pwd.struct_passwd | None = None) -> None:
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(mode)
    if owner:
        os.chown(path, owner.pw_uid, owner.pw_gid)


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


@contextmanager
def hold_lock(job: str) -> Iterator[None]:
    """Allow one demo and one test run at a time in this checkout.

    The kernel releases the lock when this process ends, however it ends.
    """
    make_folder(VAR, 0o755)
    with (VAR / f"lock-{job}").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CannotContinueError(
                f"A {job} of this checkout is running already; stop it first."
            ) from None
        yield


def is_locked(job: str) -> bool:
    """Tell whether a run of this job holds its lock."""
    try:
        with hold_lock(job):
            return False
    except CannotContinueError:
        return True
