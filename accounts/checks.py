"""Start-up checks: a wrong deployment is told in a sentence instead of found out later."""

from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DatabaseError, connection


@register(Tags.database)
def the_database_role_is_ordinary(**kwargs: Any) -> list[CheckMessage]:
    """Row security is skipped for superusers and BYPASSRLS roles, even when it is forced."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "select rolname, rolsuper or rolbypassrls from pg_roles"
                " where rolname = current_user"
            )
            role, above_the_law = cursor.fetchone()
    except DatabaseError:
        return []  # the command itself will say that the database is away
    if not above_the_law:
        return []
    return [
        Error(
            f"The database role {role!r} is a superuser or bypasses row security.",
            hint="Create an ordinary role (docs/operations.md) and name it in DATABASE_URL.",
            id="portal.E001",
        )
    ]
