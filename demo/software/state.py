"""The state of Ledgerly in one JSON file, replaced as a whole, and the data of the demo."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

VAR = Path(__file__).resolve().parent.parent.parent / "var"
_lock = threading.Lock()


class NotLoadedError(Exception):
    """The demo's data are still being made."""


def told() -> dict[str, Any]:
    """var/demo.json: where the API is, our credentials, the offices and their companies.

    Raises NotLoadedError while the file is missing or half written.
    """
    path = Path(os.environ.get("PORTAL_DEMO_JSON", VAR / "demo.json"))
    try:
        content: dict[str, Any] = json.loads(path.read_text())
    except (FileNotFoundError, json.JSONDecodeError) as error:
        raise NotLoadedError from error
    return content


def remembered() -> dict[str, Any]:
    """Per enterprise number of an office: consent, state, and where the last search ended."""
    try:
        content: dict[str, Any] = json.loads(_file().read_text())
    except FileNotFoundError:
        return {}
    return content


def remember(office: str, **facts: Any) -> None:
    """Add facts about an office; a reader sees the old file or the new one, never half."""
    with _lock:
        content = remembered()
        content.setdefault(office, {}).update(facts)
        fresh = _file().with_suffix(".new")
        fresh.write_text(json.dumps(content, indent=1))
        fresh.replace(_file())


def _file() -> Path:
    return Path(os.environ.get("PORTAL_SOFTWARE_STATE", VAR / "software.json"))
