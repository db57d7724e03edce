"""If it must be true, the database says so, also to raw SQL."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from consents.actors import Actor
from monitoring.database_role import the_database_role_is_ordinary
from tests import factories
from tests.conftest import Cast
from tests.factories import acting, allow
from tests.owner import refused_to_owner

pytestmark = pytest.mark.requirement(84)


def refused(sql: str, parameters: Sequence[Any] = ()) -> str:
    """Run raw SQL that must fail; return what the database says."""
    with pytest.raises(DatabaseError) as error, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, list(parameters))
    return str(error.value)


STATUSES = ["to_be_determined", "allowed", "denied", "cancelled"]
LISTED = {
    ("to_be_determined", "allowed"),
    ("to_be_determined", "denied"),
    ("allowed", "cancelled"),
}


ILLEGAL = [(a, b) for a in STATUSES for b in STATUSES if a != b and (a, b) not in LISTED]


@pytest.mark.parametrize(("source", "target"), ILLEGAL)
def test_only_listed_moves_by_raw_sql(cast: Cast, source: str, target: str) -> None:
    if source in ("allowed", "cancelled"):
        allow(cast.consent, cast.anna)
    if source == "cancelled":
        cast.consent.cancel(acting(cast.anna))
    if source == "denied":
        cast.consent.deny(acting(cast.anna))
    # Everything else about the row is made to fit, so that only the move itself is wrong.
    said = refused(
        "update consents_consent set status = %s,"
        " decided_at = case when %s = 'to_be_determined' then null else now() end,"
        " decided_by_id = %s, terms_id = %s,"
        " cancelled_at = case when %s = 'cancelled' then now() end where id = %s",
        [target, target, cast.anna.pk, factories.terms_in_force().pk, target, cast.consent.pk],
    )
    assert "transition" in said


def test_an_unknown_status_is_refused(cast: Cast) -> None:
    assert refused(
        "update consents_consent set status = 'expired', decided_at = now() where id = %s",
        [cast.consent.pk],
    )


def test_allowed_needs_terms_and_a_person(cast: Cast) -> None:
    said = refused(
        "update consents_consent set status = 'allowed', decided_at = now() where id = %s",
        [cast.consent.pk],
    )
    assert "consents_consent_allowed_has_terms_and_person" in said


def test_decided_needs_a_date(cast: Cast) -> None:
    said = refused("update consents_consent set status = 'denied' where id = %s", [cast.consent.pk])
    assert "consents_consent_decided_has_a_date" in said


def test_a_consent_cannot_be_born_allowed(cast: Cast) -> None:
    said = refused(
        "insert into consents_consent (uuid, office_id, partner_id, status, lapses_at,"
        " redirect_uri, state, closed_reason, decided_at, decided_by_id, terms_id)"
        " values (gen_random_uuid(), %s, %s, 'allowed', now(), '', '', '', now(), %s, %s)",
        [cast.janssens.pk, cast.tally.pk, cast.anna.pk, factories.terms_in_force().pk],
    )
    assert "Cannot insert" in said


@pytest.mark.requirement(13)
def test_a_second_live_consent_is_refused(cast: Cast) -> None:
    said = refused(
        "insert into consents_consent (uuid, office_id, partner_id, status, lapses_at,"
        " redirect_uri, state, closed_reason)"
        " values (gen_random_uuid(), %s, %s, 'to_be_determined', now(), '', '', '')",
        [cast.janssens.pk, cast.ledgerly.pk],
    )
    assert "consents_consent_one_live" in said


def test_a_closed_request_stays_as_it_is(cast: Cast) -> None:
    cast.consent.lapse()
    assert "Cannot update" in refused(
        "update consents_consent set closed_at = null, closed_reason = '' where id = %s",
        [cast.consent.pk],
    )


@pytest.mark.requirement(73, 107)
@pytest.mark.parametrize(
    "table",
    [
        "consents_consentevent",
        "consents_evidence",
        "consents_terms",
    ],
)
def test_proof_cannot_be_changed_deleted_or_emptied(cast: Cast, table: str) -> None:
    allow(cast.consent, cast.anna)
    for statement, told in (
        (f"update {table} set id = id", "Cannot update"),
        (f"delete from {table}", "delete rows from"),
        (f"truncate {table} cascade", "Cannot truncate"),
    ):
        assert "permission denied" in refused(statement)
        assert told in refused_to_owner(statement)


@pytest.mark.requirement(107)
@pytest.mark.parametrize(
    "table", ["accounts_officeevent", "backoffice_supportaccess", "clients_clientevent"]
)
def test_a_history_cannot_be_emptied(cast: Cast, table: str) -> None:
    assert "permission denied" in refused(f"truncate {table} cascade")
    assert "Cannot truncate" in refused_to_owner(f"truncate {table} cascade")


@pytest.mark.requirement(107)
@pytest.mark.parametrize("switch", ["pgtrigger.ignore", "session_replication_role"])
def test_no_setting_switches_a_rule_off(cast: Cast, switch: str) -> None:
    allow(cast.consent, cast.anna)
    with connection.cursor() as cursor:
        cursor.execute("select tgname from pg_trigger where not tgisinternal")
        names = ",".join(name for (name,) in cursor.fetchall())
    value = "replica" if switch == "session_replication_role" else f"{{{names}}}"
    with suppress(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select set_config(%s, %s, true)", [switch, value])
    assert "Cannot update" in refused_to_owner("update consents_consentevent set reason = 'x'")
    assert "Cannot delete" in refused_to_owner("delete from consents_consent")


def test_consents_cannot_be_deleted(cast: Cast) -> None:
    assert "permission denied" in refused("delete from consents_consent")
    assert "Cannot delete" in refused_to_owner("delete from consents_consent")


NOW = "; set constraints all immediate"


def test_software_is_not_retired_while_an_office_allows_it(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    retire = f"update partners_partner set status = 'retired' where id = {cast.ledgerly.pk}{NOW}"
    assert "End the consents of partner" in refused(retire)
    cast.consent.cancel(acting(cast.anna))
    with connection.cursor() as cursor:
        cursor.execute(retire)


def test_an_office_is_not_closed_while_a_request_waits_there(cast: Cast) -> None:
    closed = "closed_at = now(), is_active = false"
    close = f"update accounts_office set {closed} where id = {cast.janssens.pk}{NOW}"
    assert "End the consents of office" in refused(close)
    cast.consent.withdraw(Actor.partner(cast.ledgerly))
    with connection.cursor() as cursor:
        cursor.execute(close)


def test_one_decision_has_one_event_whatever_the_code_does(cast: Cast) -> None:
    allow(cast.consent, cast.anna)
    with pytest.raises(IntegrityError), transaction.atomic():
        cast.consent.events.create(kind="allowed", actor_kind="person")


@pytest.mark.django_db
def test_the_portal_runs_as_an_ordinary_role() -> None:
    assert the_database_role_is_ordinary() == []
    with connection.cursor() as cursor:
        cursor.execute("select rolsuper or rolbypassrls from pg_roles where rolname = current_user")
        assert cursor.fetchone() == (False,)
