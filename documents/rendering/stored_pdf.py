"""The PDF of a document that came without one: rendered when somebody first asks, then stored.

Whoever asks first has it rendered, and from then on everybody gets the bytes that are stored. When
two ask at the same moment both render; the row that is written first counts for both.
"""

from __future__ import annotations

import hashlib

from core.document_kinds import PDF
from core.locks import hold
from core.row_security import office_scope
from documents.formats.reading import read
from documents.models import Content, Document
from documents.models.querysets import StoredFormat
from documents.rendering.pdf import render
from documents.storage.blobs import load, store_many
from documents.storage.garbage_collection import pause_for_transaction


def stored_pdf(office_id: int, document_id: int) -> StoredFormat:
    """The PDF of the document, rendered now if it has none yet.

    Raises Content.DoesNotExist when the office has no such document or it has no structured file,
    documents.formats.Refused when that file cannot be read, and
    documents.storage.blobs.Damaged when its bytes are not what they were.
    """
    with office_scope(office_id):
        contents = Content.objects.filter(document=document_id)
        pdf = contents.filter(media_type=PDF).first()
        if pdf is not None:
            return _format(pdf)
        structured = contents.select_related("document__client").exclude(media_type=PDF)[:1].get()
        language = structured.document.client.language
    facts = read(load(structured.sha256), structured.media_type)[0].facts
    return _store(office_id, document_id, render(facts, language))


def _store(office_id: int, document_id: int, data: bytes) -> StoredFormat:
    """Store the bytes and write their row, unless somebody else was first: then theirs count."""
    sha256 = hashlib.sha256(data).hexdigest()
    with office_scope(office_id):
        # Retention does not delete the document, nor garbage collection the bytes, before the end.
        pause_for_transaction()
        hold(Document, document_id)
        # The row security of the table refuses a row of a document that is gone.
        if not Document.objects.filter(pk=document_id).exists():
            raise Content.DoesNotExist
        store_many({sha256: data})
        row = Content(document_id=document_id, media_type=PDF, size=len(data), sha256=sha256)
        Content.objects.bulk_create([row], ignore_conflicts=True)
        return _format(Content.objects.get(document=document_id, media_type=PDF))


def _format(content: Content) -> StoredFormat:
    return StoredFormat(content.media_type, content.size, content.sha256)
