"""Tell software that an office has new documents: once for each ingest batch."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from celery import shared_task
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

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
    for row in FiledDocuments.objects.bulk_create(rows):
        delay_after_commit(tell_filed_documents, row.pk)


@shared_task
def tell_filed_documents(row_id: int) -> None:
    """Create a notice and a delivery for each software that can read some of the documents."""
    with transaction.atomic():
        row = FiledDocuments.objects.select_for_update(of=("self",)).filter(pk=row_id).first()
        if row is None:
            return  # another worker was faster
        for consent in _listening().filter(office=row.office_id).select_related("partner"):
            counts = _readable(consent, row.counts)
            if counts:
                _tell(consent.partner.webhook_endpoint, row.office_id, counts)
        row.delete()


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


def _readable(consent: Consent, counts: dict[str, dict[str, int]]) -> Counter[str]:
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
    """Deliver a notice; it takes the place of one of this office that the receiver did not take.

    So a receiver that is away finds one notice of each office, and not one of each batch.
    """
    failed = endpoint.deliveries.open().filter(notice__office=office_id).exclude(answer="")
    for missed in failed.values_list("notice__counts", flat=True):
        counts.update(missed)
    failed.update(given_up_at=Now())
    notice = DocumentsNotice.objects.create(office_id=office_id, counts=counts)
    Delivery.objects.create(
        endpoint=endpoint, notice=notice, traceparent=telemetry.tracing.traceparent()
    )
    delay_after_commit(deliver, endpoint.pk)
