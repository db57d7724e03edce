"""What the list of companies shows beside each of them; `documents` knows it and answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from typing import NamedTuple

from accounts.models import Office
from clients.models import Client


class LastSeen(NamedTuple):
    """The day of a company's newest document, and when software last fetched one."""

    document: date | None = None
    download: datetime | None = None


Answer = Callable[[int, list[int]], dict[int, LastSeen]]
_answers: list[Answer] = []


def answers(function: Answer) -> Answer:
    """Register who knows it: asked with an office and its companies, by their keys."""
    _answers.append(function)
    return function


def last_seen(office: Office, clients: Iterable[Client]) -> dict[int, LastSeen]:
    """What is known of these companies of the office, by key; nothing of one without documents."""
    keys = [client.pk for client in clients]
    known: dict[int, LastSeen] = {}
    for answer in _answers:
        known |= answer(office.pk, keys)
    return known
