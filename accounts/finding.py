"""A list of an office: what its link narrows it to, and which page of it stands there."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.http import urlencode


def one_page(rows: QuerySet[Any] | list[Any], size: int) -> tuple[list[Any], Any]:
    """What stands on the page; and its last row, where there is more behind it."""
    found = list(rows[: size + 1])
    return found[:size], found[size - 1] if found[size:] else None


def older_than(request: HttpRequest) -> int | None:
    """The key at which the page before ended; None for what is none."""
    before = request.GET.get("before", "")
    return int(before) if before.isdecimal() and len(before) < 19 else None


class ListFilter(forms.Form):
    """Words, choices and an order; what is wrong in a link is as if it were not there.

    The `initial` of a choice is what nobody needs to ask for.
    """

    q = forms.CharField(required=False, max_length=80)

    def given(self, name: str) -> Any:
        """What is asked for, else what is usual."""
        return self.cleaned_data.get(name) or self.fields[name].initial

    @property
    def words(self) -> str:
        return str(self.given("q") or "")

    @property
    def choices(self) -> list[forms.BoundField]:
        """The fields with something to choose from."""
        return [field for field in self if len(getattr(field.field, "choices", ())) > 1]

    @property
    def is_narrow(self) -> bool:
        """Something is left out; an order leaves nothing out."""
        names = ["q", *(field.name for field in self.choices if field.name != "sort")]
        return any(self.given(name) != self.fields[name].initial for name in names)

    def further(self, **place: Any) -> str:
        """The link to what comes behind this place of the list."""
        names = ["q", *(field.name for field in self.choices)]
        wanted = {name: self.cleaned_data.get(name) for name in names} | place
        return "?" + urlencode({name: value for name, value in wanted.items() if value})
