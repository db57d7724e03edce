"""Check each office once a day for missing documents, and tell its people once a week."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Office
from clients.models import Client
from core.document_kinds import Kind
from core.row_security import office_scope
from documents.completeness.rhythm import YEAR, first_day, month_of
from documents.completeness.series import Series, series_of
from documents.models import CompletenessCheck, MissingMonth, NotDownloaded

# How many companies are read at once, and how many offices are checked in one run.
COMPANIES_PER_QUERY = 200
MOST_OFFICES = 100
EVERY = timedelta(hours=20)
# How far back something missing is looked for: as far as software may ask for.
MONTHS = 24


def check_due_offices(most: int = MOST_OFFICES) -> int:
    """Check the offices whose last check is old; return how many."""
    recent = CompletenessCheck.objects.filter(checked_at__gt=timezone.now() - EVERY)
    due = Office.objects.real().filter(closed_at=None).exclude(pk__in=recent.values("office"))
    offices = list(due.order_by("pk")[:most])
    for office in offices:
        check(office, timezone.localdate())
    return len(offices)


def check(office: Office, today: date) -> None:
    """Write down what is missing at the office now. What was known keeps its date."""
    companies = Client.objects.active().filter(office=office).order_by("pk")
    keys = list(companies.values_list("pk", flat=True))
    for at in range(0, len(keys), COMPANIES_PER_QUERY):
        some = keys[at : at + COMPANIES_PER_QUERY]
        with office_scope(office.pk):
            found = series_of(some, Kind, today, MONTHS)
        _write(some, list(_rows(found)), _not_downloaded(found, today))
    CompletenessCheck.objects.update_or_create(office=office, defaults={"checked_at": Now()})


def _rows(found: list[Series]) -> Iterator[MissingMonth]:
    for series in found:
        for month, missing in series.missing.items():
            yield MissingMonth(
                client_id=series.client_id,
                kind=series.kind.value,
                series=series.name,
                month=first_day(month),
                documents=missing.documents,
                first=missing.first,
                last=missing.last,
            )


def _not_downloaded(found: list[Series], today: date) -> list[NotDownloaded]:
    """What the board shows as arrived and not downloaded, by company and kind."""
    oldest = month_of(today) - YEAR + 1
    left: Counter[tuple[int, int]] = Counter()
    for series in found:
        for month, arrived in series.arrived.items():
            if month >= oldest and arrived.fetched < arrived.documents:
                left[series.client_id, series.kind.value] += arrived.documents - arrived.fetched
    return [NotDownloaded(client_id=key[0], kind=key[1], documents=n) for key, n in left.items()]


def _write(clients: list[int], rows: list[MissingMonth], left: list[NotDownloaded]) -> None:
    """Replace what is known of these companies."""
    still = {(row.client_id, row.kind, row.series, row.month) for row in rows}
    with transaction.atomic():
        known = MissingMonth.objects.filter(client__in=clients)
        gone = [
            row.pk for row in known if (row.client_id, row.kind, row.series, row.month) not in still
        ]
        known.filter(pk__in=gone).delete()
        MissingMonth.objects.bulk_create(
            rows,
            update_conflicts=True,
            unique_fields=["client", "kind", "series", "month"],
            update_fields=["documents", "first", "last"],
        )
        NotDownloaded.objects.filter(client__in=clients).delete()
        NotDownloaded.objects.bulk_create(left)


def offices_to_tell() -> list[CompletenessCheck]:
    """The offices where something is missing that their people were not told of."""
    found = []
    for check in CompletenessCheck.objects.select_related("office").filter(office__closed_at=None):
        if new_since(check).exists():
            found.append(check)
    return found


def new_since(check: CompletenessCheck) -> QuerySet[MissingMonth]:
    since = Q(found_at__gt=check.emailed_at) if check.emailed_at else Q()
    companies = Client.objects.active().filter(office=check.office_id)
    return MissingMonth.objects.filter(since, client__in=companies)
