"""What a request wrote: rows that differ from before, and whose they are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection

from core.row_security import every_office
from tests.isolation.world import World

Row = dict[str, Any]
WRITES = """
    select coalesce(whole.relname, one.relname), sum(n_tup_ins + n_tup_upd + n_tup_del)
    from pg_stat_xact_user_tables one
    left join pg_inherits on inhrelid = one.relid
    left join pg_class whole on whole.oid = inhparent
    group by 1
"""


@dataclass
class Owners:
    """To which offices, partners and people a row belongs, by its references."""

    offices: set[int]
    partners: set[int]
    people: set[int]


class Tables:
    """The rows of all tables as the world was built; each request is compared with them."""

    def __init__(self, world: World) -> None:
        self.office_of_client: dict[int, int] = {}
        self.office_of_document: dict[int, int] = {}
        self.pair_of_consent: dict[int, tuple[int, int]] = {}
        for rows in world.offices:
            for client in rows.clients:
                self.office_of_client[client.pk] = client.office_id
            for details in rows.documents:
                self.office_of_document[details.pk] = details.office_id
            for consent in rows.consents:
                self.pair_of_consent[consent.pk] = (consent.office_id, consent.partner_id)
        self.partner_of_endpoint = {row.pk: pk for pk, row in world.endpoints.items()}
        self.partner_of_application = {
            row["id"]: row["partner_id"] for row in map(json.loads, read("partners_application"))
        }
        self.people = {actor.person.pk for actor in world.actors if actor.person is not None}
        self.before = {name: read(name) for name in _counts()}
        self.counts = _counts()

    def changed(self) -> Iterator[tuple[str, Row]]:
        """Each row that was inserted, changed or deleted since the world was built."""
        counts = _counts()
        for name, count in counts.items():
            if count != self.counts.get(name):
                for row in read(name) ^ self.before[name]:
                    yield name, json.loads(row)

    def forget(self) -> None:
        """Count from here: what was written was undone."""
        self.counts = _counts()

    def owners(self, table: str, row: Row) -> Owners:
        owners = Owners(set(), set(), set())
        for column, value in row.items():
            if not isinstance(value, int) or isinstance(value, bool):
                continue
            if column.endswith("office_id") or (table == "accounts_office" and column == "id"):
                owners.offices.add(value)
            elif column == "partner_id" or (table == "partners_partner" and column == "id"):
                owners.partners.add(value)
            elif column == "client_id" and value in self.office_of_client:
                owners.offices.add(self.office_of_client[value])
            elif column == "document_id" and value in self.office_of_document:
                owners.offices.add(self.office_of_document[value])
            elif column == "consent_id" and value in self.pair_of_consent:
                office, partner = self.pair_of_consent[value]
                owners.offices.add(office)
                owners.partners.add(partner)
            elif column == "endpoint_id" and value in self.partner_of_endpoint:
                owners.partners.add(self.partner_of_endpoint[value])
            elif column == "application_id" and value in self.partner_of_application:
                owners.partners.add(self.partner_of_application[value])
            elif column == "user_id" or (table == "accounts_user" and column == "id"):
                owners.people |= {value} & self.people
        return owners


def read(table: str) -> frozenset[str]:
    """Every row of a table as JSON."""
    with every_office(), connection.cursor() as cursor:
        cursor.execute(f'select to_jsonb(every)::text from "{table}" every')
        return frozenset(text for (text,) in cursor.fetchall())


def _counts() -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(WRITES)
        return dict(cursor.fetchall())
