"""What software did with documents (connect-api section 12)."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from documents.models.acknowledgement import LONGEST_REASON, LONGEST_REFERENCE, AcknowledgedAs
from partner_api.serializers.document_downloads import KindName
from partner_api.serializers.fields import Body, Constant, Member, Shape, Shaped, Text

MOST_AT_ONCE = 500
TOO_MANY = f"data must be a list of 1 to {MOST_AT_ONCE} acknowledgements."


class AcknowledgedStatus(Member, Shaped):
    """What the software did."""

    default_error_messages = {"invalid": "{name} must be received, booked or rejected."}
    shape: Shape = {"type": "string", "enum": AcknowledgedAs.values}

    def to_internal_value(self, data: Any) -> str:
        if data not in AcknowledgedAs.values:
            self.fail("invalid")
        return str(data)

    def to_representation(self, value: Any) -> Any:
        return value


class AcknowledgementAttributesSerializer(Body):
    """`reference` is what the software calls the document; a rejection needs a `reason`."""

    status = AcknowledgedStatus()
    reference = Text(limit=LONGEST_REFERENCE, required=False, allow_null=True)
    reason = Text(limit=LONGEST_REASON, required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        is_rejected = attrs["status"] == AcknowledgedAs.REJECTED
        if is_rejected and not (attrs.get("reason") or "").strip():
            raise serializers.ValidationError({"reason": ["reason is required for rejected."]})
        if not is_rejected and attrs.get("reason"):
            raise serializers.ValidationError({"reason": ["reason is for rejected only."]})
        return attrs


class DocumentIdentifierSerializer(Body):
    """The document as the wire names it."""

    type = KindName()
    id = Text(limit=64)


class DocumentLinkageSerializer(Body):
    data: Any = DocumentIdentifierSerializer()


class AcknowledgementRelationshipsSerializer(Body):
    document = DocumentLinkageSerializer()


class OneAcknowledgementSerializer(Body):
    """What software did with one document."""

    type = Constant("acknowledgement", required=False)
    attributes = AcknowledgementAttributesSerializer()
    relationships = AcknowledgementRelationshipsSerializer()


class AcknowledgementList(serializers.ListSerializer[Any]):
    """At least one and not too many; errors name the list."""

    default_error_messages = dict.fromkeys(
        ("not_a_list", "empty", "max_length", "required", "null"), TOO_MANY
    )


class AcknowledgementsSerializer(Body):
    """What software did with many documents."""

    data: Any = AcknowledgementList(
        child=OneAcknowledgementSerializer(), allow_empty=False, max_length=MOST_AT_ONCE
    )
