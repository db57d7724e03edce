"""Which person opened which document in the portal."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import models
from django.db.models.functions import Now

from accounts.models import User
from core.triggers import append_only

if TYPE_CHECKING:
    from documents.models import Document

# Reload and Back are the same look.
AGAIN = timedelta(minutes=10)


class DocumentView(models.Model):
    """Somebody opened the page of a document, or downloaded one of its formats: written once."""

    at = models.DateTimeField(db_default=Now())
    office_id = models.BigIntegerField()
    document_id = models.BigIntegerField()
    client_id = models.BigIntegerField()
    person = models.ForeignKey(User, models.PROTECT, related_name="+")
    # Empty: the page. Else the format that was downloaded.
    media_type = models.CharField(max_length=60, blank=True, default="")
    # The name of the file inside the document that was downloaded; empty: the document itself.
    attachment = models.CharField(max_length=140, blank=True, default="", db_default="")

    class Meta:
        indexes = [
            models.Index(fields=["client_id", "-id"], name="documents_view_of_client"),
            models.Index(fields=["document_id", "-id"], name="documents_view_of_document"),
        ]
        triggers = append_only("document_views")

    def __str__(self) -> str:
        return f"{self.person} · {self.document_id}"


def record_view(
    document: Document, person: User, media_type: str = "", attachment: str = ""
) -> None:
    """Write down that this person opened the document, at most once in ten minutes.

    The caller is in the scope of the office.
    """
    seen = {
        "office_id": document.office_id,
        "document_id": document.pk,
        "client_id": document.client_id,
        "person": person,
        "media_type": media_type[:60],
        "attachment": attachment[:140],
    }
    if not DocumentView.objects.filter(**seen, at__gt=Now() - AGAIN).exists():
        DocumentView.objects.create(**seen)
