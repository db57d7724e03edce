"""What happened lately in an office, in numbers that lead somewhere."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from django.db.models import Count, Max, Sum

from accounts.models import Office
from consents.models import ConsentActivity, ConsentEvent
from core.document_kinds import KINDS
from core.row_security import office_scope
from documents.models import Document

LATELY = timedelta(days=7)
NEWEST_EVENTS = 5


class Lately(NamedTuple):
    """The last seven days: documents that arrived, downloads of software, and its consents."""

    documents: int
    companies: int
    last_arrival: datetime | None
    downloads: int
    software: int
    events: list[ConsentEvent]

    @classmethod
    def of(cls, office: Office, now: datetime) -> Lately:
        # The kinds, so that the index of the office is read from the first of these days on.
        kinds = [kind.kind.value for kind in KINDS]
        with office_scope(office.pk):
            arrived = Document.objects.filter(
                office_id=office.pk, kind__in=kinds, available_at__gt=now - LATELY
            ).aggregate(
                documents=Count("pk"),
                companies=Count("client", distinct=True),
                last=Max("available_at"),
            )
        used = ConsentActivity.objects.filter(
            consent__office=office, day__gt=(now - LATELY).date(), served__gt=0
        ).aggregate(downloads=Sum("served"), software=Count("consent__partner", distinct=True))
        events = office.events.order_by("-number").select_related("consent__partner")
        return cls(
            arrived["documents"],
            arrived["companies"],
            arrived["last"],
            used["downloads"] or 0,
            used["software"],
            list(events[:NEWEST_EVENTS]),
        )
