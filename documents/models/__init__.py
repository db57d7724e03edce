"""Which files, and who fetched them?"""

from documents.models.access_log import DocumentRead, Outcome
from documents.models.acknowledgement import AcknowledgedAs, Acknowledgement
from documents.models.attachment import Attachment
from documents.models.deletion_record import DeletionRecord
from documents.models.document import Content, Document
from documents.models.document_details import DocumentDetails
from documents.models.document_view import DocumentView
from documents.models.ingest_batch import IngestBatch
from documents.models.missing_month import CompletenessCheck, MissingMonth, NotDownloaded
from documents.models.quarantined_file import (
    QuarantinedFile,
    QuarantinedName,
    QuarantineState,
)
from documents.models.search_entry import SearchEntry

__all__ = [
    "AcknowledgedAs",
    "Acknowledgement",
    "Attachment",
    "CompletenessCheck",
    "Content",
    "DeletionRecord",
    "Document",
    "DocumentDetails",
    "DocumentRead",
    "DocumentView",
    "IngestBatch",
    "MissingMonth",
    "NotDownloaded",
    "Outcome",
    "QuarantineState",
    "QuarantinedFile",
    "QuarantinedName",
    "SearchEntry",
]
