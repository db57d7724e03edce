"""How a status and a time look on every page."""

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from consents.models import ClosedReason, Consent

register = template.Library()


@register.simple_tag
def status_badge(consent: Consent) -> SafeString:
    """The status as word and shape; colour comes from the style sheet."""
    if consent.is_lapsed or consent.closed_reason:
        reason = ClosedReason.LAPSED if consent.is_lapsed else ClosedReason(consent.closed_reason)
        return format_html('<span class="status status-closed">{}</span>', reason.label)
    return format_html(
        '<span class="status status-{}">{}</span>', consent.status, consent.get_status_display()
    )


@register.filter
def when(moment: datetime | None) -> str:
    """Date and time in Brussels, in the reader's language; empty for never."""
    if moment is None:
        return ""
    return date_format(timezone.localtime(moment), "DATETIME_FORMAT")
