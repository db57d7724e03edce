"""A person who left is forgotten, and the proof of what she decided still holds."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from accounts.anonymisation import StillActive
from accounts.models import Invitation, Membership, User
from backoffice.models import SupportAccess
from backoffice.models.support_access import AccessedRecord
from clients.models.event import ClientEvent, ClientEventKind
from codabox_portal.addresses import checkpoints_storage
from consents.evidence.anonymisation import anonymise_old, anonymise_person
from consents.evidence.bundle import evidence_bundle
from consents.evidence.checkpoints import read_checkpoints
from consents.evidence.receipt import signed_receipt
from consents.evidence.verify import faults, log_faults
from consents.models import ConsentEvent, Evidence
from consents.tasks import write_checkpoints
from tests import factories
from tests.accounts.people import logged_in
from tests.conftest import Cast
from tests.factories import acting, allow
from tests.owner import as_owner, rules_off

pytestmark = pytest.mark.requirement(79)


@pytest.fixture
def gone(cast: Cast, settings: Any, tmp_path: Path) -> User:
    """Nora, who was invited, allowed, cancelled with a word, and left; Anna stays."""
    settings.STORAGES = settings.STORAGES | {
        "checkpoints": checkpoints_storage(str(tmp_path / "checkpoints"))
    }
    email = "nora.canary@office.example"
    Invitation.objects.invite(cast.janssens, cast.anna, email=email, role="admin", language="en")
    nora = factories.make_person("Nora Canary", email=email)
    Invitation.objects.open().get(email=email).accept(nora)
    logged_in(nora)
    allow(cast.consent, nora)
    cast.fresh().cancel(acting(nora), reason="Nora Canary changed the software")
    factories.make_request(cast.janssens, cast.tally).deny(acting(cast.anna))
    cast.bakery.register_account(nora, "BE68539007547034")
    SupportAccess.objects.write(cast.janssens, cast.dirk, AccessedRecord.PERSON, str(nora))
    write_checkpoints()
    Membership.objects.get(user=nora).remove(cast.anna)
    return nora


def wrong(cast: Cast) -> list[str]:
    assert list(read_checkpoints())
    return [fault.what for fault in chain(faults(cast.janssens.pk), log_faults())]


def rows_with(word: str) -> set[str]:
    """The tables in which some row tells the word."""
    found = set()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(
                f'select count(*) from "{table}" t where t::text ilike %s', [f"%{word}%"]
            )
            if cursor.fetchone()[0]:
                found.add(table)
    return found


def test_no_row_tells_the_name_and_every_hash_and_checkpoint_still_holds(
    cast: Cast, gone: User
) -> None:
    named = {"accounts_user", "consents_consentevent", "consents_evidence", "mailer_outgoingemail"}
    named |= {"clients_clientevent", "backoffice_supportaccess"}
    assert named <= rows_with("canary")
    assert wrong(cast) == []
    hashes = list(ConsentEvent.objects.order_by("pk").values_list("event_hash", flat=True))
    assert anonymise_person(gone) == 2
    assert rows_with("canary") == set()
    assert wrong(cast) == []
    assert list(ConsentEvent.objects.order_by("pk").values_list("event_hash", flat=True)) == hashes
    kinds = cast.consent.events.order_by("number").values_list("kind", "actor_name", "reason")
    name = f"Person {gone.pk}"
    assert list(kinds)[1:] == [("allowed", name, ""), ("cancelled", name, "")]


def test_what_others_did_keeps_their_names(cast: Cast, gone: User) -> None:
    anonymise_person(gone)
    denied = ConsentEvent.objects.get(kind="denied", consent__office=cast.janssens)
    assert (denied.actor_name, bool(denied.salt)) == ("Anna", True)
    assert cast.consent.events.get(kind="requested").actor_name == cast.ledgerly.name


def test_receipt_bundle_and_pages_work_without_the_name(cast: Cast, gone: User) -> None:
    anonymise_person(gone)
    event = cast.consent.events.get(kind="allowed")
    told = json.loads(json.loads(signed_receipt(event))["record"])
    assert told["given_by"]["name"] == f"Person {gone.pk}"
    assert told["given_by"]["email"] == told["given_by"]["address"] == ""
    assert told["given_by"]["authentication"] == ["password"]
    assert b"Canary" not in evidence_bundle(event)
    detail = f"/offices/{cast.janssens.slug}/consents/{cast.consent.uuid}"
    page = logged_in(cast.anna).get(detail).content.decode()
    assert f"Person {gone.pk}" in page
    assert "Canary" not in page


@pytest.mark.parametrize(
    "change",
    [
        "actor_name = 'Somebody'",
        "actor_name = 'Person 1', reason = '', salt = ''",
        "actor_name = 'Person ' || person_id, reason = 'x', salt = ''",
        "actor_name = 'Person ' || person_id, reason = '', salt = 'x'",
        "actor_name = 'Person ' || person_id, reason = '', salt = '', at = now()",
        "actor_name = 'Person ' || person_id, reason = '', salt = '', kind = 'paused'",
        "actor_name = 'Person ' || person_id, reason = '', salt = '', event_hash = 'x'",
    ],
)
def test_the_database_lets_nobody_change_more_than_a_name(
    cast: Cast, gone: User, change: str
) -> None:
    statement = f"update consents_consentevent set {change} where person_id is not null"
    with (
        pytest.raises(DatabaseError, match=r"Cannot update|permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    connection.check_constraints()
    with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
        as_owner(statement)
    assert wrong(cast) == []


def test_nobody_puts_a_name_where_the_clock_moved_a_company(cast: Cast) -> None:
    moved = ClientEvent.objects.write(cast.bakery, cast.janssens, ClientEventKind.MOVED, None)
    with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
        ClientEvent.objects.filter(pk=moved.pk).update(by_name="Anna")


def test_an_anonymised_row_stays_anonymised(cast: Cast, gone: User) -> None:
    anonymise_person(gone)
    with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
        cast.consent.events.filter(kind="allowed").update(actor_name="Anna")
    with rules_off("consents_consentevent", "consents_evidence"):
        as_owner("update consents_evidence set person_name = 'Anna'")
        as_owner("update consents_consentevent set actor_name = 'Anna' where kind = 'cancelled'")
    assert wrong(cast) == ["changed after it was written"] * 2


@pytest.mark.parametrize("column", ["person_name", "person_email", "address", "browser"])
def test_evidence_is_erased_as_a_whole_or_not_at_all(cast: Cast, gone: User, column: str) -> None:
    with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
        Evidence.objects.update(**{column: "" if column != "person_name" else "Person 1"})


def test_who_still_works_here_is_not_anonymised(cast: Cast, gone: User) -> None:
    for person in (cast.anna, cast.dirk):
        with pytest.raises(StillActive):
            anonymise_person(person)
    assert User.objects.get(pk=cast.anna.pk).name == "Anna"


def test_the_command_asks_twice_and_says_what_is_left(cast: Cast, gone: User) -> None:
    with pytest.raises(CommandError, match="for good"):
        call_command("anonymise_person", gone.email)
    with pytest.raises(CommandError, match="Nobody has"):
        call_command("anonymise_person", "x@office.example")
    with pytest.raises(CommandError, match="still has access"):
        call_command("anonymise_person", cast.anna.email, yes=True)
    out = StringIO()
    call_command("anonymise_person", gone.email, yes=True, stdout=out)
    assert out.getvalue() == f"Person {gone.pk} is what is left, in 2 events\n"


def test_names_stay_for_ten_years_after_the_end_and_go_then(
    cast: Cast, gone: User, settings: Any
) -> None:
    assert settings.PORTAL_EVIDENCE_YEARS >= 10
    assert anonymise_old() == 0
    tables = ("consents_consent", "consents_consentevent")
    past = timedelta(days=366 * settings.PORTAL_EVIDENCE_YEARS)
    for age, erased in ((past - timedelta(hours=1), 0), (timedelta(hours=2), 2)):
        with rules_off(*tables):
            as_owner("update consents_consent set cancelled_at = cancelled_at - %s", [age])
            as_owner("update consents_consentevent set at = at - %s", [age])
        assert anonymise_old() == erased
    # The consent that Anna denied has no such age, and hers are the only names left.
    names = ConsentEvent.objects.exclude(person=None).values_list("actor_name", flat=True)
    assert set(names) == {"Anna", f"Person {gone.pk}"}
    assert anonymise_old() == 0
