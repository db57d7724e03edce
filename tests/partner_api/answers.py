"""Small readings of an answer, and the words that many tests of the API use."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx

PDF = "application/pdf"
SOME_ID = "0f8fad5b-d9cb-469f-a165-70867728950e"
T0 = datetime.now(UTC).replace(microsecond=0) - timedelta(days=30)
# Every byte above ASCII: whoever decodes and encodes on the way changes them.
DATA = bytes(range(128, 256)) * 10


def errors(answer: httpx.Response) -> list[tuple[str, str | None]]:
    """The code and the pointer of each fault."""
    return [
        (error["code"], error.get("source", {}).get("pointer")) for error in answer.json()["errors"]
    ]


def iso(moment: datetime) -> str:
    return moment.isoformat()


def ids(answer: httpx.Response) -> list[str]:
    """The documents that a search found, in their order."""
    assert answer.status_code == 201, answer.text
    return [document["id"] for document in answer.json()["included"]["documents"]]
