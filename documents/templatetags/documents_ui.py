"""How money, accounts, days and kinds look on every page."""

from datetime import date
from decimal import Decimal

from django import template
from django.utils.formats import date_format

from documents import writing
from documents.kinds import BY_KIND, EXTENSIONS

register = template.Library()
register.filter("in_fours", writing.in_fours)
register.filter("plain", writing.plain)
register.filter("change", writing.change)


@register.filter
def money(amount: Decimal | None, currency: str = "") -> str:
    """An amount in the reader's language; empty where there is none."""
    return "" if amount is None else writing.money(amount, currency)


@register.filter
def day(value: date | None) -> str:
    return "" if value is None else date_format(value, "DATE_FORMAT")


@register.filter
def kind_name(kind: int) -> str:
    return BY_KIND[kind].label


@register.filter
def kind_path(kind: int) -> str:
    return BY_KIND[kind].path


@register.filter
def format_name(media_type: str) -> str:
    """PDF, XML, COD: what the file is called after the dot."""
    return EXTENSIONS.get(media_type, "bin").upper()
