"""Tell software that an office has new documents: once for each ingest batch.

When batches come in faster than software is told, one notice counts the documents of several.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import cast

from celery import shared_task
from django.db import transaction
from django.db.models import QuerySet

from consents.access import AccessContext
from consents.models import Consent, Status
from consents.scope import clients_in_scope
from core.document_kinds import BY_KIND
from core.jobs import delay_after_commit
from core.telemetry import telemetry
from documents.ingest.bulk_insert import FiledDocument
from notifications.models import Delivery, DocumentsNotice, FiledDocuments, WebhookEndpoint
from notifications.webhooks.endpoints import deliver


def note_filed_documents(filed: Iterable[FiledDocument]) -> None:
    """Write down what a batch filed at each office that has software with an endpoint.

    Runs in the transaction of the batch: one query, and one insert where somebody listens.
    """
    by_office: dict[int, Counter[tuple[str, int]]] = defaultdict(Counter)
    for document in filed:
        kind = BY_KIND[document.kind].type
        by_office[document.office_id][kind, document.client_id] += 1
    heard = _listening().filter(office__in=by_office).values_list("office", flat=True).distinct()
    rows = [FiledDocuments(office_id=each, counts=_nested(by_office[each])) for each in heard]
    if rows:
        FiledDocuments.objects.bulk_create(rows)
        delay_after_commit(tell_filed_documents, [row.office_id for row in rows])


@shared_task
def tell_filed_documents(office_ids: list[int]) -> None:
    """Tell software of all documents that were filed at these offices and not told of yet."""
    for office_id in office_ids:
        _tell_of_office(office_id)


def _tell_of_office(office_id: int) -> None:
    """Create a notice and a delivery for each software that can read some of the documents."""
    with transaction.atomic():
        untold = FiledDocuments.objects.filter(office=office_id).order_by("pk")
        rows = list(untold.select_for_update(of=("self",)))
        if not rows:
            return  # another worker was faster
        filed = _together(row.counts for row in rows)
        for consent in _listening().filter(office=office_id).select_related("partner"):
            counts = _readable(consent, filed)
            if counts:
                _tell(consent.partner.webhook_endpoint, office_id, counts)
        FiledDocuments.objects.filter(pk__in=[row.pk for row in rows]).delete()


def _listening() -> QuerySet[Consent]:
    """Return the allowed consents of all software with an endpoint that is on."""
    endpoints = WebhookEndpoint.objects.on()
    allowed: QuerySet[Consent] = Consent.objects.filter(status=Status.ALLOWED)
    return allowed.filter(partner__in=endpoints.values("partner"))


def _nested(counted: Counter[tuple[str, int]]) -> dict[str, dict[int, int]]:
    nested: dict[str, dict[int, int]] = defaultdict(dict)
    for (kind, client_id), number in counted.items():
        nested[kind][client_id] = number
    return nested


def _together(counted: Iterable[dict[str, dict[str, int]]]) -> Mapping[str, Mapping[str, int]]:
    """Add up the counts of several batches."""
    together: dict[str, Counter[str]] = defaultdict(Counter)
    for counts in counted:
        for kind, of_companies in counts.items():
            together[kind].update(of_companies)
    return together


def _readable(consent: Consent, counts: Mapping[str, Mapping[str, int]]) -> Counter[str]:
    """Count what this software may read now: its kinds, of companies in scope."""
    access = AccessContext.of(consent.pk)
    kinds = {kind: each for kind, each in counts.items() if access.denial_reason(kind) is None}
    named = {int(client_id) for each in kinds.values() for client_id in each}
    covered = set(clients_in_scope(consent).filter(pk__in=named).values_list("pk", flat=True))
    readable: Counter[str] = Counter()
    for kind, each in kinds.items():
        readable[kind] += sum(number for pk, number in each.items() if int(pk) in covered)
    return +readable


def _tell(endpoint: WebhookEndpoint, office_id: int, counts: Counter[str]) -> None:
    """Deliver a notice, or add to the notice of this office that waits for its first attempt.

    It takes the place of a notice of this office that the receiver did not take. So a receiver
    that is slow or away finds one notice of each office, and not one of each batch.
    """
    of_office = endpoint.deliveries.open().filter(notice__office=office_id).order_by("pk")
    locked = of_office.select_related("notice").select_for_update(of=("self", "notice"))
    for delivery in locked.exclude(answer=""):
        counts.update(cast(DocumentsNotice, delivery.notice).counts)
        delivery.give_up()
    if untried := locked.filter(attempts=0).first():
        cast(DocumentsNotice, untried.notice).add(counts)
        return
    notice = DocumentsNotice.objects.create(office_id=office_id, counts=counts)
    Delivery.objects.create(
        endpoint=endpoint, notice=notice, traceparent=telemetry.tracing.traceparent()
    )
    delay_after_commit(deliver, endpoint.pk)
