"""Find companies by enterprise number or bank account: few statements for a whole batch.

What an office says is a claim until it is confirmed; documents.ingest.owners says what that means.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from django.db import connection

from clients.models import Client, ClientEvent, ClientEventKind
from core.sandbox import NUMBERS_BEGIN_WITH

ACCOUNTS = """
    select iban, client_id, confirmed_at is not null, contested
    from clients_account where iban = any(%s) order by id
"""
COMPANIES = f"""
    select id, office_id, company_number, language, confirmed_at is not null, contested
    from clients_client
    where archived_at is null and (company_number = any(%s) or id = any(%s))
        and company_number not like '{NUMBERS_BEGIN_WITH}%%' order by id
"""  # noqa: S608  # constants only
COMPANIES_OF_SANDBOX = f"""
    select id, office_id, company_number, language, confirmed_at is not null, contested
    from clients_client
    where archived_at is null and company_number = any(%s)
        and office_id = %s and company_number like '{NUMBERS_BEGIN_WITH}%%' order by id
"""  # noqa: S608  # constants only
CONFIRM_COMPANY = """
    update clients_client set confirmed_at = statement_timestamp()
    where id = %(client)s and confirmed_at is null
"""
# Whoever else claims it waits for an operator from now on, also when this company lets go of it.
CONTEST_COMPANY = """
    update clients_client other set contested = true
    from clients_client confirmed
    where confirmed.id = %(client)s and other.company_number = confirmed.company_number
        and other.archived_at is null and other.confirmed_at is null and not other.contested
"""
CONFIRM_ACCOUNT = """
    insert into clients_account (client_id, iban, learnt, confirmed_at)
    values (%(client)s, %(iban)s, true, statement_timestamp())
    on conflict (client_id, iban) do update
        set confirmed_at = excluded.confirmed_at, contested = false
"""
CONTEST_ACCOUNT = """
    update clients_account set contested = true
    where iban = %(iban)s and client_id <> %(client)s and confirmed_at is null and not contested
"""


class ActiveCompany(NamedTuple):
    """An active company; `language` is the one in which its documents are rendered.

    It is `confirmed`, or else a claim of its office; only an operator settles a `contested` claim.
    """

    client_id: int
    office_id: int
    company_number: str
    language: str
    confirmed: bool
    contested: bool


class AccountHolder(NamedTuple):
    """A bank account and a company that has or claims it."""

    iban: str
    client_id: int
    confirmed: bool
    contested: bool


class Proof(NamedTuple):
    """A file named this company, and this account as its own where `iban` is not empty."""

    iban: str
    client_id: int


def account_holders(accounts: Collection[str]) -> list[AccountHolder]:
    """Whoever has or claims one of these bank accounts, the oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(ACCOUNTS, [list(accounts)])
        return list(map(AccountHolder._make, cursor.fetchall()))


def active_companies(
    numbers: Collection[str], client_ids: Collection[int], *, lock: bool
) -> list[ActiveCompany]:
    """The real active companies with one of these numbers or ids, locked in order of their ids."""
    sql = COMPANIES + ("for no key update" if lock else "")
    with connection.cursor() as cursor:
        cursor.execute(sql, [list(numbers), list(client_ids)])
        return list(map(ActiveCompany._make, cursor.fetchall()))


def companies_of_sandbox(
    office_id: int, numbers: Collection[str], *, lock: bool
) -> list[ActiveCompany]:
    """The active companies of a sandbox office with one of these numbers; no other office has."""
    sql = COMPANIES_OF_SANDBOX + ("for no key update" if lock else "")
    with connection.cursor() as cursor:
        cursor.execute(sql, [list(numbers), office_id])
        return list(map(ActiveCompany._make, cursor.fetchall()))


def confirm(proofs: Iterable[Proof]) -> None:
    """Confirm the companies, then the accounts, that delivered files name, in the order of both.

    Raises IntegrityError where somebody else was confirmed meanwhile.
    """
    proofs = sorted(set(proofs), key=lambda proof: (bool(proof.iban), proof))
    companies = [{"client": proof.client_id} for proof in proofs if not proof.iban]
    with connection.cursor() as cursor:
        for company in companies:
            cursor.execute(CONFIRM_COMPANY, company)
            cursor.execute(CONTEST_COMPANY, company)
        for iban, client_id in proofs:
            if iban:
                account: dict[str, str | int] = {"client": client_id, "iban": iban}
                cursor.execute(CONFIRM_ACCOUNT, account)
                cursor.execute(CONTEST_ACCOUNT, account)
    confirmed = [company["client"] for company in companies]
    for client in Client.objects.filter(pk__in=confirmed).select_related("office"):
        ClientEvent.objects.write(client, client.office, ClientEventKind.CONFIRMED, None)


def as_operators_read(client_ids: Collection[int]) -> dict[int, str]:
    """Each of these companies by its number and the name of its office."""
    clients = Client.objects.filter(pk__in=client_ids).select_related("office")
    return {client.pk: f"{client.company_number} ({client.office.name})" for client in clients}
