"""The paths of files and folders in this checkout."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Everything that a run writes; `portal.py reset` removes it.
VAR = ROOT / "var"
LOGS = VAR / "log"
BIN = ROOT / ".venv" / "bin"
# The interpreter of `.venv`: portal.py hands over to it.
PYTHON = sys.executable
