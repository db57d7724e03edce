"""Every read is recorded: what, when, in which format, how much, under which consent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from core.prepared_sql import point_query
from documents.models import Outcome

# One statement for the audit row and the day's counters: 12 µs, against 470 µs as objects.
COUNTED = """
        insert into consents_consentactivity (consent_id, day, served, refused, refused_ended,
            first_served_at, last_served_at, last_refused_at)
        select c.id, (statement_timestamp() at time zone 'Europe/Brussels')::date,
            %(served)s, %(refused)s, case when c.cancelled_at is null then 0 else %(refused)s end,
            case when %(served)s > 0 then statement_timestamp() end,
            case when %(served)s > 0 then statement_timestamp() end,
            case when %(refused)s > 0 then statement_timestamp() end
        from consents_consent c where c.id = %(consent)s
        on conflict (consent_id, day) do update set
            served = consents_consentactivity.served + excluded.served,
            refused = consents_consentactivity.refused + excluded.refused,
            refused_ended = consents_consentactivity.refused_ended + excluded.refused_ended,
            first_served_at = coalesce(
                consents_consentactivity.first_served_at, excluded.first_served_at),
            last_served_at = coalesce(
                excluded.last_served_at, consents_consentactivity.last_served_at),
            last_refused_at = coalesce(
                excluded.last_refused_at, consents_consentactivity.last_refused_at)
"""
RECORD = f"""
    with day as ({COUNTED})
    insert into documents_documentread
        (office_id, consent_id, application_id, document_id, media_type, attachment, size, outcome,
         reason)
    values (%(office)s, %(consent)s, %(application)s, %(document)s, %(media_type)s,
        %(attachment)s, %(size)s, %(outcome)s, %(reason)s)
    returning true
"""  # noqa: S608  # constants only
# The same for many documents that one call serves.
RECORD_MANY = f"""
    with day as ({COUNTED})
    insert into documents_documentread
        (office_id, consent_id, application_id, document_id, media_type, attachment, size, outcome)
    select %(office)s, %(consent)s, %(application)s, read.document_id, read.media_type,
        read.attachment, read.size, %(outcome)s
    from unnest(%(documents)s::bigint[], %(media_types)s::text[], %(attachments)s::text[],
        %(sizes)s::bigint[]) read (document_id, media_type, attachment, size)
    returning true
"""  # noqa: S608  # constants only


class Reader(NamedTuple):
    """Under which consent, for which office, and with which credential a read is made."""

    office_id: int
    consent_id: int
    application_id: int


def record(
    reader: Reader,
    outcome: Outcome,
    *,
    document_id: int | None = None,
    media_type: str = "",
    attachment: str = "",
    size: int = 0,
    reason: str = "",
) -> None:
    """Write the read down before its first byte leaves, so that no answer goes unrecorded.

    A cut download is a second row (`cut`, with the bytes that did leave); it counts as refused.
    """
    point_query(
        RECORD,
        office=reader.office_id,
        consent=reader.consent_id,
        application=reader.application_id,
        document=document_id,
        media_type=media_type,
        attachment=attachment,
        size=size,
        outcome=outcome.value,
        reason=reason,
        served=int(outcome == Outcome.SERVED),
        refused=int(outcome != Outcome.SERVED),
    )


class ReadFile(NamedTuple):
    """One file of many that a call serves."""

    document_id: int
    media_type: str
    size: int
    attachment: str


def record_served(reader: Reader, files: Sequence[ReadFile]) -> None:
    """Write down all files of one answer before its first byte leaves."""
    point_query(
        RECORD_MANY,
        office=reader.office_id,
        consent=reader.consent_id,
        application=reader.application_id,
        documents=[file.document_id for file in files],
        media_types=[file.media_type for file in files],
        attachments=[file.attachment for file in files],
        sizes=[file.size for file in files],
        outcome=Outcome.SERVED.value,
        served=len(files),
        refused=0,
    )
