"""The portal's database role must be bound by row security and must own nothing.

Superusers skip row security and every trigger. The owner of a table can switch its triggers off.
"""

from __future__ import annotations

import sys
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, DatabaseError, OperationalError, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

# The role that logged in: a role that SET ROLE took can be dropped again.
ASK = """
    with me as (select oid, rolname, rolsuper or rolbypassrls as bypasses
                from pg_roles where rolname = session_user),
         owners as (
            select datdba as owner from pg_database where datname = current_database()
            union select relowner from pg_class where relnamespace = 'public'::regnamespace
            union select proowner from pg_proc where pronamespace = 'public'::regnamespace)
    select rolname, bypasses, exists (select from owners where pg_has_role(me.oid, owner, 'member'))
    from me
"""


def wrong_role(database: BaseDatabaseWrapper, *, is_owner: bool = False) -> CheckMessage | None:
    """The fault of this connection's role; `is_owner` if the connection is for migrations."""
    with database.cursor() as cursor:
        cursor.execute(ASK)
        role, bypasses, owns = cursor.fetchone()
    setting = "DATABASE_OWNER_URL" if is_owner else "DATABASE_URL"
    if bypasses:
        return Error(
            f"The database role {role!r} is a superuser or bypasses row security.",
            hint=f"Name an ordinary role in {setting} (docs/operations/first-start.md).",
            id="portal.E001",
        )
    if owns and not is_owner:
        return Error(
            f"The database role {role!r} owns the tables, so it could change what is proof.",
            hint="Name a role that owns nothing in DATABASE_URL, and the owner in "
            "DATABASE_OWNER_URL (docs/operations/first-start.md).",
            id="portal.E002",
        )
    return None


@register(Tags.database)
def the_database_role_is_ordinary(**kwargs: Any) -> list[CheckMessage]:
    """The faults of the roles of these databases."""
    try:
        found = [
            wrong_role(connections[alias], is_owner=alias == "owner")
            for alias in kwargs.get("databases") or [DEFAULT_DB_ALIAS]
        ]
    except DatabaseError:
        return []  # the command itself will say that the database is away
    return [one for one in found if one]


def refuse_wrong_role() -> None:
    """End this web process or worker when its role is one that it must not have."""
    connection_created.connect(_look_at_the_role)
    connection.close()  # Django's own checks may have opened it already
    try:
        connection.ensure_connection()
    except OperationalError:
        return  # the database is away: the first connection will be checked
    except ImproperlyConfigured as wrong:
        sys.exit(str(wrong))
    connection.close()


def _look_at_the_role(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    wrong = wrong_role(connection)
    if wrong:
        connection.close()
        raise ImproperlyConfigured(f"The portal does not start. {wrong.msg} {wrong.hint}")
    connection_created.disconnect(_look_at_the_role)
