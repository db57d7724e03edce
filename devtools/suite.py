"""The words that run pytest: `test`, `test-fast`, `assurance` and `coverage`."""

from __future__ import annotations

import os

from devtools.files import hold_lock
from devtools.migrated_template import make_template
from devtools.paths import VAR
from devtools.planted import run_planted
from devtools.processes import ChildProcesses, run_module
from devtools.servers import (
    FAST_TEST,
    TEST,
    Environment,
    Purpose,
    environment_of_tests,
)

# The marks of the tests that `test-fast` leaves out; tests/conftest.py sets them.
FAST = "not browser and not kills and not slow"


def run_test(arguments: list[str], children: ChildProcesses) -> int:
    """Run the suite on new servers; return the exit code of pytest."""
    with hold_lock("test"):
        environment = environment_with_template(children, TEST)
        return run_module(["pytest", *with_two_workers(arguments)], environment)


def run_fast_test(arguments: list[str], children: ChildProcesses) -> int:
    """Run the tests that need no browser and kill no process, on a kept database."""
    with hold_lock("test"):
        environment = environment_with_template(children, FAST_TEST)
        return run_module(["pytest", "-m", FAST, *with_two_workers(arguments)], environment)


def run_assurance(arguments: list[str], children: ChildProcesses) -> int:
    """Run the tests of the assurance table, ten times as long as `test` does; print the table.

    With `--planted`, plant the holes of tests/planted.toml instead.
    """
    if arguments[:1] == ["--planted"]:
        return run_planted(arguments[1:], children)
    if not has_option(arguments, "--rounds"):
        arguments = ["--rounds", "10", *arguments]
    return run_test(["-n", "0", "-p", "tests.assurance.report", *arguments], children)


def run_coverage(arguments: list[str], children: ChildProcesses) -> int:
    """Run the suite; print the lines that no test reaches, file by file."""
    with hold_lock("test"):
        environment = environment_with_template(children, TEST)
        for old in VAR.glob("coverage*"):
            old.unlink()
        pytest = run_module(
            ["coverage", "run", "-m", "pytest", *with_two_workers(arguments)], environment
        )
        run_module(["coverage", "combine", "--quiet"], environment)
        report = run_module(["coverage", "report"], environment)
        return pytest or report


def environment_with_template(children: ChildProcesses, purpose: Purpose) -> Environment:
    """Start the servers and migrate one database there; each test process copies it.

    A server that DATABASE_URL names may not let a database be copied: each process migrates there.
    """
    environment = environment_of_tests(children, purpose)
    if "DATABASE_URL" not in os.environ:
        environment["PORTAL_TEST_TEMPLATE"] = make_template(environment, purpose)
    return environment


def with_two_workers(arguments: list[str]) -> list[str]:
    if has_option(arguments, "-n"):
        return arguments
    return ["-n", "2", "--dist", "worksteal", *arguments]


def has_option(arguments: list[str], option: str) -> bool:
    return any(argument.startswith(option) for argument in arguments)
