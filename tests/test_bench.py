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
    """`bench verify` on a small seed: a change of the product that the floor missed fails here."""
    environment = os.environ | {
        "DATABASE_URL": test_database_url(),
        "PORTAL_SECRET_KEY": settings.SECRET_KEY,
    }
    try:
        told = subprocess.run(
            [sys.executable, "-m", "bench", "verify", "--size", "T"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
    finally:
        with connection.cursor() as cursor:
            name = connection.settings_dict["NAME"]
            cursor.execute(f'drop database if exists "{name}_bench" with (force)')
    assert told.returncode == 0, told.stdout[-3000:] + told.stderr[-3000:]
    assert told.stdout.count("| met |") >= 8, told.stdout
