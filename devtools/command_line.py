"""The words of `portal.py`: their options, the pins that they need, and what they run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from devtools import (
    bench,
    checks,
    demo,
    newest,
    pins,
    reset,
    suite,
    translations,
)
from devtools.console import CannotContinueError, say
from devtools.processes import ChildProcesses

DEMO_PINS = ("portal", "embedded")
ALL_PINS = pins.FILES


@dataclass(frozen=True)
class Command:
    """A word that somebody typed, with its options and the further arguments."""

    word: str
    options: argparse.Namespace
    further: list[str]

    @property
    def pins(self) -> tuple[str, ...]:
        """The files of requirements/ that must be installed before it runs."""
        return WORDS[self.word].pins

    def run(self, children: ChildProcesses) -> int:
        return WORDS[self.word].run(self, children)

    def exit_code_when_stopped(self, signal_number: int) -> int:
        """A demo ends normally when it is stopped; a test run that is stopped did not pass."""
        return 0 if self.word == "demo" else 128 + signal_number


@dataclass(frozen=True)
class Word:
    help: str
    run: Callable[[Command, ChildProcesses], int]
    pins: tuple[str, ...] = ALL_PINS
    passes_on: str = ""  # who gets the further arguments; empty: nobody


WORDS = {
    "demo": Word(
        "start the portal with demo data",
        lambda command, children: demo.run_demo(command.options, children),
        DEMO_PINS,
    ),
    "test": Word(
        "run the whole suite",
        lambda command, children: suite.run_test(command.further, children),
        passes_on="pytest",
    ),
    "test-fast": Word(
        "run the tests without browsers, kills and long rounds",
        lambda command, children: suite.run_fast_test(command.further, children),
        passes_on="pytest",
    ),
    "test-next": Word(
        "run the suite without browsers on the newest Django and Python",
        lambda command, children: newest.run_next_test(command.further, children),
        passes_on="pytest",
    ),
    "coverage": Word(
        "run the suite and print the lines that no test reaches",
        lambda command, children: suite.run_coverage(command.further, children),
        passes_on="pytest",
    ),
    "assurance": Word(
        "run the checks of a release and print their table",
        lambda command, children: suite.run_assurance(command.further, children),
        passes_on="pytest",
    ),
    "bench": Word(
        "measure speed",
        lambda command, children: bench.run_bench(command.further, children),
        passes_on="bench/",
    ),
    "lint": Word(
        "check style, templates, imports and spelling",
        lambda command, children: checks.run_checks(checks.LINT),
    ),
    "fix": Word(
        "format the code and repair what ruff can repair",
        lambda command, children: checks.run_checks(checks.FIX),
    ),
    "types": Word(
        "check the types with mypy",
        lambda command, children: checks.run_checks(checks.TYPES),
    ),
    "migrate": Word(
        "write the migrations of changed models and update the demo's database",
        lambda command, children: demo.run_migrate(command.further, children),
        DEMO_PINS,
        passes_on="makemigrations",
    ),
    "messages": Word(
        "collect the texts to translate and compile the translations",
        lambda command, children: translations.run_messages(command.further),
        passes_on="makemessages",
    ),
    "pins": Word(
        "export the pins of pyproject.toml to requirements/",
        lambda command, children: pins.run_pins(command.further),
        passes_on="uv",
    ),
    "reset": Word(
        "remove the data of the demo and of the tests",
        lambda command, children: reset.run_reset(),
        pins=(),
    ),
}


def read_command(arguments: Sequence[str]) -> Command:
    """Read the command line; if it is wrong, say why and exit."""
    parser = argparse.ArgumentParser(
        prog="portal.py", description="Start the portal or one of its tools."
    )
    words = parser.add_subparsers(dest="word", metavar="WORD", required=True)
    for name, word in WORDS.items():
        passes_on = f"; further arguments go to {word.passes_on}" if word.passes_on else ""
        subparser = words.add_parser(name, help=word.help + passes_on)
        if name == "demo":
            demo.add_options(subparser)
    options, further = parser.parse_known_args(arguments)
    if further and not WORDS[options.word].passes_on:
        parser.error("unknown arguments: " + " ".join(further))
    if options.word == "demo":
        try:
            demo.refuse_wrong_options(options)
        except CannotContinueError as reason:
            say(str(reason))
            sys.exit(1)
    return Command(options.word, options, further)
