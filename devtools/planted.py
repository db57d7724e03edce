"""The holes of `portal.py assurance --planted`: each is planted into a copy of the checkout.

A hole is a filter, a lock or a condition that is missing. The tests that `tests/planted.toml` names
beside it must fail in the copy, and must pass there without it. Words behind `--planted` choose the
holes whose row or name has one of them. The checkout itself is never changed.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
import time
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from devtools.console import CannotContinueError, say
from devtools.files import hold_lock, make_folder
from devtools.migrated_template import make_template
from devtools.paths import PYTHON, ROOT, VAR
from devtools.processes import ChildProcesses
from devtools.servers import PLANTED, Environment, environment_of_tests

LIST = ROOT / "tests" / "planted.toml"
# Beside the results of the sections, which the table is made from.
KEPT = VAR / "assurance" / "planted.json"
TESTS_FAILED = 1  # an exit code of pytest; from 2 on the run itself went wrong
LONGEST = 300  # seconds for the tests of one hole
FLUSH = "import os, redis; redis.Redis.from_url(os.environ['REDIS_URL']).flushdb()"


@dataclass(frozen=True)
class Hole:
    """One change of one file, and the tests that must notice it.

    `row` is that of the assurance table. `before` stands once in the file. With `migrates`,
    the database is migrated in the copy, since the change is one of the database.
    """

    row: int
    name: str
    file: str
    before: str
    after: str
    tests: list[str]
    migrates: bool = False

    @property
    def title(self) -> str:
        return f"{self.row:>4}  {self.name}"


@dataclass
class Outcome:
    """What the tests of a hole said: `caught`, `not caught`, or that they could not tell."""

    row: int
    name: str
    outcome: str
    seconds: float


@dataclass
class Planted:
    """A run of all holes, as it is kept."""

    commit: str
    finished_at: str
    holes: list[Outcome] = field(default_factory=list)


def read_holes() -> list[Hole]:
    return [Hole(**hole) for hole in tomllib.loads(LIST.read_text())["hole"]]


def run_planted(words: list[str], children: ChildProcesses) -> int:
    """Plant the holes that the words choose, or all; return 0 when each of them was caught."""
    holes = chosen(read_holes(), words)
    with hold_lock("planted"), _copy() as copy:
        environment = environment_of_tests(children, PLANTED)
        # A file that is changed twice within a second must not be taken for its compiled form.
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
        environment["PORTAL_TEST_TEMPLATE"] = make_template(environment, PLANTED)
        run = Planted(_commit(), "", list(_plant_all(holes, copy, environment)))
    run.finished_at = datetime.now(UTC).isoformat(timespec="seconds")
    caught = sum(one.outcome == "caught" for one in run.holes)
    print(f"\n{caught} of {len(run.holes)} planted holes were caught.")
    if not words:
        make_folder(KEPT.parent, 0o755)
        KEPT.write_text(json.dumps(asdict(run), indent=1) + "\n")
    return 0 if caught == len(run.holes) else 1


def chosen(holes: list[Hole], words: list[str]) -> list[Hole]:
    """The holes whose row or name has one of the words; all of them without a word."""
    found = [
        hole
        for hole in holes
        if not words or any(word == str(hole.row) or word in hole.name for word in words)
    ]
    if not found:
        raise CannotContinueError(f"No planted hole has {' or '.join(words)} in its name.")
    return found


def _plant_all(holes: list[Hole], copy: Path, environment: Environment) -> Iterator[Outcome]:
    whole = _red_tests(sorted({test for hole in holes for test in hole.tests}), copy, environment)
    for hole in holes:
        began = time.monotonic()
        red = [test for test in hole.tests if test in whole]
        outcome = f"red without it: {', '.join(red)}" if red else _try(hole, copy, environment)
        taken = round(time.monotonic() - began, 1)
        print(f"{hole.title}: {outcome} ({taken:.0f} s)", flush=True)
        yield Outcome(hole.row, hole.name, outcome, taken)


def _red_tests(tests: list[str], copy: Path, environment: Environment) -> set[str]:
    """The tests that do not pass without any hole: they could tell nothing."""
    say(f"Running the {len(tests)} tests without a hole …")
    done = _pytest(tests, copy, environment, seconds=LONGEST * 6)
    if done.returncode == 0:
        return set()
    if done.returncode != TESTS_FAILED:
        raise CannotContinueError(f"The tests do not run:\n{done.stdout}")
    failed = re.findall(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    say(done.stdout)
    return {test for test in tests if any(one.startswith(test) for one in failed)}


def _try(hole: Hole, copy: Path, environment: Environment) -> str:
    file = copy / hole.file
    whole = file.read_text()
    file.write_text(planted(hole, whole))
    its_own = dict(environment)
    if hole.migrates:
        del its_own["PORTAL_TEST_TEMPLATE"]
    try:
        done = _pytest(hole.tests, copy, its_own)
    except subprocess.TimeoutExpired:
        return f"the tests did not end in {LONGEST} s"
    finally:
        file.write_text(whole)
    if done.returncode == TESTS_FAILED and re.search(r"^FAILED ", done.stdout, re.MULTILINE):
        return "caught"
    if done.returncode == 0:
        return "NOT CAUGHT"
    return f"the tests do not run:\n{done.stdout}"


def planted(hole: Hole, text: str) -> str:
    """The text of the file with the hole in it."""
    if text.count(hole.before) != 1:
        raise CannotContinueError(f"{hole.file} has not once what {hole.name!r} changes.")
    return text.replace(hole.before, hole.after)


def _pytest(
    tests: Iterable[str], copy: Path, environment: Environment, seconds: float = LONGEST
) -> subprocess.CompletedProcess[str]:
    subprocess.run([PYTHON, "-c", FLUSH], env=environment, check=True)
    command = [PYTHON, "-m", "pytest", "-n", "0", "-p", "no:cacheprovider", "-rfE", "--durations=0"]
    return subprocess.run(
        [*command, *tests],
        cwd=copy,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )


@contextmanager
def _copy() -> Iterator[Path]:
    """All files of the checkout that Git knows or would take in, in a folder of their own."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True)
    with tempfile.TemporaryDirectory(prefix="planted-") as folder:
        copy = Path(folder) / "portal"
        for name in filter(None, done.stdout.split("\0")):
            if (ROOT / name).is_file() and not (ROOT / name).is_symlink():
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, copy / name)
        (copy / ".venv").symlink_to((ROOT / ".venv").resolve())
        yield copy


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
