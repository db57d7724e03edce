"""The processes that devtools starts: what they leave behind when they die, or when we do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from devtools import processes
from devtools.console import CannotContinueError
from tests.conftest import ROOT

# Starts a child; the child starts a grandchild, dies, and leaves it an orphan.
LEAVES_AN_ORPHAN = """
import subprocess, sys
from devtools.processes import adopt_orphans, end_orphans
adopt_orphans()
grandchild = "import subprocess; print(subprocess.Popen(['sleep', '300'], stdout=-3).pid)"
print(subprocess.check_output([sys.executable, "-c", grandchild], text=True), flush=True)
end_orphans()
"""
# Starts a child and waits for its own death.
STARTS_A_CHILD = """
import os, time
from devtools.processes import ChildProcesses
print(ChildProcesses().start("sleeper-%d" % os.getpid(), ["sleep", "300"], os.environ).process.pid, flush=True)
time.sleep(300)
"""


def is_running(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_orphans_of_a_test_run_are_ended() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LEAVES_AN_ORPHAN],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    wait_until(lambda: not is_running(int(done.stdout)))


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_child_dies_with_us_however_we_die(how: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STARTS_A_CHILD], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert is_running(child)
        parent.send_signal(how)
    wait_until(lambda: not is_running(child))
    for log in (ROOT / "var" / "log").glob(f"sleeper-{parent.pid}.log"):
        log.unlink()


def test_a_child_that_ends_by_itself_is_reported_with_its_last_lines() -> None:
    children = processes.ChildProcesses()
    name = f"speaker-{os.getpid()}"
    child = children.start(name, ["sh", "-c", "echo no room left; exit 3"], os.environ)
    try:
        child.process.wait()
        with pytest.raises(CannotContinueError, match="ended by itself") as error:
            children.refuse_dead()
        assert "no room left" in str(error.value)
    finally:
        children.stop()
        child.log.unlink()


def test_the_youngest_child_is_stopped_first(tmp_path: Path) -> None:
    children = processes.ChildProcesses()
    ended = tmp_path / "ended"
    for name in ("first", "second"):
        script = f"trap 'echo {name} >> {ended}; exit' TERM; touch {tmp_path}/{name}; while :; do sleep 0.05; done"
        children.start(f"{name}-{os.getpid()}", ["sh", "-c", script], os.environ)
        wait_until((tmp_path / name).exists)
    logs = [child.log for child in children.running]
    children.stop()
    assert ended.read_text().split() == ["second", "first"]
    for log in logs:
        log.unlink()
