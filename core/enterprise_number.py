"""Belgian enterprise numbers, as the portal stores them and the API speaks them."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from stdnum.be import vat

from core.sandbox import is_sandbox_number

TEN_DIGITS = re.compile(r"[01][0-9]{9}")


def is_company_number(text: str) -> bool:
    """Tell whether `text` is ten digits whose last two are 97 − (first eight mod 97).

    No prefix, no dots: `stdnum` would normalise those away, and also accept nine digits.
    Source: Crossroads Bank for Enterprises.
    """
    return TEN_DIGITS.fullmatch(text) is not None and bool(vat.is_valid(text))


def validate_company_number(text: str) -> None:
    """Raise ValidationError unless `text` is an enterprise number, of no sandbox."""
    if not is_company_number(text) or is_sandbox_number(text):
        raise ValidationError(
            _(
                "Enter the 10 digits of the enterprise number, without BE or dots, and "
                "check them for typing errors."
            ),
            code="company_number",
        )


def plain_number(text: str) -> str:
    """An enterprise number as people write it, without BE, dots and spaces.

    Old letterheads omit the first zero of the ten digits.
    """
    number = re.sub(r"[\s.\-/]", "", text).upper().removeprefix("BE")
    return f"0{number}" if re.fullmatch("[0-9]{9}", number) else number


class CompanyNumberField(forms.CharField):
    """An enterprise number as people write it; its value has ten digits."""

    default_validators = [validate_company_number]

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": 20, **options})

    def to_python(self, value: Any) -> str:
        return plain_number(super().to_python(value) or "")
