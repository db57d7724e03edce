"""Tell software that an office has new documents: once for each ingest batch.

When batches come in faster than software is told, one notice counts the documents of several.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import cast

from celery import shared_task
from django.db import transaction
from django.db.models import Q, QuerySet

from consents.access import AccessContext, covered_clients
from consents.models import Consent, Status
from core.document_kinds import BY_KIND
from core.jobs import delay_after_commit
from core.telemetry import telemetry
from documents.ingest.bulk_insert import FiledDocument
from notifications.models import Delivery, DocumentsNotice, FiledDocuments, WebhookEndpoint
from notifications.webhooks.endpoints import deliver

# Kind and company → number of documents.
Filed = Counter[tuple[str, int]]
# An endpoint and an office of which it hears.
Heard = tuple[int, int]


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
    for endpoint_id in _write_notices(office_ids):
        deliver.delay(endpoint_id)


@transaction.atomic
def _write_notices(office_ids: list[int]) -> list[int]:
    """Write a notice for each software and office; return the endpoints to be woken.

    The number of statements does not depend on how many offices a batch has documents of.
    """
    untold = FiledDocuments.objects.filter(office__in=office_ids).order_by("pk")
    # What is locked is being told by another worker.
    rows = list(untold.select_for_update(of=("self",), skip_locked=True))
    if not rows:
        return []
    filed = _together(rows)
    of_offices = _listening().filter(office__in=filed)
    consents = list(of_offices.select_related("partner__webhook_endpoint").order_by("pk"))
    news = _readable(consents, filed)
    counted_in = _count_in(news)
    new = [one for one in news if one not in counted_in]
    notices = DocumentsNotice.objects.bulk_create(
        DocumentsNotice(office_id=office_id, counts=news[endpoint_id, office_id])
        for endpoint_id, office_id in new
    )
    Delivery.objects.bulk_create(
        Delivery(
            endpoint_id=endpoint_id, notice=notice, traceparent=telemetry.tracing.traceparent()
        )
        for (endpoint_id, _), notice in zip(new, notices, strict=True)
    )
    FiledDocuments.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return sorted({endpoint_id for endpoint_id, _ in new})


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


def _together(rows: Iterable[FiledDocuments]) -> dict[int, Filed]:
    """Add up, for each office, the counts of several batches."""
    filed: dict[int, Filed] = defaultdict(Counter)
    for row in rows:
        for kind, of_companies in row.counts.items():
            for client_id, number in of_companies.items():
                filed[row.office_id][kind, int(client_id)] += number
    return filed


def _readable(consents: list[Consent], filed: dict[int, Filed]) -> dict[Heard, Counter[str]]:
    """Count what each software may read now: its kinds, of companies in scope."""
    contexts = AccessContext.of_consents(consent.pk for consent in consents)
    named = {client_id for each in filed.values() for _, client_id in each}
    covered = covered_clients(contexts, named)
    readable: dict[Heard, Counter[str]] = {}
    for consent in consents:
        counts: Counter[str] = Counter()
        for (kind, client_id), number in filed[consent.office_id].items():
            may_read = contexts[consent.pk].denial_reason(kind) is None
            if may_read and (consent.pk, client_id) in covered:
                counts[kind] += number
        if counts:
            readable[consent.partner.webhook_endpoint.pk, consent.office_id] = counts
    return readable


def _count_in(news: dict[Heard, Counter[str]]) -> set[Heard]:
    """Add to the notices that wait for their first attempt; return whose they are.

    News takes the place of a notice of the same office that the receiver did not take. So a
    receiver that is slow or away finds one notice of each office, and not one of each batch.
    """
    endpoints, offices = {endpoint for endpoint, _ in news}, {office for _, office in news}
    of_both = Delivery.objects.open().filter(endpoint__in=endpoints, notice__office__in=offices)
    not_on_its_way = of_both.filter(Q(attempts=0) | ~Q(answer=""))
    locked = not_on_its_way.select_related("notice").select_for_update(of=("self", "notice"))
    untried: dict[Heard, DocumentsNotice] = {}
    for delivery in locked.order_by("pk"):
        notice = cast(DocumentsNotice, delivery.notice)
        heard = (delivery.endpoint_id, notice.office_id)
        if heard in news and not delivery.attempts:
            untried.setdefault(heard, notice)
        elif heard in news:
            news[heard].update(notice.counts)
            delivery.give_up()
    for heard, notice in untried.items():
        notice.counts = news[heard] + Counter(notice.counts)
    DocumentsNotice.objects.bulk_update(untried.values(), ["counts"])
    return set(untried)
