"""The tables of consents: the decision, its events and evidence, and its scope."""

from consents.models.activity import ConsentActivity
from consents.models.block import Block
from consents.models.chain_head import ChainHead
from consents.models.consent import (
    TRANSITIONS,
    ClosedReason,
    Consent,
    DecisionConflict,
    NotAnAdmin,
    Status,
)
from consents.models.event import ConsentEvent, EventKind
from consents.models.event_log import LogCheckpoint, LogEntry
from consents.models.evidence import Evidence, EvidenceSnapshot
from consents.models.listed_client import ListedClient
from consents.models.scope_draft import ScopeDraft
from consents.models.sharing_gap import SharingGap
from consents.models.terms import Terms
from consents.models.view_log import ViewLog

__all__ = [
    "TRANSITIONS",
    "Block",
    "ChainHead",
    "ClosedReason",
    "Consent",
    "ConsentActivity",
    "ConsentEvent",
    "DecisionConflict",
    "EventKind",
    "Evidence",
    "EvidenceSnapshot",
    "ListedClient",
    "LogCheckpoint",
    "LogEntry",
    "NotAnAdmin",
    "ScopeDraft",
    "SharingGap",
    "Status",
    "Terms",
    "ViewLog",
]
