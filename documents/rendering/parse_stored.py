"""A document as people read it: its structured file, checked and read, or why it cannot be."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from django.utils.translation import gettext as _

from core.document_kinds import PDF
from documents.formats import Facts, Refused
from documents.formats.file_warnings import FileWarning
from documents.formats.reading import read
from documents.models import Content
from documents.storage.blobs import Damaged, load


class StoredFacts(NamedTuple):
    """What the file says, or a sentence that tells why it cannot be read."""

    facts: Facts | None
    problem: str = ""
    warnings: tuple[FileWarning, ...] = ()


def parse_stored(contents: Iterable[Content]) -> StoredFacts:
    """Read the structured file of a document, whose formats these are."""
    structured = next((content for content in contents if content.media_type != PDF), None)
    if structured is None:
        return StoredFacts(
            None, _("This document has no structured file, so its contents cannot be shown here.")
        )
    try:
        parsed = read(load(structured.sha256), structured.media_type)[0]
        return StoredFacts(parsed.facts, warnings=parsed.warnings)
    except Damaged:
        return StoredFacts(
            None, _("The stored file is damaged: it no longer matches the file that we received.")
        )
    except Refused as refused:
        reason = _("The file cannot be read: %(reason)s.") % {"reason": str(refused)}
        return StoredFacts(None, reason)
