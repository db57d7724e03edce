"""The query of the list of changes (connect-api section 11)."""

from __future__ import annotations

from typing import Any

from core.document_kinds import BY_TYPE, TYPES, DocumentKind
from partner_api.serializers.fields import Member, Shape, Shaped
from partner_api.serializers.paging import PageSerializer, WholeNumber

LONGEST_WAIT = 25


class KindList(Member, Shaped):
    """Kinds of documents, with commas between them."""

    default_error_messages = {"invalid": "{name} must be one or more of {words}, with commas."}
    shape: Shape = {
        "type": "string",
        "description": f"One or more of {', '.join(TYPES)}, with commas between them; none: all.",
    }

    def to_internal_value(self, data: Any) -> list[DocumentKind]:
        words = dict.fromkeys(word.strip() for word in data.split(","))
        if not all(word in BY_TYPE for word in words):
            self.fail("invalid", words=", ".join(TYPES))
        return [BY_TYPE[word] for word in words]

    def to_representation(self, value: Any) -> Any:
        return value


class ChangePageSerializer(PageSerializer):
    """The query of the list of changes; `wait` is in seconds."""

    kinds = KindList(required=False, default=None)
    wait = WholeNumber(0, LONGEST_WAIT, required=False, default=0)
