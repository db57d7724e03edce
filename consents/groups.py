"""The consents of an office by what they need: an answer, a look, nothing; ended ones last."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from consents import deadlines
from consents.models import Status

SICK = ("bad", "warn")


class Group(NamedTuple):
    """Consents that need the same; `name` is its word in a link."""

    name: str
    title: str
    consents: list[Any]


def groups_of(live: Iterable[Any], now: datetime) -> list[Group]:
    """Live consents, each with its `health` or its `deadline`; what is due first on top."""
    found: dict[str, list[Any]] = {"waiting": [], "problems": [], "paused": [], "well": []}
    for consent in live:
        found[_name(consent, now)].append(consent)
    found["waiting"].sort(key=lambda consent: consent.lapses_at)
    found["problems"].sort(key=lambda consent: SICK.index(consent.health.level))
    titles = {
        "waiting": _("Waiting for your decision"),
        "problems": _("Connection problems"),
        "paused": _("Paused"),
        "well": _("Without problems"),
    }
    return [Group(name, titles[name], consents) for name, consents in found.items()]


def _name(consent: Any, now: datetime) -> str:
    if consent.status == Status.TO_BE_DETERMINED:
        consent.deadline = deadlines.lapse(consent.lapses_at, now)
        return "waiting"
    if consent.is_paused(now):
        return "paused"
    return "problems" if consent.health and consent.health.level in SICK else "well"
