"""The query of a list, and what every page of one says about the next."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.serializers import Serializer

from partner_api.errors import Fault, faults_of, invalid
from partner_api.serializers.fields import Member, Shape, Shaped

LONGEST_PAGE = 1000


class WholeNumber(Member, Shaped):
    """A number of a query string, which is text."""

    default_error_messages = {"invalid": "{name} must be a number from {least} to {most}."}

    def __init__(self, least: int, most: int, **options: Any) -> None:
        super().__init__(**options)
        self.least, self.most = least, most
        self.shape: Shape = {"type": "integer", "minimum": least, "maximum": most}
        if isinstance(self.default, int):
            self.shape["default"] = self.default

    def to_internal_value(self, data: Any) -> int:
        # Python would read other digits too, and a number of any length.
        if not (data.isascii() and data.isdecimal() and self.least <= int(data[:6]) <= self.most):
            self.fail("invalid", least=self.least, most=self.most)
        return int(data)

    def to_representation(self, value: Any) -> Any:
        return value


class Cursor(Member, Shaped):
    """The cursor of an earlier page."""

    default_error_messages = {"invalid": "{name} must be {cursor}."}
    shape: Shape = {"type": "string", "format": "uuid"}

    def __init__(self, cursor: str = "the cursor of an earlier page", **options: Any) -> None:
        super().__init__(**options)
        self.cursor = cursor

    def to_internal_value(self, data: Any) -> UUID:
        try:
            return UUID(data)
        except ValueError:
            self.fail("invalid", cursor=self.cursor)

    def to_representation(self, value: Any) -> Any:
        return value


class LimitSerializer(serializers.Serializer[Any]):
    """The query of a list."""

    limit = WholeNumber(1, LONGEST_PAGE, required=False, default=100)


class PageSerializer(serializers.Serializer[Any]):
    """The query of a list that has pages."""

    after = Cursor(required=False, default=None)
    limit = WholeNumber(1, LONGEST_PAGE, required=False, default=100)


class EventPageSerializer(PageSerializer):
    """The query of a list that starts after an event."""

    after = Cursor("the identifier of an event", required=False, default=None)


class PagingSerializer(serializers.Serializer[Any]):
    """`after` is the cursor of the next page."""

    limit = serializers.IntegerField()
    after = serializers.UUIDField(required=False)


class PagingMetaSerializer(serializers.Serializer[Any]):
    paging = PagingSerializer()


def checked_query(serializer: type[Serializer[Any]], request: Request) -> dict[str, Any]:
    """The parameters of the query; raise 400 `invalidParameter` with all faults at once."""
    query = serializer(data=request.query_params.dict())
    if not query.is_valid():
        faults = faults_of(query.errors)
        raise invalid(*(Fault("invalidParameter", fault.detail) for fault in faults))
    return dict(query.validated_data)


def paging(limit: int, after: UUID | None) -> dict[str, Any]:
    """The member `meta` of a page; without `after` it was the last one."""
    return {"paging": {"limit": limit} | ({"after": str(after)} if after else {})}
