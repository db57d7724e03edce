"""A person who left is forgotten, and the proof of what she decided still holds."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from accounts.erasing import StillHere
from accounts.looks import Seen
from accounts.models import Invitation, Membership, OperatorLook, User
from clients.events import ClientEvent, ClientEventKind
from consents.erasing import erase_old, erase_person
from consents.ledger import faults, read_anchors, write_anchors
from consents.models import ConsentEvent, Evidence
from consents.pack import evidence_pack
from consents.receipt import signed_receipt
from tests import factories
from tests.accounts.people import logged_in
from tests.conftest import Cast
from tests.consents.test_ledger import as_the_owner_of_the_table
from tests.factories import acting, allow


@pytest.fixture
def gone(cast: Cast, settings: Any, tmp_path: Path) -> User:
    """Nora, who was invited, allowed, cancelled with a word, and left; An stays."""
    settings.PORTAL_ANCHOR_FILE = str(tmp_path / "anchors.txt")
    email = "nora.canary@office.example"
    Invitation.objects.invite(cast.janssens, cast.an, email=email, role="admin", language="en")
    nora = factories.make_person("Nora Canary", email=email)
    Invitation.objects.open().get(email=email).accept(nora)
    logged_in(nora)
    allow(cast.consent, nora)
    cast.fresh().cancel(acting(nora), reason="Nora Canary changed the software")
    factories.make_request(cast.janssens, cast.tally).deny(acting(cast.an))
    cast.bakery.register_account(nora, "BE68539007547034")
    OperatorLook.objects.write(cast.janssens, cast.dirk, Seen.PERSON, str(nora))
    write_anchors()
    Membership.objects.get(user=nora).remove(cast.an)
    return nora


def wrong(cast: Cast) -> list[str]:
    anchors = read_anchors().get(str(cast.janssens.uuid), [])
    assert anchors
    return [fault.what for fault in faults(cast.janssens.pk, anchors)]


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


def test_no_row_tells_the_name_and_every_seal_and_anchor_still_holds(
    cast: Cast, gone: User
) -> None:
    named = {"accounts_user", "consents_consentevent", "consents_evidence", "accounts_letter"}
    named |= {"clients_clientevent", "accounts_operatorlook"}
    assert named <= rows_with("canary")
    assert wrong(cast) == []
    seals = list(ConsentEvent.objects.order_by("pk").values_list("seal", flat=True))
    assert erase_person(gone) == 2
    assert rows_with("canary") == set()
    assert wrong(cast) == []
    assert list(ConsentEvent.objects.order_by("pk").values_list("seal", flat=True)) == seals
    kinds = cast.consent.events.order_by("number").values_list("kind", "actor_name", "reason")
    name = f"Person {gone.pk}"
    assert list(kinds)[1:] == [("allowed", name, ""), ("cancelled", name, "")]


def test_what_others_did_keeps_their_names(cast: Cast, gone: User) -> None:
    erase_person(gone)
    denied = ConsentEvent.objects.get(kind="denied", consent__office=cast.janssens)
    assert (denied.actor_name, bool(denied.salt)) == ("An", True)
    assert cast.consent.events.get(kind="requested").actor_name == cast.ledgerly.name


def test_receipt_pack_and_pages_work_without_the_name(cast: Cast, gone: User) -> None:
    erase_person(gone)
    event = cast.consent.events.get(kind="allowed")
    told = json.loads(json.loads(signed_receipt(event))["record"])
    assert told["given_by"]["name"] == f"Person {gone.pk}"
    assert told["given_by"]["email"] == told["given_by"]["address"] == ""
    assert told["given_by"]["authentication"] == ["password"]
    assert b"Canary" not in evidence_pack(event)
    detail = f"/offices/{cast.janssens.slug}/consents/{cast.consent.uuid}"
    page = logged_in(cast.an).get(detail).content.decode()
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
        "actor_name = 'Person ' || person_id, reason = '', salt = '', seal = 'x'",
    ],
)
def test_the_database_lets_nobody_change_more_than_a_name(
    cast: Cast, gone: User, change: str
) -> None:
    with (
        pytest.raises(DatabaseError, match="Cannot update"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"update consents_consentevent set {change} where person_id is not null")
    assert wrong(cast) == []


def test_nobody_puts_a_name_where_the_clock_moved_a_company(cast: Cast) -> None:
    moved = ClientEvent.objects.write(cast.bakery, cast.janssens, ClientEventKind.MOVED, None)
    with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
        ClientEvent.objects.filter(pk=moved.pk).update(by_name="An")


def test_an_erased_row_stays_erased(cast: Cast, gone: User) -> None:
    erase_person(gone)
    with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
        cast.consent.events.filter(kind="allowed").update(actor_name="An")
    with as_the_owner_of_the_table("consents_consentevent", "consents_evidence") as cursor:
        cursor.execute("update consents_evidence set person_name = 'An'")
        cursor.execute(
            "update consents_consentevent set actor_name = 'An' where kind = 'cancelled'"
        )
    assert wrong(cast) == ["changed after it was written"] * 2


@pytest.mark.parametrize("column", ["person_name", "person_email", "address", "browser"])
def test_evidence_is_erased_as_a_whole_or_not_at_all(cast: Cast, gone: User, column: str) -> None:
    with pytest.raises(DatabaseError, match="Cannot update"), transaction.atomic():
        Evidence.objects.update(**{column: "" if column != "person_name" else "Person 1"})


def test_who_still_works_here_is_not_erased(cast: Cast, gone: User) -> None:
    for person in (cast.an, cast.dirk):
        with pytest.raises(StillHere):
            erase_person(person)
    assert User.objects.get(pk=cast.an.pk).name == "An"


def test_the_command_asks_twice_and_says_what_is_left(cast: Cast, gone: User) -> None:
    with pytest.raises(CommandError, match="for good"):
        call_command("erase_person", gone.email)
    with pytest.raises(CommandError, match="Nobody has"):
        call_command("erase_person", "x@office.example")
    with pytest.raises(CommandError, match="still has access"):
        call_command("erase_person", cast.an.email, yes=True)
    out = StringIO()
    call_command("erase_person", gone.email, yes=True, stdout=out)
    assert out.getvalue() == f"Person {gone.pk} is what is left, in 2 events\n"


def test_names_stay_for_ten_years_after_the_end_and_go_then(
    cast: Cast, gone: User, settings: Any
) -> None:
    assert settings.PORTAL_PROOF_YEARS >= 10
    assert erase_old() == 0
    tables = ("consents_consent", "consents_consentevent")
    past = timedelta(days=366 * settings.PORTAL_PROOF_YEARS)
    for age, erased in ((past - timedelta(hours=1), 0), (timedelta(hours=2), 2)):
        with as_the_owner_of_the_table(*tables) as cursor:
            cursor.execute("update consents_consent set cancelled_at = cancelled_at - %s", [age])
            cursor.execute("update consents_consentevent set at = at - %s", [age])
        assert erase_old() == erased
    # The consent that An denied has no such age, and hers are the only names left.
    names = ConsentEvent.objects.exclude(person=None).values_list("actor_name", flat=True)
    assert set(names) == {"An", f"Person {gone.pk}"}
    assert erase_old() == 0
