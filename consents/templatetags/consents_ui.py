"""How a status and a time look on every page."""

from datetime import datetime, timedelta

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from consents.models import ClosedReason, Consent

register = template.Library()


@register.simple_tag
def status_badge(consent: Consent, at: datetime) -> SafeString:
    """The status as word and shape; colour comes from the style sheet."""
    lapsed = consent.is_lapsed(at)
    if lapsed or consent.closed_reason:
        reason = ClosedReason.LAPSED if lapsed else ClosedReason(consent.closed_reason)
        return format_html('<span class="status status-closed">{}</span>', reason.label)
    return format_html(
        '<span class="status status-{}">{}</span>', consent.status, consent.get_status_display()
    )


@register.filter
def is_lapsed(consent: Consent, at: datetime) -> bool:
    return consent.is_lapsed(at)


@register.filter
def lapsed_at(consent: Consent, at: datetime) -> datetime | None:
    return consent.lapsed_at(at)


@register.filter
def is_open(consent: Consent | None, at: datetime) -> bool:
    """Whether the office can still answer; not where there is no consent."""
    return consent is not None and consent.is_open(at)


@register.filter
def is_paused(consent: Consent, at: datetime) -> bool:
    return consent.is_paused(at)


@register.filter
def terms_overdue(consent: Consent, at: datetime) -> bool:
    return consent.terms_overdue(at)


@register.filter
def last_day(until: datetime) -> datetime:
    """A moment of the last day of a pause, which ends at the midnight after it."""
    return until - timedelta(seconds=1)
