"""Triggers: rules that the database enforces, also against raw SQL.

The setting `pgtrigger.ignore` lets anybody switch the library's own triggers off for a session.
The classes here do not read that setting. All triggers of the portal are of these classes.
"""

from __future__ import annotations

import pgtrigger
from django.db import models
from pgtrigger import compiler


class TriggerSql(compiler.UpsertTriggerSql):
    """The SQL that installs a trigger. Migrations import this class, so its SQL must not change."""

    def get_template(self) -> str:
        return """
            CREATE OR REPLACE FUNCTION {pgid}()
            RETURNS TRIGGER AS $$
                {declare}
                BEGIN
                    {func}
                END;
            $$ LANGUAGE plpgsql;

            DROP TRIGGER IF EXISTS {pgid} ON {table};
            CREATE {constraint} TRIGGER {pgid}
                {when} {operation} ON {table}
                {timing}
                {referencing}
                FOR EACH {level} {condition}
                EXECUTE PROCEDURE {execute};

            COMMENT ON TRIGGER {pgid} ON {table} IS '{hash}';
        """


class Trigger(pgtrigger.Trigger):
    """A trigger that no session can switch off."""

    def compile(self, model: models.Model) -> compiler.Trigger:
        compiled = super().compile(model)
        words = {name: word for name, word in compiled.sql.kwargs.items() if word}
        del words["ignore_func_name"]
        return compiler.Trigger(name=compiled.name, sql=TriggerSql(**words))


class Protect(Trigger, pgtrigger.Protect):
    """Refuses an operation; if it has a condition, only where the condition is true."""

    @property
    def always_refused(self) -> list[str]:
        """The operations refused for every row; the portal's role gets no right to them."""
        return [] if self.condition else str(self.operation).split(" OR ")


class Erasable(Protect):
    """Refuses every update except the one that erases the data of a person in `columns`."""

    def __init__(self, name: str, condition: pgtrigger.Condition, columns: str) -> None:
        super().__init__(name=name, operation=pgtrigger.Update, condition=condition)
        self.columns = columns


class FSM(Trigger, pgtrigger.FSM):
    """Allows only the listed changes of a column from one value to another."""


def append_only(name: str) -> list[Trigger]:
    """Rows are written once: no update, no delete, no emptying of the table."""
    kept = Protect(name=f"keep_{name}", operation=pgtrigger.Update | pgtrigger.Delete)
    return [kept, *_never_emptied(name)]


def erasable(name: str, erased: str, personal: str) -> list[Trigger]:
    """As `append_only`, but the columns `personal` may change to what `erased` says.

    A condition that is null would allow every change, so `erased` must handle missing values.
    """
    rest = (
        f"(to_jsonb(NEW) - '{{{personal}}}'::text[]) = (to_jsonb(OLD) - '{{{personal}}}'::text[])"
    )
    return [
        Protect(name=f"keep_{name}", operation=pgtrigger.Delete),
        Erasable(f"only_erase_{name}", pgtrigger.Condition(f"NOT ({erased} AND {rest})"), personal),
        *_never_emptied(name),
    ]


def _never_emptied(name: str) -> list[Trigger]:
    return [
        Trigger(
            name=f"keep_all_{name}",
            operation=pgtrigger.Truncate,
            level=pgtrigger.Statement,
            when=pgtrigger.Before,
            func="RAISE EXCEPTION 'Cannot truncate %: its rows are proof', TG_TABLE_NAME;",
        ),
    ]
