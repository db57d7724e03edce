"""The Admin of `day`: a process of its own, as an office is, that cancels what it is told to.

The process of the programs has many threads. A cancel among them would wait for the interpreter,
which no office does. The clock is `time.monotonic`, which all processes of a machine share.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, NamedTuple, Self, cast

from accounts.models import User
from bench.participants import ADMIN
from consents.actors import Actor, ActorKind
from consents.models import Consent

ROOT = Path(__file__).resolve().parent.parent
# Models can be imported once Django has read the settings.
START = "import django; django.setup(); from bench.day_admin import serve; serve()"


class Cancel(NamedTuple):
    """When the commit of a cancel was over (`time.monotonic`), and how long the cancel took."""

    at: float
    milliseconds: float


class Admin:
    """Cancels consents, one after the other, in a process of its own."""

    def __enter__(self) -> Self:
        command = [sys.executable, "-c", START]
        self._process = subprocess.Popen(  # noqa: S603  # our own words only
            command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._wishes = cast(IO[str], self._process.stdin)
        self._answers = cast(IO[str], self._process.stdout)
        if self._answers.readline() != "ready\n":
            raise RuntimeError("the Admin does not start")
        return self

    def __exit__(self, *_: object) -> None:
        self._wishes.close()
        self._process.wait(30)

    def cancel(self, consent_id: int) -> Cancel:
        self._wishes.write(f"{consent_id}\n")
        self._wishes.flush()
        return Cancel(*json.loads(self._answers.readline()))


def serve() -> None:
    """Cancel each consent whose key comes in, and say what became of it."""
    admin = User.objects.get(email=ADMIN)
    actor = Actor(ActorKind.PERSON, admin.name, admin, authentication=["password"])
    print("ready", flush=True)
    for line in sys.stdin:
        consent = Consent.objects.get(pk=int(line))
        began = time.monotonic()
        consent.cancel(actor)
        at = time.monotonic()
        print(json.dumps([at, (at - began) * 1000]), flush=True)
