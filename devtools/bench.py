"""`bench`: measure speed with bench/, on servers that are as durable as in production."""

from __future__ import annotations

from devtools.files import hold_lock
from devtools.processes import ChildProcesses, run_module
from devtools.servers import BENCH, environment_of_tests


def run_bench(arguments: list[str], children: ChildProcesses) -> int:
    with hold_lock("test"):
        environment = environment_of_tests(children, BENCH)
        environment["PORTAL_CALLS_PER_MINUTE"] = "1000000000"
        return run_module(["bench", *(arguments or ["all"])], environment)
