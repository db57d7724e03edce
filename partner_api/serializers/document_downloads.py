"""Many documents in one ZIP (connect-api section 11)."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from core.document_kinds import BY_TYPE, TYPES, DocumentKind
from partner_api.serializers.fields import Body, Constant, Data, Member, Shape, Shaped, Text

MOST_DOCUMENTS = 500


class KindName(Member, Shaped):
    """The type of a document; read as its kind."""

    default_error_messages = {"invalid": "{name} must be one of {words}."}
    shape: Shape = {"type": "string", "enum": TYPES}

    def to_internal_value(self, data: Any) -> DocumentKind:
        if not isinstance(data, str) or data not in BY_TYPE:
            self.fail("invalid", words=", ".join(TYPES))
        return BY_TYPE[data]

    def to_representation(self, value: Any) -> Any:
        return value


class WantedDocumentSerializer(Body):
    """One document and the format that is wanted; without `accept` it is the structured file."""

    type = KindName()
    id = Text(limit=64)
    accept = Text(limit=200, required=False, allow_null=True)


class WantedDocuments(serializers.ListSerializer[Any]):
    """The documents, at least one and not too many; errors name the list."""

    default_error_messages = {
        "not_a_list": f"documents must be a list of 1 to {MOST_DOCUMENTS} documents.",
        "empty": f"documents must be a list of 1 to {MOST_DOCUMENTS} documents.",
        "max_length": f"documents must be a list of 1 to {MOST_DOCUMENTS} documents.",
        "required": "documents is required.",
        "null": "documents is required.",
    }


class DownloadAttributesSerializer(Body):
    """Which documents, each in which format."""

    documents: Any = WantedDocuments(
        child=WantedDocumentSerializer(), allow_empty=False, max_length=MOST_DOCUMENTS
    )


class DownloadDataSerializer(Data):
    """The download, as a resource without an identifier."""

    type = Constant("documentDownload", required=False)
    attributes = DownloadAttributesSerializer()


class DownloadRequestSerializer(Body):
    """Software asks for many documents in one ZIP."""

    data: Any = DownloadDataSerializer()
