"""What was measured against what was promised: one Markdown table, and the same as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from bench.database import KEPT

# On the small size fixed costs weigh more, so its ratios and times are loosened by a quarter.
LOOSER = {"S": 0.25}


@dataclass(frozen=True)
class Finding:
    """One line of the table; `met` is None where nothing was promised."""

    goal: str
    what: str
    target: str
    measured: str
    value: float | None
    met: bool | None

    @property
    def verdict(self) -> str:
        return "" if self.met is None else ("met" if self.met else "**not met**")


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

    def at_most(self, goal: str, what: str, value: float, must: float, unit: str) -> None:
        limit = must * (1 + LOOSER.get(self.size, 0))
        target = f"≤ {must:g}{unit}{self._loosened(limit, unit)}"
        self._add(goal, what, target, f"{value:.3g}{unit}", value, value <= limit)

    def count(self, goal: str, what: str, value: int, most: int) -> None:
        """Counts are the same on every size, so they are never loosened."""
        self._add(goal, what, f"≤ {most:,}" if most else "0", f"{value:,}", value, value <= most)

    def true(self, goal: str, what: str, target: str, measured: str, met: bool) -> None:
        self._add(goal, what, target, measured, None, met)

    def note(self, goal: str, what: str, measured: str, value: float | None = None) -> None:
        self._add(goal, what, "", measured, value, None)

    def finish(self) -> bool:
        """Print and keep the table; tell whether all is met."""
        print(self.markdown(), flush=True)
        KEPT.mkdir(parents=True, exist_ok=True)
        kept = {"word": self.word, "size": self.size, "rows": [asdict(f) for f in self.findings]}
        (KEPT / f"{self.word}.json").write_text(json.dumps(kept, indent=1, ensure_ascii=False))
        return all(finding.met is not False for finding in self.findings)

    def markdown(self) -> str:
        """The table; where goals are loosened it says so, with both figures."""
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
