"""Fastify, the peer of Node's world: installed by npm from its own pins when the bench asks."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from functools import cache
from pathlib import Path

from bench.database import KEPT, ROOT

SOURCE = ROOT / "bench" / "fastify"
FOLDER = KEPT / "fastify"
LOCK = "package-lock.json"
INSTALL = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]


@cache
def fastify() -> Path | None:
    """The server's program, ready to start; None, and a sentence, where that is not possible."""
    if not (shutil.which("node") and shutil.which("npm")):
        print("Node or npm is missing here: Fastify is left out.\n", flush=True)
        return None
    FOLDER.mkdir(parents=True, exist_ok=True)
    for file in SOURCE.iterdir():
        shutil.copy(file, FOLDER)
    stamp = FOLDER / "installed"
    digest = hashlib.sha256((FOLDER / LOCK).read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != digest:
        print("Installing Fastify …", flush=True)
        if subprocess.run(INSTALL, cwd=FOLDER, check=False).returncode:  # noqa: S603  # our words
            print("npm could not install Fastify: it is left out.\n", flush=True)
            return None
        stamp.write_text(digest)
    return FOLDER / "server.js"
