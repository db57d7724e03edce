"""Rules that the database keeps, also against raw SQL."""

import pgtrigger


def append_only(name: str) -> list[pgtrigger.Trigger]:
    """Rows are written once: no update, no delete, no emptying of the table."""
    return [
        pgtrigger.Protect(name=f"keep_{name}", operation=pgtrigger.Update | pgtrigger.Delete),
        pgtrigger.Trigger(
            name=f"keep_all_{name}",
            operation=pgtrigger.Truncate,
            level=pgtrigger.Statement,
            when=pgtrigger.Before,
            func="RAISE EXCEPTION 'Cannot truncate %: its rows are proof', TG_TABLE_NAME;",
        ),
    ]
