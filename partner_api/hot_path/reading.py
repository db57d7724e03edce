"""Each read of documents: may this software read now, and under whose name is it written down?"""

from __future__ import annotations

from consents.access import AccessContext, DenialReason
from core.document_kinds import DocumentKind
from documents.access_log import Reader, record
from documents.models import Outcome
from partner_api.errors import refused
from partner_api.hot_path.authentication import Caller

SENTENCES = {
    DenialReason.PARTNER_SUSPENDED: "Your software is suspended; ask the portal.",
    DenialReason.OFFICE_SUSPENDED: "The office is suspended; ask the portal.",
    DenialReason.NOT_CONFIRMED: "The office does not allow access (any more, or yet).",
    DenialReason.PAUSED: "The office paused access.",
    DenialReason.TERMS_OVERDUE: "The office must accept the new terms first.",
    DenialReason.KIND_NOT_ALLOWED: (
        "Your software is not registered for this kind of document; ask the portal."
    ),
    DenialReason.KIND_NOT_SHARED: (
        "The office does not share this kind of document with your software; ask the office."
    ),
}


def reader_of(caller: Caller, access: AccessContext) -> Reader:
    return Reader(access.office_id, access.consent_id, caller.application_id)


def require_access(caller: Caller, access: AccessContext, kind: DocumentKind | None = None) -> None:
    """Go on, or write the refused attempt down and answer with the first failing reason."""
    reason = access.denial_reason(kind.type if kind else None)
    if reason is None:
        return
    record(
        reader_of(caller, access),
        Outcome.REFUSED,
        media_type=kind.type if kind else "",
        reason=reason.value,
    )
    meta = {"portalStatus": access.status} if reason == DenialReason.NOT_CONFIRMED else {}
    raise refused(403, reason.value, SENTENCES[reason], **meta)
