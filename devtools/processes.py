"""The processes that a command starts; they end with it."""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from devtools.console import CannotContinueError, say
from devtools.files import make_folder
from devtools.paths import BIN, LOGS, PYTHON, ROOT

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


def become(account: pwd.struct_passwd | None, when_the_parent_dies: signal.Signals) -> None:
    """In the child: leave root, and end when the parent dies, also when it is killed."""
    if account:
        os.setgroups([])
        os.setgid(account.pw_gid)
        os.setuid(account.pw_uid)
    # After the change of account, which would clear it.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(when_the_parent_dies))


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent dies."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)


def end_orphans() -> None:
    """End the web processes and workers that an interrupted test run left behind."""
    for stop_signal in (signal.SIGTERM, signal.SIGKILL):
        for _ in range(50):
            try:
                children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
            except OSError:
                return  # this kernel does not list them
            for child in children:
                with suppress(ProcessLookupError):
                    os.kill(int(child), stop_signal)
            with suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            if not children:
                return
            time.sleep(0.1)


@dataclass
class ChildProcess:
    name: str
    process: subprocess.Popen[bytes]
    log: Path
    stop_signal: signal.Signals

    @property
    def is_dead(self) -> bool:
        return self.process.poll() is not None

    def refuse_dead(self) -> None:
        if self.is_dead:
            last = "".join(self.log.read_text(errors="replace").splitlines(keepends=True)[-15:])
            raise CannotContinueError(
                f"{self.name} ended by itself; the last lines of {self.log}:\n{last}"
            )

    def stop(self) -> None:
        if self.is_dead:
            return
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class ChildProcesses:
    """The running children, in the order of their start."""

    def __init__(self) -> None:
        self.running: list[ChildProcess] = []

    def start(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        account: pwd.struct_passwd | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> ChildProcess:
        make_folder(LOGS, 0o755)
        log = LOGS / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd="/" if account else ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # Ctrl-C reaches only us; we then stop the children in order.
                start_new_session=True,
                preexec_fn=lambda: become(account, stop_signal),
            )
        child = ChildProcess(name, process, log, stop_signal)
        self.running.append(child)
        return child

    def refuse_dead(self) -> None:
        for child in self.running:
            child.refuse_dead()

    def wait_for_answer(self, child: ChildProcess, url: str) -> None:
        for _ in range(600):
            self.refuse_dead()
            try:
                urlopen(url, timeout=5).close()
                return
            except OSError:
                time.sleep(0.1)
        raise CannotContinueError(f"{child.name} does not answer at {url}; see {child.log}.")

    def watch(self) -> None:
        """Wait until somebody stops us or a child ends."""
        while True:
            self.refuse_dead()
            time.sleep(0.5)

    def stop(self) -> None:
        """Stop the newest first: the web processes need the database until they end."""
        while self.running:
            self.running.pop().stop()


def granian(application: str, port: int, workers: int, threads: int) -> list[str]:
    return [
        *(str(BIN / "granian"), "--interface", "wsgi", application),
        *("--host", "127.0.0.1", "--port", str(port), "--workers", str(workers)),
        # Without a limit one stuck worker keeps the whole server from ever ending.
        *("--blocking-threads", str(threads), "--workers-kill-timeout", "10"),
        # Without it, granian ends all its workers when one of them is killed.
        *("--respawn-failed-workers", "--respawn-interval", "0.5"),
    ]


def manage(title: str, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    """Run `manage.py`; raise CannotContinueError if it fails."""
    if title:
        say(f"{title} …")
    command = [PYTHON, str(ROOT / "manage.py"), *arguments]
    if subprocess.call(command, cwd=ROOT, env=environment) != 0:
        raise CannotContinueError(f"`manage.py {arguments[0]}` failed; see the lines above.")


def run_module(
    arguments: Sequence[str], environment: Mapping[str, str], python: str = PYTHON
) -> int:
    """Run `python -m …` to its end; return its exit code."""
    process = subprocess.Popen([python, "-m", *arguments], cwd=ROOT, env=environment)
    try:
        return process.wait()
    finally:
        # When we are interrupted, it still has to end the web processes that it started.
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait()
