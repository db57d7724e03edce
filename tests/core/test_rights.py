"""Append-only also against the portal itself: its role owns nothing and has no right to change."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, models, transaction

from core.rights import ALL, rights_of
from core.triggers import Trigger
from tests.conftest import Cast
from tests.factories import acting, allow

pytestmark = pytest.mark.requirement(107)

APPEND_ONLY = [
    "accounts_officeevent",
    "backoffice_operatorlogin",
    "backoffice_supportaccess",
    "backoffice_termsproposal",
    "clients_clientevent",
    "consents_consentevent",
    "consents_evidence",
    "consents_logcheckpoint",
    "consents_logentry",
    "consents_terms",
    "consents_viewlog",
    "django_admin_log",
    "documents_deletionrecord",
    "documents_documentread",
    "documents_documentview",
    "partners_logo",
]
# What a process of the portal could try, whoever made it try.
TRIES = [
    "update {table} set {column} = {column}",
    "delete from {table}",
    "truncate {table}",
    "truncate {table} cascade",
    "alter table {table} disable trigger all",
    "alter table {table} add column x int",
    "drop table {table} cascade",
    "drop trigger {trigger} on {table}",
    "create or replace function {function}() returns trigger language plpgsql"
    " as 'begin return null; end'",
    "create rule nothing as on insert to {table} do instead nothing",
]


def refused(statement: str) -> str:
    with pytest.raises(DatabaseError) as error, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    return str(error.value)


def trigger_of(table: str) -> tuple[str, str]:
    """The name of a trigger of this table, and of its function."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select tgname, proname from pg_trigger join pg_proc on pg_proc.oid = tgfoid"
            " where tgrelid = %s::regclass and not tgisinternal",
            [table],
        )
        name, function = cursor.fetchall()[0]
    return str(name), str(function)


@pytest.mark.django_db
@pytest.mark.parametrize("table", APPEND_ONLY)
def test_the_portal_cannot_change_what_is_proof(table: str) -> None:
    trigger, function = trigger_of(table)
    names: dict[str, object] = {"table": table, "trigger": trigger, "function": function}
    with connection.cursor() as cursor:
        names["column"] = connection.introspection.get_primary_key_column(cursor, table)
    for words in TRIES:
        said = refused(words.format(**names))
        assert "permission denied" in said or "must be owner" in said, (words, said)


@pytest.mark.django_db
def test_the_portal_cannot_switch_anything_off_or_become_somebody_else() -> None:
    for statement in (
        "set session_replication_role = replica",
        "select set_config('session_replication_role', 'replica', false)",
        "set role portal_owner",
        "set session authorization portal_owner",
        "create table mine (id int)",
        "create role another superuser",
        "alter role current_user superuser",
    ):
        assert "permission denied" in refused(statement) or "must be" in refused(statement)


def test_a_table_that_is_not_listed_above_is_no_proof() -> None:
    """Whatever has the triggers of `append_only` or `erasable` is in it."""
    kept = [model._meta.db_table for model in apps.get_models() if _is_append_only(model)]
    assert sorted(kept) == APPEND_ONLY


def test_no_trigger_has_the_ignore_setting_of_the_library() -> None:
    triggers = [one for model in apps.get_models() for one in getattr(model._meta, "triggers", [])]
    assert len(triggers) > 30
    assert [one.name for one in triggers if not isinstance(one, Trigger)] == []


def _is_append_only(model: type[models.Model]) -> bool:
    names = [trigger.name for trigger in getattr(model._meta, "triggers", [])]
    return any(name.startswith("keep_all_") for name in names)


@pytest.mark.django_db
def test_the_database_gives_each_table_the_rights_that_the_code_says() -> None:
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            said = {right.split(" ")[0] for right in rights_of(model) if "(" not in right}
            for right in (*ALL, "TRUNCATE", "TRIGGER", "REFERENCES"):
                cursor.execute("select has_table_privilege(%s, %s)", [model._meta.db_table, right])
                assert cursor.fetchone() == (right in said,), (model, right)
        cursor.execute("select has_table_privilege('django_migrations', 'insert, update, delete')")
        assert cursor.fetchone() == (False,)


def test_only_the_columns_that_name_people_can_be_erased(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    cast.fresh().cancel(acting(cast.anna))
    for column in ("kind", "at", "event_hash", "number", "personal_hash"):
        said = refused(f"update consents_consentevent set {column} = {column}")
        assert "permission denied" in said
    assert "Cannot update" in refused("update consents_consentevent set reason = 'x'")
