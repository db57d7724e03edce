"""Days and moments in words, in the language of the reader and the time of Brussels."""

from __future__ import annotations

from datetime import date, datetime

from django.utils import timezone, translation
from django.utils.formats import date_format

# How people here write a day, and a day with a time, for the fields of forms.
DAY = ["%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%Y-%m-%d"]
DAY_AND_TIME = [f"{day} %H:%M" for day in DAY]


def day_in_words(value: date | datetime | None) -> str:
    """The day, such as 26 November 2026 or 1er décembre 2026; empty for None."""
    if value is None:
        return ""
    day = timezone.localtime(value) if isinstance(value, datetime) else value
    return _first_in_french(day, date_format(day, "DATE_FORMAT"))


def moment_in_words(value: datetime | None) -> str:
    """The day and the time, such as 26 November 2026, 14:02; empty for None."""
    if value is None:
        return ""
    moment = timezone.localtime(value)
    return _first_in_french(moment, date_format(moment, "DATETIME_FORMAT"))


def iso(moment: datetime | None) -> str:
    """ISO 8601 with the offset of Brussels, for machines; empty for None.

    Django's own format leaves the offset out in the hour that comes twice.
    """
    return timezone.localtime(moment).isoformat(timespec="seconds") if moment else ""


def _first_in_french(day: date, words: str) -> str:
    """In French the first day of a month is *1er*; the other days are plain numbers."""
    if day.day == 1 and translation.get_language() == "fr":
        return words.replace("1 ", "1er ", 1)
    return words
