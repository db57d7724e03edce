"""`python -m devtools WORD`, which portal.py runs in the environment that it made."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

from devtools.command_line import Command, read_command
from devtools.console import CannotContinueError, say
from devtools.processes import ChildProcesses, adopt_orphans, end_orphans

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def main() -> int:
    command = read_command(sys.argv[1:])
    _end_on_signals(command)
    # Without compiled modules every start of Django would take seconds longer.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    adopt_orphans()
    children = ChildProcesses()
    try:
        return command.run(children)
    except CannotContinueError as reason:
        say(str(reason))
        return 1
    finally:
        children.stop()
        end_orphans()


def _end_on_signals(command: Command) -> None:
    def end(number: int, frame: FrameType | None) -> None:
        # Only once: `finally` stops the children.
        for each in STOP_SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        raise SystemExit(command.exit_code_when_stopped(number))

    for each in STOP_SIGNALS:
        signal.signal(each, end)


if __name__ == "__main__":
    sys.exit(main())
