"""The bench compares like with like: what it times gives the same answers."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.db import connection

from tests.conftest import ROOT, test_database_url


@pytest.mark.usefixtures("committed")
def test_ours_the_floor_and_the_peer_give_the_same_answers() -> None:
    """`bench verify` on a small seed: a change of the product that the floor missed fails here.

    And `bench plans`, whose times say nothing of so few rows: that it can still be asked counts.
    """
    try:
        verified, planned = (bench(word) for word in ("verify", "plans"))
    finally:
        with connection.cursor() as cursor:
            name = connection.settings_dict["NAME"]
            cursor.execute(f'drop database if exists "{name}_bench" with (force)')
    assert verified.returncode == 0, verified.stdout[-3000:] + verified.stderr[-3000:]
    assert verified.stdout.count("| met |") >= 8, verified.stdout
    assert "| 8 | token, partner, office, consent | 1 statement | 1 | met |" in planned.stdout, (
        planned.stdout[-3000:] + planned.stderr[-3000:]
    )


def bench(word: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "DATABASE_URL": test_database_url(),
        "PORTAL_SECRET_KEY": settings.SECRET_KEY,
    }
    return subprocess.run(
        [sys.executable, "-m", "bench", word, "--size", "T"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
