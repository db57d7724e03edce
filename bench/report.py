"""Measurements compared with their goals: one Markdown table, and the same as JSON."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bench.database import KEPT, ROOT

# On the small size fixed costs matter more, so the goals of ratios and times are a quarter looser.
LOOSER = {"S": 0.25}


@dataclass(frozen=True)
class Finding:
    """One line of the table; `met` is None if there is no goal."""

    goal: str
    what: str
    target: str
    measured: str
    value: float | None
    met: bool | None

    @property
    def verdict(self) -> str:
        return "" if self.met is None else ("met" if self.met else "**not met**")


@dataclass(frozen=True)
class Result:
    """A table that was kept: which word made it, at which size, on which day, of which commit."""

    word: str
    size: str
    day: str
    commit: str
    findings: list[Finding]

    def find(self, what: str) -> Finding | None:
        """The line whose words begin like this."""
        return next((f for f in self.findings if f.what.startswith(what)), None)

    def values(self, goal: str, words: str) -> list[float]:
        """The figures of the lines of a goal that have these words."""
        found = (f for f in self.findings if f.goal == goal and words in f.what)
        return [f.value for f in found if f.value is not None]


def _commit() -> str:
    """The commit that is measured; nothing where git is missing."""
    git = shutil.which("git")
    if git is None:
        return ""
    asked = [git, "describe", "--always", "--dirty"]
    told = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    return told.stdout.strip()


def file_of(word: str, size: str) -> Path:
    return KEPT / f"{word}-{size.replace(' ', '-')}.json"


def kept(word: str, size: str) -> Result | None:
    """The last result of this word at this size, if there is one."""
    file = file_of(word, size)
    if not file.exists():
        return None
    found = json.loads(file.read_text())
    return Result(**{**found, "findings": [Finding(**each) for each in found["findings"]]})


@dataclass
class Report:
    """The table of one word."""

    word: str
    size: str
    findings: list[Finding] = field(default_factory=list)

    def at_least(self, goal: str, what: str, value: float, must: float, unit: str) -> None:
        limit = must * (1 - LOOSER.get(self.size, 0))
        target = f"≥ {must:g}{unit}{self._loosened(limit, unit)}"
        self._add(goal, what, target, f"{value:.3g}{unit}", value, value >= limit)

    def at_most(self, goal: str, what: str, value: float, must: float, unit: str) -> bool:
        limit = must * (1 + LOOSER.get(self.size, 0))
        target = f"≤ {must:g}{unit}{self._loosened(limit, unit)}"
        self._add(goal, what, target, f"{value:.3g}{unit}", value, value <= limit)
        return value <= limit

    def count(self, goal: str, what: str, value: int, most: int) -> None:
        """Counts are the same on every size, so their goals are the same too."""
        self._add(goal, what, f"≤ {most:,}" if most else "0", f"{value:,}", value, value <= most)

    def true(self, goal: str, what: str, target: str, measured: str, met: bool) -> None:
        self._add(goal, what, target, measured, None, met)

    def note(self, goal: str, what: str, measured: str, value: float | None = None) -> None:
        self._add(goal, what, "", measured, value, None)

    def finish(self) -> bool:
        """Print and store the table; return whether all goals are met."""
        print(self.markdown(), flush=True)
        KEPT.mkdir(parents=True, exist_ok=True)
        file_of(self.word, self.size).write_text(
            json.dumps(asdict(self.result()), indent=1, ensure_ascii=False)
        )
        return all(finding.met is not False for finding in self.findings)

    def result(self) -> Result:
        """What is kept of this table."""
        today = datetime.now(UTC).date().isoformat()
        return Result(self.word, self.size, today, _commit(), self.findings)

    def markdown(self) -> str:
        """The table; where a goal is looser, it shows both figures."""
        loosened = ", goals loosened by a quarter" if self.size in LOOSER else ""
        lines = [f"### {self.word} (size {self.size}{loosened})", ""]
        lines += ["| goal | what | target | measured | |", "| --- | --- | --- | --- | --- |"]
        for f in self.findings:
            lines.append(f"| {f.goal} | {f.what} | {f.target} | {f.measured} | {f.verdict} |")
        return "\n".join([*lines, ""])

    def _loosened(self, limit: float, unit: str) -> str:
        return f" (here {limit:.3g}{unit})" if self.size in LOOSER else ""

    def _add(
        self,
        goal: str,
        what: str,
        target: str,
        measured: str,
        value: float | None,
        met: bool | None,
    ) -> None:
        self.findings.append(Finding(goal, what, target, measured, value, met))
