"""The history of an object: each change with the old and the new value, never a secret."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def what_changed(form: Any, formsets: Any, *, add: bool) -> str:
    """Return one line for each changed value of the form and of its formsets."""
    lines = list(_values(form, new=add))
    for formset in formsets or []:
        name = str(formset.model._meta.verbose_name)
        for row in formset.initial_forms:
            if row in formset.deleted_forms:
                lines.append(f"{name} removed: {row.instance}")
            else:
                lines += [f"{name} {row.instance}: {line}" for line in _values(row, new=False)]
        lines += [
            f"{name} added: {row.instance}" for row in formset.extra_forms if row.has_changed()
        ]
    return "\n".join(lines) or "Nothing changed."


def _values(form: Any, *, new: bool) -> Iterator[str]:
    for name in form.changed_data:
        label = str(form.fields[name].label or name).lower()
        now = said(form.cleaned_data.get(name))
        yield f"{label}: {now}" if new else f"{label}: {said(form.initial.get(name))} → {now}"


def said(value: Any) -> str:
    """Return a value as people read it."""
    if isinstance(value, list | tuple):
        return ", ".join(str(each) for each in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "empty" if value in (None, "") else str(value)
