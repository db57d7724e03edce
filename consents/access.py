"""May this software read this office's documents now? The one answer, read afresh every time.

The API, the screens, the metrics and running downloads all read an `AccessContext` from the
database and ask it for the first reason to refuse. It is never cached: the first request after a
cancel is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, NamedTuple, Self

from core.prepared_sql import point_query


class DenialReason(StrEnum):
    """Why access is refused, in the order in which the question is asked; codes of the API."""

    PARTNER_SUSPENDED = "partnerSuspended"
    OFFICE_SUSPENDED = "accountingOfficeSuspended"
    NOT_CONFIRMED = "consentNotConfirmed"
    PAUSED = "consentPaused"
    TERMS_OVERDUE = "termsToBeReaccepted"
    KIND_NOT_ALLOWED = "documentTypeNotAllowed"
    KIND_NOT_SHARED = "documentTypeNotShared"


# The gates of a consent: `status` to `terms_overdue` of an access context. Every query below names
# its tables `consent`, `partner`, `office` and `client`.
# Only the clock of the database counts: a web server's clock may be wrong.
GATES = """
    consent.status, partner.status = 'active', office.is_active,
    consent.paused_at is not null
        and coalesce(consent.paused_until > statement_timestamp(), true),
    coalesce(consent.accept_terms_by <= statement_timestamp(), false)
"""
# All columns of an access context.
ACCESS_COLUMNS = f"""
    consent.id, office.id, {GATES},
    partner.document_kinds, consent.excluded_kinds,
    consent.allowlist_mode or exists (
        select 1 from consents_listedclient listed where listed.consent_id = consent.id
    )
"""  # noqa: S608  # constants only
CONSENTS = """
    consents_consent consent
    join partners_partner partner on partner.id = consent.partner_id
    join accounts_office office on office.id = consent.office_id
"""
# Whether the office keeps the books of the client now: it is not archived, and it has not left for
# another office. An agreed transfer counts from its moment on, even before the row has moved.
CLIENT_IS_ACTIVE = """client.archived_at is null
      and (client.leaves_at is null or client.leaves_at > statement_timestamp())"""
# Whether the scope of the consent contains the client.
CLIENT_IS_IN_SCOPE = """consent.allowlist_mode = exists (
        select 1 from consents_listedclient listed
        where listed.consent_id = consent.id and listed.client_id = client.id
    )"""
# The same where the query has no consent; asked only where the scope is restricted. Neither part
# needs the other, so for many clients the database reads each of them once.
IN_SCOPE = """(select allowlist_mode from consents_consent where id = %(consent)s) = exists (
        select 1 from consents_listedclient listed
        where listed.consent_id = %(consent)s and listed.client_id = client.id
    )"""
OF_ONE_CONSENT = f"""
    select {ACCESS_COLUMNS} from {CONSENTS} where consent.id = %(consent)s
"""  # noqa: S608  # constants only
OF_CONSENTS = f"""
    select {ACCESS_COLUMNS} from {CONSENTS} where consent.id = any(%(consents)s)
"""  # noqa: S608  # constants only
OF_PAIR = f"""
    select {ACCESS_COLUMNS} from {CONSENTS}
    where consent.partner_id = %(partner)s and consent.office_id = %(office)s
      and consent.status = 'allowed'
"""  # noqa: S608  # constants only
OF_CLIENT = f"""
    select {ACCESS_COLUMNS} from {CONSENTS}
    join clients_client client on client.office_id = consent.office_id and {CLIENT_IS_ACTIVE}
    where client.id = %(client)s and consent.status = 'allowed' and {CLIENT_IS_IN_SCOPE}
"""  # noqa: S608  # constants only
COVERED = f"""
    select consent.id, client.id from consents_consent consent
    join clients_client client on client.office_id = consent.office_id and {CLIENT_IS_ACTIVE}
    where consent.id = any(%(consents)s) and client.id = any(%(clients)s)
      and {CLIENT_IS_IN_SCOPE}
"""  # noqa: S608  # constants only
OF_ONE_CLIENT = f"""
    select {{in_scope}} from clients_client client
    where client.id = %(client)s and client.office_id = %(office)s and {CLIENT_IS_ACTIVE}
"""  # noqa: S608  # constants only
COUNTED = f"""
    select {GATES}, count(*) from {CONSENTS}
    where office.kind = 'real' group by 1, 2, 3, 4, 5
"""  # noqa: S608  # constants only


class AccessContext(NamedTuple):
    """All that decides whether software may read under one consent at this moment."""

    consent_id: int
    office_id: int
    status: str
    partner_active: bool
    office_active: bool
    paused: bool
    terms_overdue: bool
    registered_kinds: list[str]
    excluded_kinds: list[str]
    scope_restricted: bool

    @classmethod
    def from_row(cls, row: tuple[Any, ...]) -> Self:
        """Take a row of ACCESS_COLUMNS."""
        return cls(*row)

    @classmethod
    def of(cls, consent_id: int) -> Self:
        """Read the access context of one consent, by primary key."""
        (row,) = point_query(OF_ONE_CONSENT, consent=consent_id)
        return cls.from_row(row)

    @classmethod
    def of_consents(cls, consent_ids: Iterable[int]) -> dict[int, Self]:
        """Read the access contexts of many consents in one statement, by the consent's key."""
        rows = point_query(OF_CONSENTS, consents=list(consent_ids))
        return {row[0]: cls.from_row(row) for row in rows}

    @classmethod
    def of_pair(cls, partner_id: int, office_id: int) -> Self | None:
        """Read the access context of the allowed consent of a partner and an office, if any."""
        rows = point_query(OF_PAIR, partner=partner_id, office=office_id)
        return cls.from_row(rows[0]) if rows else None

    @classmethod
    def of_client(cls, client_id: int) -> dict[int, Self]:
        """Read the access contexts of every allowed consent whose scope contains this client.

        By the consent's key. Empty for a client that is archived or has left its office.
        """
        rows = point_query(OF_CLIENT, client=client_id)
        return {row[0]: cls.from_row(row) for row in rows}

    def shares(self, kind: str) -> bool:
        """Whether the software is registered for this kind and the office shares it."""
        return kind in self.registered_kinds and kind not in self.excluded_kinds

    def covers(self, client_id: int) -> bool:
        """Whether the client is active in this office, and in the scope of this consent."""
        rows = point_query(
            OF_ONE_CLIENT.format(in_scope=IN_SCOPE if self.scope_restricted else "true"),
            consent=self.consent_id,
            client=client_id,
            office=self.office_id,
        )
        return rows == [(True,)]

    def denial_reason(self, kind: str | None = None) -> DenialReason | None:
        """Return the first reason why documents (of this kind) may not be read; None when they may.

        Whether the client is active and in scope is checked with the document rows themselves.
        """
        if not self.partner_active:
            return DenialReason.PARTNER_SUSPENDED
        if not self.office_active:
            return DenialReason.OFFICE_SUSPENDED
        if self.status != "allowed":
            return DenialReason.NOT_CONFIRMED
        if self.paused:
            return DenialReason.PAUSED
        if self.terms_overdue:
            return DenialReason.TERMS_OVERDUE
        if kind is not None and kind not in self.registered_kinds:
            return DenialReason.KIND_NOT_ALLOWED
        if kind is not None and kind in self.excluded_kinds:
            return DenialReason.KIND_NOT_SHARED
        return None


def covered_clients(consent_ids: Iterable[int], client_ids: Iterable[int]) -> set[tuple[int, int]]:
    """The pairs of consent and client of which the client is active and in scope now."""
    return set(point_query(COVERED, consents=list(consent_ids), clients=list(client_ids)))


def allowed_by_denial_reason() -> dict[DenialReason | None, int]:
    """Count the allowed consents by the first reason why nothing can be read; None: it can."""
    counted: Counter[DenialReason | None] = Counter()
    for status, partner_active, office_active, paused, terms_overdue, number in point_query(
        COUNTED
    ):
        gates = (status, partner_active, office_active, paused, terms_overdue)
        context = AccessContext(0, 0, *gates, [], [], False)
        if context.status == "allowed":
            counted[context.denial_reason()] += number
    return dict(counted)
