"""A document as people read it: its structured file, checked and read, or why it cannot be."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from django.utils.translation import gettext as _

from documents.formats import Paper, Refused
from documents.formats.reading import read
from documents.kinds import PDF
from documents.models import Content
from documents.storage import Damaged, load


class Opened(NamedTuple):
    """Either the paper, or the reason in words why there is none."""

    paper: Paper | None
    problem: str = ""


def open_paper(contents: Iterable[Content]) -> Opened:
    """Read the structured file of a document, whose formats these are."""
    structured = next((content for content in contents if content.media_type != PDF), None)
    if structured is None:
        return Opened(None, _("There is no structured file of this document to show here."))
    try:
        return Opened(read(load(structured.sha256), structured.media_type)[0].paper)
    except Damaged:
        return Opened(None, _("The stored file is damaged: it is not the one that came in."))
    except Refused as refused:
        reason = _("The file cannot be read: %(reason)s.") % {"reason": str(refused)}
        return Opened(None, reason)
