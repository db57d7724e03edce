"""Members of a body: how each is read, written and described in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NoReturn, cast

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.fields import empty
from rest_framework.settings import api_settings

from partner_api.times import in_milliseconds

Shape = dict[str, Any]
COMPANY_NUMBER: Shape = {"type": "string", "pattern": "^[01][0-9]{9}$", "examples": ["0100509123"]}


def constant(value: str) -> Shape:
    """Text that is always the same; generators that know no `const` read the `enum`."""
    return {"type": "string", "const": value, "enum": [value]}


class Member(serializers.Field[Any, Any, Any, Any]):
    """A member that software sends: null means the same as absent, and its errors name it."""

    default_error_messages = {"required": "{name} is required."}

    def fail(self, key: str, **values: Any) -> NoReturn:
        super().fail(key, name=self.field_name, **values)
        raise AssertionError  # not reached: `fail` raises

    def run_validation(self, data: Any = empty) -> Any:
        return super().run_validation(empty if data is None else data)


class Shaped(serializers.Field[Any, Any, Any, Any]):
    """A member with a description of its own."""

    shape: Shape


class DescribesItself(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Tells drf-spectacular to take the description of such a field from its `shape`."""

    target_class = Shaped
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Shape:
        return dict(self.target.shape)


class Text(Member, Shaped):
    """Text of at most so many characters; a number is not text."""

    default_error_messages = {"invalid": "{name} must be text of at most {limit} characters."}

    def __init__(self, *, limit: int, **options: Any) -> None:
        super().__init__(**options)
        self.limit = limit
        self.shape = {"type": "string", "maxLength": limit}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or len(data) > self.limit:
            self.fail("invalid", limit=self.limit)
        return data

    def to_representation(self, value: Any) -> str:
        return str(value)


class Constant(Member, Shaped):
    """A member that always has the same value, such as the type of a resource."""

    default_error_messages = {"invalid": "{name} must be {constant}."}

    def __init__(self, value: str, **options: Any) -> None:
        super().__init__(**options)
        self.constant = value
        self.shape = constant(value)

    def to_internal_value(self, data: Any) -> str:
        if data != self.constant:
            self.fail("invalid", constant=self.constant)
        return self.constant

    def get_attribute(self, instance: Any) -> str:
        return self.constant

    def to_representation(self, value: Any) -> str:
        return self.constant


class Described(Shaped):
    """A member of an answer: the value is written as it is."""

    def __init__(self, shape: Shape, **options: Any) -> None:
        super().__init__(**options)
        self.shape = shape

    def to_representation(self, value: Any) -> Any:
        return value


class Moment(serializers.DateTimeField):
    """The moment of an event: UTC, cut to milliseconds."""

    def to_representation(self, value: datetime | None) -> str | None:  # type: ignore[override]
        return in_milliseconds(value)


class Body(Member, serializers.Serializer[Any]):
    """An object inside a body; absent, null or another type counts as an empty one."""

    def run_validation(self, data: Any = empty) -> Any:
        return super().run_validation(data if isinstance(data, Mapping) else {})


class Data(Body):
    """The member `data` of a body, which must be an object."""

    def run_validation(self, data: Any = empty) -> Any:
        if isinstance(data, Mapping):
            return super().run_validation(data)
        errors: dict[str, Any] = {api_settings.NON_FIELD_ERRORS_KEY: ["data must be an object."]}
        try:
            super().run_validation({})
        except ValidationError as error:
            errors |= cast(dict[str, Any], error.detail)
        raise ValidationError(errors)
