"""The rights of the portal's role on each table. It gets no right to change rows that are proof.

Another role owns the tables, and migrations run as that owner. The portal's role owns nothing, so
it cannot switch a trigger off or empty a table. The triggers of a model (core.triggers) also say
which rights the portal's role does not get.

It reaches the parts of a table in partitions through that table alone. It may call the functions
that act with the owner's rights: each does one thing, and its limits stand in the function itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.apps import apps
from django.db import connections, models, transaction
from psycopg import sql

from core.triggers import Erasable, Protect

ALL = ("SELECT", "INSERT", "UPDATE", "DELETE")
# From PostgreSQL 17 on: VACUUM and ANALYZE, which `ingest` asks for after many new documents.
MAINTAIN_SINCE = 170_000
# An identity needs no right of its own; a sequence that numbers the rows of all partitions does.
OF_PARTS = """
    do $$
    declare
        item regclass;
        verb regprocedure;
    begin
        for item in select c.oid from pg_class c
            where c.relispartition and c.relnamespace = 'public'::regnamespace and c.relkind = 'r'
        loop
            execute format('revoke all on %s from %I', item, {role});
        end loop;
        for item in select d.objid from pg_depend d join pg_class c on c.oid = d.objid
            join pg_class t on t.oid = d.refobjid
            where c.relkind = 'S' and d.deptype = 'a' and t.relkind = 'p'
              and t.relnamespace = 'public'::regnamespace
        loop
            execute format('grant usage on sequence %s to %I', item, {role});
        end loop;
        for verb in select oid from pg_proc
            where prosecdef and pronamespace = 'public'::regnamespace
              and proowner = current_user::regrole
        loop
            execute format('grant execute on function %s to %I', verb, {role});
        end loop;
    end $$
"""


def grant_rights(database: str, role: str) -> None:
    """Give the role its rights on every table, and take away all others; `database` is an alias."""
    connection = connections[database]
    with transaction.atomic(using=database), connection.cursor() as cursor:
        # After `migrate APP zero` the tables of this app are gone.
        tables = set(connection.introspection.table_names(cursor))
        for statement in statements(role, cursor.connection.info.server_version, tables):
            cursor.execute(statement)


def statements(role: str, server_version: int, tables: set[str]) -> Iterator[sql.Composed]:
    """The SQL statements that the owner runs in one transaction, for those tables that exist."""
    to = sql.Identifier(role)
    yield sql.SQL("revoke all on all tables in schema public from {}").format(to)
    # Tables without a model, such as django_migrations, are read only.
    yield sql.SQL("grant select on all tables in schema public to {}").format(to)
    for model in apps.get_models(include_auto_created=True):
        there = model._meta.db_table in tables
        if there and model._meta.managed and not model._meta.proxy:
            rights = rights_of(model)
            if server_version >= MAINTAIN_SINCE and rights == list(ALL):
                rights.append("MAINTAIN")
            yield sql.SQL("grant {} on {} to {}").format(
                sql.SQL(", ".join(rights)), sql.Identifier(model._meta.db_table), to
            )
    yield sql.SQL(OF_PARTS).format(role=sql.Literal(role))


def rights_of(model: type[models.Model]) -> list[str]:
    """The rights on the table of a model, as GRANT writes them."""
    table = model._meta.db_table
    # Also those of a proxy, which is how a table of a library gets triggers.
    those = [one for one in apps.get_models() if one._meta.db_table == table]
    triggers = [trigger for one in those for trigger in getattr(one._meta, "triggers", [])]
    refused = {word for one in triggers if isinstance(one, Protect) for word in one.always_refused}
    columns = [one.columns for one in triggers if isinstance(one, Erasable)]
    rights = [right for right in ALL if right not in refused]
    return [f"UPDATE ({columns[0]})" if columns and r == "UPDATE" else r for r in rights]
