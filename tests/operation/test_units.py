"""The systemd units start what the table of docs/operations.md says."""

from __future__ import annotations

import configparser
import re

import pytest

from tests.conftest import ROOT

TABLE = (ROOT / "docs" / "operations.md").read_text()


@pytest.mark.parametrize("name", ["web", "worker", "beat"])
def test_a_unit_starts_the_command_of_the_table(name: str) -> None:
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(ROOT / "docker" / "systemd" / f"portal-{name}.service")
    row = re.search(rf"^\| {name} \| `([^`]+)` \|", TABLE, re.M)
    assert row is not None
    program, _, rest = unit["Service"]["ExecStart"].partition(" ")
    # Here nginx stands on the same machine; a container is reached from outside.
    said = f"{program.rpartition('/')[2]} {rest}".replace("127.0.0.1", "0.0.0.0")
    assert said == row[1]
    assert unit["Service"]["User"] == "portal"
