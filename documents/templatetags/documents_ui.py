"""How money, accounts, days and kinds look on every page."""

from decimal import Decimal

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from core.document_kinds import BY_KIND, CODA, EXTENSIONS
from core.plain_text import marked as pieces_of
from documents.rendering import formatting

register = template.Library()
register.filter("in_fours", formatting.in_fours)
register.filter("plain", formatting.plain)
register.filter("change", formatting.change)


@register.filter
def money(amount: Decimal | None, currency: str = "") -> str:
    """An amount in the reader's language; empty where there is none."""
    return "" if amount is None else formatting.money(amount, currency)


@register.filter
def kind_name(kind: int) -> str:
    return BY_KIND[kind].label


@register.filter
def kind_of_one(kind: int) -> str:
    """What a single document of the kind is called."""
    return BY_KIND[kind].singular


@register.filter
def kind_path(kind: int) -> str:
    return BY_KIND[kind].path


@register.filter
def format_name(media_type: str) -> str:
    """PDF, XML, CODA: as people call it."""
    return "CODA" if media_type == CODA else EXTENSIONS.get(media_type, "bin").upper()


@register.filter
def marked(text: str, words: list[str]) -> SafeString:
    """The text with the words that somebody looked for in <mark>."""
    pieces = pieces_of(text, words)
    return format_html_join(
        "",
        "{}",
        ((format_html("<mark>{}</mark>", one.text) if one.marked else one.text,) for one in pieces),
    )
