"""May this software see this office's documents now? The one answer, asked afresh every time.

The API, the screens and running downloads all read a `Standing` from the database and ask it for
the first failing reason. Nothing of it is ever cached: the first request after a cancel is refused.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NamedTuple, Self

from accounts.queries import point_query


class Refusal(StrEnum):
    """Why access is refused, in the order in which the question is asked; codes of the API."""

    PARTNER_SUSPENDED = "partnerSuspended"
    OFFICE_SUSPENDED = "accountingOfficeSuspended"
    NOT_CONFIRMED = "consentNotConfirmed"
    PAUSED = "consentPaused"
    TERMS_OVERDUE = "termsToBeReaccepted"
    KIND_NOT_ALLOWED = "documentTypeNotAllowed"


# The columns of a standing, for a query that has a consent `c`, its partner `p` and office `o`.
# Only the clock of the database counts: a web server's clock may be wrong.
STANDING_COLUMNS = """
    c.id, o.id, c.status, p.status = 'active', o.is_active,
    c.paused_at is not null and coalesce(c.paused_until > statement_timestamp(), true),
    coalesce(c.reaccept_by <= statement_timestamp(), false),
    case when c.excluded_kinds = '{}' then p.document_kinds else array(
        select unnest(p.document_kinds) except select unnest(c.excluded_kinds)
    ) end,
    c.only_listed or exists (select 1 from consents_listedclient l where l.consent_id = c.id)
"""
# Whether the office keeps the books of the client `c` now: not archived, and no agreed transfer
# whose moment has passed, whether or not its row has moved already.
KEPT = """c.archived_at is null
      and (c.leaves_at is null or c.leaves_at > statement_timestamp())"""
# Whether a consent covers the client `c`; asked only where a standing is narrowed.
COVERED = """(
    select s.only_listed = exists (
        select 1 from consents_listedclient l where l.consent_id = s.id and l.client_id = c.id
    ) from consents_consent s where s.id = %(consent)s
)"""
OF_ONE_CONSENT = f"""
    select {STANDING_COLUMNS} from consents_consent c
    join partners_partner p on p.id = c.partner_id
    join accounts_office o on o.id = c.office_id
    where c.id = %(consent)s
"""  # noqa: S608  # constants only
OF_ONE_CLIENT = f"""
    select {{covered}} from clients_client c
    where c.id = %(client)s and c.office_id = %(office)s and {KEPT}
"""  # noqa: S608  # constants only


class Standing(NamedTuple):
    """What one consent is worth at this moment."""

    consent_id: int
    office_id: int
    status: str
    partner_active: bool
    office_active: bool
    paused: bool
    terms_overdue: bool
    kinds: list[str]
    narrowed: bool

    @classmethod
    def from_row(cls, row: tuple[Any, ...]) -> Self:
        return cls(*row)

    @classmethod
    def of(cls, consent_id: int) -> Self:
        """Read the standing of a consent: one statement, by primary key."""
        (row,) = point_query(OF_ONE_CONSENT, consent=consent_id)
        return cls.from_row(row)

    def covers(self, client_id: int) -> bool:
        """Whether the office keeps this company now, and shares it under this consent."""
        rows = point_query(
            OF_ONE_CLIENT.format(covered=COVERED if self.narrowed else "true"),
            consent=self.consent_id,
            client=client_id,
            office=self.office_id,
        )
        return rows == [(True,)]

    def refusal(self, kind: str | None = None) -> Refusal | None:
        """Return the first reason why documents (of this kind) may not be read; None when they may.

        Whether a company belongs to the office now is said by the document rows themselves.
        """
        if not self.partner_active:
            return Refusal.PARTNER_SUSPENDED
        if not self.office_active:
            return Refusal.OFFICE_SUSPENDED
        if self.status != "allowed":
            return Refusal.NOT_CONFIRMED
        if self.paused:
            return Refusal.PAUSED
        if self.terms_overdue:
            return Refusal.TERMS_OVERDUE
        if kind is not None and kind not in self.kinds:
            return Refusal.KIND_NOT_ALLOWED
        return None
