"""`reset`: remove the data of the demo and of the test runs."""

from __future__ import annotations

import shutil

from devtools.console import say
from devtools.files import hold_lock
from devtools.paths import VAR
from devtools.postgres import private_folder
from devtools.servers import PURPOSES


def run_reset() -> int:
    with hold_lock("demo"), hold_lock("test"), hold_lock("planted"):
        for folder in [*(private_folder(purpose.name) for purpose in PURPOSES), VAR]:
            shutil.rmtree(folder, ignore_errors=True)
    say("The data of the demo is gone; the next start makes it anew.")
    return 0
