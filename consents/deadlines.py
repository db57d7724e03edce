"""Until when an office has to answer, in the words of the screens."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from django.utils import timezone
from django.utils.translation import gettext as _

from core.dates import day_in_words

SOON = timedelta(days=7)


class Deadline(NamedTuple):
    """A moment to act before, how it is said, and how urgent it is: `bad`, `wait` or ``."""

    at: datetime
    words: str
    level: str


def lapse(at: datetime, now: datetime) -> Deadline:
    """When a request lapses: today and tomorrow by these words, later by the day."""
    day, today = timezone.localdate(at), timezone.localdate(now)
    if day <= today:
        words = _("Lapses today")
    elif day == today + timedelta(days=1):
        words = _("Lapses tomorrow")
    else:
        words = _("Lapses on %(day)s") % {"day": day_in_words(day)}
    return Deadline(at, words, _level(at, now))


def other(at: datetime, now: datetime) -> Deadline:
    """The day until which something else can be answered."""
    return Deadline(at, _("Until %(until)s") % {"until": day_in_words(at)}, _level(at, now))


def _level(at: datetime, now: datetime) -> str:
    if at - now < timedelta(days=2):
        return "bad"
    return "wait" if at - now < SOON else ""
