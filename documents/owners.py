"""Whose is it? The active companies behind the numbers and accounts of a batch, in few queries."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from django.db import connection

from documents.filing import Entry
from documents.formats import Reason, Refused

ACCOUNTS = "select iban, client_id from clients_account where iban = any(%s)"
COMPANIES = """
    select id, office_id, company_number, language from clients_client
    where archived_at is null and (company_number = any(%s) or id = any(%s)) order by id
"""
# An account of an archived company is learnt anew.
LEARN = """
    insert into clients_account (client_id, iban, learnt) values (%s, %s, true)
    on conflict (iban) do update set client_id = excluded.client_id, learnt = true
    where not exists (
        select 1 from clients_client c
        where c.id = clients_account.client_id and c.archived_at is null
    )
"""


class Owner(NamedTuple):
    """An active company; `language` is the one its papers are rendered in."""

    client_id: int
    office_id: int
    company_number: str
    language: str


@dataclass
class Owners:
    """Who is who for the entries of a batch."""

    by_number: dict[str, Owner] = field(default_factory=dict)
    by_account: dict[str, Owner] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: Iterable[Entry], *, lock: bool = False) -> Owners:
        """Look them up; with `lock` they neither change nor leave before this transaction ends.

        Companies are locked in the order of their numbers, accounts are learnt in the order of
        theirs, so two batches wait for each other and never both.
        """
        entries = list(entries)
        accounts = sorted({entry.account for entry in entries if entry.account})
        numbers = list({entry.company_number for entry in entries if entry.company_number})
        with connection.cursor() as cursor:
            cursor.execute(ACCOUNTS, [accounts])
            holders = dict(cursor.fetchall())
            sql = COMPANIES + ("for no key update" if lock else "")
            cursor.execute(sql, [numbers, list(set(holders.values()))])
            found = {row[0]: Owner(*row) for row in cursor.fetchall()}
        return cls(
            {owner.company_number: owner for owner in found.values()},
            {iban: found[client] for iban, client in holders.items() if client in found},
        )

    def owner(self, entry: Entry) -> Owner | None:
        """A registered account comes first, then the number that the paper names."""
        return self.by_account.get(entry.account) or self.by_number.get(entry.company_number)

    def placed(self, entries: Iterable[Entry]) -> list[tuple[Entry, Owner]]:
        """Each entry that has an owner; raises Refused when none has."""
        entries = list(entries)
        found = [(entry, owner) for entry in entries if (owner := self.owner(entry))]
        if found:
            return found
        named = sorted({entry.company_number for entry in entries if entry.company_number})
        if named:
            raise Refused(Reason.UNKNOWN_COMPANY, f"no active company has {' or '.join(named)}")
        account = next((entry.account for entry in entries if entry.account), "")
        if account:
            raise Refused(Reason.UNKNOWN_ACCOUNT, f"no active company has the account {account}")
        raise Refused(Reason.UNKNOWN_COMPANY, "the file names no company by its number")

    def learn(self, placed: Iterable[tuple[Entry, Owner]]) -> bool:
        """Register the accounts that were found by the number of their holder; tell whether any."""
        new = {
            entry.account: owner.client_id
            for entry, owner in placed
            if entry.account and entry.account not in self.by_account
        }
        with connection.cursor() as cursor:
            for account in sorted(new):
                cursor.execute(LEARN, [new[account], account])
        return bool(new)
