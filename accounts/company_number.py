"""Belgian enterprise numbers, as the portal stores them and the API speaks them."""

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from stdnum.be import vat

TEN_DIGITS = re.compile(r"[01][0-9]{9}")


def is_company_number(text: str) -> bool:
    """Tell whether `text` is ten digits whose last two are 97 − (first eight mod 97).

    No prefix, no dots: `stdnum` would normalise those away, and also accept nine digits.
    Source: Crossroads Bank for Enterprises.
    """
    return TEN_DIGITS.fullmatch(text) is not None and bool(vat.is_valid(text))


def validate_company_number(text: str) -> None:
    """Raise ValidationError unless `text` is an enterprise number."""
    if not is_company_number(text):
        raise ValidationError(
            _("An enterprise number has 10 digits, without BE or dots, and passes modulo 97."),
            code="company_number",
        )
