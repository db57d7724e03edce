"""Lists with filters: the link says which rows to show, and after which row a page begins."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.http import urlencode


def one_page(rows: QuerySet[Any] | list[Any], size: int) -> tuple[list[Any], Any]:
    """The rows of the page, and the last of them if more rows follow."""
    found = list(rows[: size + 1])
    return found[:size], found[size - 1] if found[size:] else None


def older_than(request: HttpRequest) -> int | None:
    """The key at which the previous page ended; None if the text is no key."""
    before = request.GET.get("before", "")
    return int(before) if before.isdecimal() and len(before) < 19 else None


class ListFilter(forms.Form):
    """Words, choices and an order. A wrong value in the link is ignored.

    The `initial` of a choice applies when the link does not name it.
    """

    q = forms.CharField(required=False, max_length=80)

    def given(self, name: str) -> Any:
        """The value in the link, or else the initial value."""
        return self.cleaned_data.get(name) or self.fields[name].initial

    @property
    def words(self) -> str:
        return str(self.given("q") or "")

    @property
    def choices(self) -> list[forms.BoundField]:
        """The fields with choices."""
        return [field for field in self if len(getattr(field.field, "choices", ())) > 1]

    @property
    def is_narrow(self) -> bool:
        """Whether the link leaves rows out; an order does not."""
        names = ["q", *(field.name for field in self.choices if field.name != "sort")]
        return any(self.given(name) != self.fields[name].initial for name in names)

    def further(self, **place: Any) -> str:
        """The link to the rows after this key."""
        names = ["q", *(field.name for field in self.choices)]
        wanted = {name: self.cleaned_data.get(name) for name in names} | place
        return "?" + urlencode({name: value for name, value in wanted.items() if value})
