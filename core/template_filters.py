"""Filters and tags that every template has without loading them."""

import structlog
from django import template
from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils.translation import get_language

from core.dates import day_in_words, iso, moment_in_words
from core.email_address import readable_email

register = template.Library()
register.filter("readable_email", readable_email)
register.filter("day", day_in_words)
register.filter("when", moment_in_words)
register.filter("iso", iso)


@register.filter
def file_size(size: int) -> str:
    """The size of a file in words; French says Ko, where Django says Kio."""
    words = filesizeformat(size)
    return words.replace("io", "o") if get_language() == "fr" else words


@register.simple_tag
def request_id() -> str:
    """The identifier of this request in the logs, for a person who reports a problem."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))


@register.simple_tag
def support_email() -> str:
    """The address that people can write to, also on error pages without a context."""
    return str(settings.PORTAL_SUPPORT_EMAIL)
