"""Lists with filters, in pages: the link says which rows to show, and where a page begins.

A page begins after a row, or ends before one, so it costs the same however far it lies. Rows that
come or go meanwhile move no other row to another page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Field, Q, QuerySet
from django.utils.http import urlencode

AFTER, BEFORE = "after", "before"


@dataclass(frozen=True, eq=False)
class Part:
    """Ordered rows. No two are equal in the order, because its last field is unique.

    No field of the order is null, and only the first may be text. A list of several parts shows
    them one after the other; `name` tells them apart in a link.
    """

    rows: QuerySet[Any]
    order: tuple[str, ...]
    name: str = ""

    def key(self, row: Any) -> str:
        """The text that names this row in a link: its values of the order."""
        names = (field.lstrip("-").split("__") for field in self.order)
        return self._written([reduce(getattr, name, row) for name in names])

    def read(self, key: str) -> list[Any] | None:
        """The values that a link names; None where it is no key of this part."""
        text = key.removeprefix(f"{self.name}.") if self.name else key
        texts = text.rsplit("_", len(self.order) - 1)
        if len(texts) != len(self.order) or "\0" in text:
            return None
        try:
            fields = (self._field(ordered) for ordered in self.order)
            values = [_read(field, one) for field, one in zip(fields, texts, strict=True)]
        except ValidationError:
            return None
        return values if self._written(values) == key else None

    def beyond(self, values: Sequence[Any], *, backward: bool) -> Part:
        """The rows after these values, or before them."""
        found = Q()
        for ordered, value in zip(reversed(self.order), reversed(values), strict=True):
            field = ordered.lstrip("-")
            sign = "gt" if ordered.startswith("-") == backward else "lt"
            further = Q(**{f"{field}__{sign}": value})
            # With `first`, PostgreSQL starts inside the index; `found` is exact.
            first = Q(**{f"{field}__{sign}e": value})
            found = first & (further | Q(**{field: value}) & found) if found else further
        return replace(self, rows=self.rows.filter(found))

    def first(self, limit: int, *, backward: bool) -> Iterable[Any]:
        """So many rows from the beginning; or from the end, the last one first."""
        order = [_turned(field) for field in self.order] if backward else self.order
        return self.rows.order_by(*order)[:limit]

    def _written(self, values: Sequence[Any]) -> str:
        text = "_".join(map(str, values))
        return f"{self.name}.{text}" if self.name else text

    def _field(self, ordered: str) -> Field[Any, Any]:
        name = ordered.lstrip("-")
        if name in self.rows.query.annotations:
            return self.rows.query.annotations[name].output_field
        *path, last = name.split("__")
        model: Any = self.rows.model
        for step in path:
            model = model._meta.get_field(step).related_model
        field: Any = model._meta.pk if last == "pk" else model._meta.get_field(last)
        while field.is_relation:
            field = field.target_field
        return cast("Field[Any, Any]", field)


@dataclass(frozen=True)
class Page:
    """Rows of a list, with the links to those in front of them and behind; empty for none.

    They are the rows `first` to `last` of all `total`, which is 0 where nobody counted.
    """

    rows: list[Any]
    previous: str = ""
    next: str = ""
    first: int = 0
    total: int = 0

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1


def one_page(
    asked: Mapping[str, str],
    size: int,
    *parts: Part,
    kept: Mapping[str, Any] | None = None,
    prefix: str = "",
    counted: bool = False,
) -> Page:
    """The page that a link asks for: `size` rows of these parts, one part after the other.

    The parameter `before` or `after` of the link is the key of a row, with a prefix where a screen
    has two lists; a wrong key is ignored. `kept` are the parameters that every link repeats. A page
    that would begin before the first row is the first page; a page after the last row is the last
    page. `counted` is for short lists of one part: it takes two statements.
    """
    names = f"{prefix}{BEFORE}", f"{prefix}{AFTER}"
    before, after = (_place(parts, asked.get(name, "")) for name in names)
    found = _rows(parts, before, size + 1, backward=True) if before else []
    if len(found) >= size:
        shown, in_front, behind = found[:size][::-1], len(found) > size, True
    else:
        found = _rows(parts, after, size + 1, backward=False)
        shown, in_front, behind = found[:size], after is not None, len(found) > size
        if after and not found:
            found = _rows(parts, None, size + 1, backward=True)
            shown, in_front, behind = found[:size][::-1], len(found) > size, False
    if not shown:
        return Page([])
    previous, following = [
        query({**(kept or {}), name: part.key(row)} if there else {})
        for name, (part, row), there in zip(
            names, (shown[0], shown[-1]), (in_front, behind), strict=True
        )
    ]
    page = Page([row for _part, row in shown], previous, following)
    return _counted(page, *shown[0]) if counted else page


def query(values: Mapping[str, Any]) -> str:
    """The query string of a link, with its question mark; empty where no value is."""
    given = {name: value for name, value in values.items() if value}
    return f"?{urlencode(given)}" if given else ""


def _place(parts: Sequence[Part], key: str) -> tuple[Part, list[Any]] | None:
    for part in parts:
        values = part.read(key)
        if values is not None:
            return part, values
    return None


def _rows(
    parts: Sequence[Part], place: tuple[Part, list[Any]] | None, limit: int, *, backward: bool
) -> list[tuple[Part, Any]]:
    """So many rows from this place on, each with its part; backward the nearest comes first."""
    way = list(reversed(parts) if backward else parts)
    left = way if place is None else way[way.index(place[0]) :]
    found: list[tuple[Part, Any]] = []
    for part in left:
        rest = part
        if place is not None and place[0] is part:
            rest = part.beyond(place[1], backward=backward)
        found += [(part, row) for row in rest.first(limit - len(found), backward=backward)]
        if len(found) == limit:
            break
    return found


def _counted(page: Page, part: Part, first: Any) -> Page:
    """Say which of how many rows these are."""
    if not (page.previous or page.next):
        return replace(page, first=1, total=len(page.rows))
    in_front = 0
    if page.previous:
        values = part.read(part.key(first))
        in_front = part.beyond(values or [], backward=True).rows.count()
    return replace(page, first=in_front + 1, total=part.rows.count())


def _turned(ordered: str) -> str:
    return ordered.removeprefix("-") if ordered.startswith("-") else f"-{ordered}"


def _read(field: Field[Any, Any], text: str) -> Any:
    value = field.to_python(text)
    field.run_validators(value)
    return value


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

    @property
    def kept(self) -> dict[str, Any]:
        """What every link of the list says of it."""
        names = ["q", *(field.name for field in self.choices)]
        return {name: self.cleaned_data.get(name) for name in names}

    def page_of(self, size: int, *parts: Part, counted: bool = False) -> Page:
        """The page of these rows that the link asks for."""
        return one_page(self.data, size, *parts, kept=self.kept, counted=counted)
