"""The template filter for the layouts of e-mails."""

import re

from django import template
from django.utils.safestring import mark_safe

register = template.Library()


@register.filter(is_safe=True)
def paragraphs(text: str) -> str:
    """Plain text as HTML: an empty line begins a paragraph, and line breaks stay.

    Use it as `{% filter paragraphs %}`: the values in the text are escaped already.
    """
    found = [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]
    html = "".join(f"<p>{'<br>'.join(part.splitlines())}</p>\n" for part in found)
    return mark_safe(html)  # noqa: S308  # only tags of ours were added to escaped text
