"""Programs that read until they are refused: a process of its own, with a thread for each.

Standard input has the port, the formats to ask for and, for each program, its token and the paths
of the documents that it reads one after the other. A program says `read` on standard output when it has got the first answer
with data from a path, and stays there until it was refused `AFTER` times. At the end each path has
a line with what was seen. The clock is `time.monotonic`, which all processes of a machine share.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from typing import Any

AFTER = 5


def say(**what: Any) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


class Program(threading.Thread):
    """The software of one partner, on one connection that stays open."""

    def __init__(self, number: int, plan: dict[str, Any], token: str, paths: list[str]) -> None:
        super().__init__()
        self.number, self.paths, self.formats = number, paths, plan["formats"]
        self.line = http.client.HTTPConnection("127.0.0.1", plan["port"], timeout=30)
        self.headers = {"Authorization": f"Bearer {token}", "Host": f"localhost:{plan['port']}"}

    def run(self) -> None:
        for place, path in enumerate(self.paths):
            try:
                seen = self.read(place, path)
            except Exception as error:
                seen = {"wrong": repr(error)}
            say(ended=place, of=self.number, **seen)

    def read(self, place: int, path: str) -> dict[str, Any]:
        """Read until refused; when the last answer with data was asked for, and when it was there."""
        served = refused = 0
        asked = had = 0.0
        while refused < AFTER:
            began = time.monotonic()
            accept = self.formats[(served + refused) % len(self.formats)]
            self.line.request("GET", path, headers={**self.headers, "Accept": accept})
            answer = self.line.getresponse()
            answer.read()
            if answer.status == 200:
                asked, had, served = began, time.monotonic(), served + 1
                if served == 1:
                    say(read=place, of=self.number)
            elif answer.status == 403:
                refused += 1
            else:
                raise ValueError(answer.status)
        return {"served": served, "asked": asked, "had": had}


def main() -> None:
    plan = json.loads(sys.stdin.readline())
    programs = [
        Program(number, plan, token, paths)
        for number, (token, paths) in enumerate(plan["programs"])
    ]
    for program in programs:
        program.start()
    for program in programs:
        program.join()


if __name__ == "__main__":
    main()
