"""Rules that the database keeps, also against raw SQL."""

import pgtrigger


def append_only(name: str) -> list[pgtrigger.Trigger]:
    """Rows are written once: no update, no delete, no emptying of the table."""
    kept = pgtrigger.Protect(name=f"keep_{name}", operation=pgtrigger.Update | pgtrigger.Delete)
    return [kept, *_never_emptied(name)]


def erasable(name: str, erased: str, personal: str) -> list[pgtrigger.Trigger]:
    """As `append_only`, but the columns `personal` may change to what `erased` says.

    A condition that is null would let every change pass: `erased` asks for what may be missing.
    """
    rest = (
        f"(to_jsonb(NEW) - '{{{personal}}}'::text[]) = (to_jsonb(OLD) - '{{{personal}}}'::text[])"
    )
    return [
        pgtrigger.Protect(name=f"keep_{name}", operation=pgtrigger.Delete),
        pgtrigger.Protect(
            name=f"only_erase_{name}",
            operation=pgtrigger.Update,
            condition=pgtrigger.Condition(f"NOT ({erased} AND {rest})"),
        ),
        *_never_emptied(name),
    ]


def _never_emptied(name: str) -> list[pgtrigger.Trigger]:
    return [
        pgtrigger.Trigger(
            name=f"keep_all_{name}",
            operation=pgtrigger.Truncate,
            level=pgtrigger.Statement,
            when=pgtrigger.Before,
            func="RAISE EXCEPTION 'Cannot truncate %: its rows are proof', TG_TABLE_NAME;",
        ),
    ]
