"""Software is told once for each batch that an office has new documents, and of no company."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from werkzeug import Request, Response

from clients.models import Client
from consents.models import ConsentEvent
from consents.scope import ScopeChange, change_scope
from core.document_kinds import KINDS, Kind
from documents.ingest.bulk_insert import FiledDocument
from notifications.documents_available import note_filed_documents, tell_filed_documents
from notifications.fan_out import fan_out
from notifications.models import Delivery, FiledDocuments, WebhookEndpoint
from notifications.models.webhook_endpoint import OffReason
from notifications.tasks import sweep
from notifications.webhooks.endpoints import deliver
from tests import factories
from tests.conftest import Cast
from tests.consents.test_races import at_once
from tests.documents.examples import a_month, company_of, take_files
from tests.factories import acting, allow
from tests.notifications.receiver import Receiver, hear, later

BANK, SALES = Kind.BANK_ACCOUNT_STATEMENT, Kind.SALES_INVOICE
STATEMENTS = "bankAccountStatement"


def file(cast: Cast, *documents: tuple[Client, Kind]) -> None:
    """What a batch does in its transaction, and what a worker does after its commit."""
    note_filed_documents([FiledDocument(c.office_id, c.pk, kind, 1) for c, kind in documents])
    offices = list({client.office_id for client, _kind in documents})
    tell_filed_documents(offices)
    tell_filed_documents(offices)  # a second worker has nothing to do


def notices(receiver: Receiver) -> list[dict[str, Any]]:
    return [one for one in receiver.got if one["type"].endswith("documentsAvailable")]


def test_one_notice_for_a_batch_with_counts_and_no_company(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    allow(cast.consent, cast.anna)
    other = factories.make_client(cast.janssens)
    stranger = factories.make_client(cast.peeters)
    file(cast, (cast.bakery, BANK), (other, BANK), (other, SALES), (stranger, BANK))
    hear(endpoint)
    (notice,) = notices(receiver)
    assert notice["type"] == "codaboxConnect.accountingOffice.documentsAvailable"
    assert notice["attributes"]["counts"] == {STATEMENTS: 2, "salesInvoice": 1}
    office = {"type": "accountingOffice", "id": str(cast.janssens.uuid)}
    assert notice["relationships"] == {"accountingOffice": {"data": office}}
    for client in (cast.bakery, other, stranger):
        assert client.company_number.encode() not in receiver.bodies[-1]
    assert not FiledDocuments.objects.exists()
    assert receiver.headers[-1]["webhook-id"] == notice["id"]


def test_only_kinds_and_companies_that_the_software_may_read(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    allow(cast.consent, cast.anna)
    hidden = factories.make_client(cast.janssens)
    less = ScopeChange(kinds_out=("salesInvoice",), clients_out=(hidden.pk,))
    change_scope(cast.fresh(), acting(cast.anna), less)
    file(cast, (cast.bakery, BANK), (cast.bakery, SALES), (hidden, BANK))
    file(cast, (hidden, BANK), (cast.bakery, SALES))  # nothing of it may be read
    hear(endpoint)
    assert [one["attributes"]["counts"] for one in notices(receiver)] == [{STATEMENTS: 1}]


@pytest.mark.parametrize("state", ["waiting", "paused", "cancelled", "off"])
def test_whoever_may_not_read_is_not_told(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver, state: str
) -> None:
    if state != "waiting":
        allow(cast.consent, cast.anna)
    if state == "paused":
        cast.fresh().pause(acting(cast.anna))
    if state == "cancelled":
        cast.fresh().cancel(acting(cast.anna))
    if state == "off":
        WebhookEndpoint.objects.get().switch_off(OffReason.PARTNER)
    file(cast, (cast.bakery, BANK))
    hear(endpoint)
    assert notices(receiver) == []


@pytest.mark.parametrize("tried", [False, True])
@pytest.mark.parametrize("end", ["cancel", "pause"])
def test_a_notice_that_waits_is_not_sent_after_the_end(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver, end: str, *, tried: bool
) -> None:
    """Documents are filed, and the office ends the consent before software is told of them."""
    allow(cast.consent, cast.anna)
    hear(endpoint)
    file(cast, (cast.bakery, BANK))
    if tried:
        receiver.answers(503)
        deliver(endpoint.pk)
        receiver.answers(204)
        later(endpoint)
    before = len(notices(receiver))
    getattr(cast.fresh(), end)(acting(cast.anna))
    hear(endpoint)
    assert len(notices(receiver)) == before
    assert not Delivery.objects.open().exists()


def test_a_kind_that_is_left_out_meanwhile_is_not_counted(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    allow(cast.consent, cast.anna)
    file(cast, (cast.bakery, BANK), (cast.bakery, SALES))
    change_scope(cast.fresh(), acting(cast.anna), ScopeChange(kinds_out=("salesInvoice",)))
    hear(endpoint)
    assert [one["attributes"]["counts"] for one in notices(receiver)] == [{STATEMENTS: 1}]


def test_a_receiver_that_is_away_finds_one_notice_of_an_office(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    allow(cast.consent, cast.anna)
    hear(endpoint)
    receiver.answers(503)
    file(cast, (cast.bakery, BANK))
    deliver(endpoint.pk)
    file(cast, (cast.bakery, BANK), (cast.bakery, SALES))
    receiver.answers(204)
    later(endpoint)
    deliver(endpoint.pk)
    failed, taken = notices(receiver)
    assert failed["id"] != taken["id"]
    assert taken["attributes"]["counts"] == {STATEMENTS: 2, "salesInvoice": 1}
    assert not Delivery.objects.open().exists()


def test_batches_that_come_in_before_software_is_told_lead_to_one_notice(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    """The worker is behind with the telling, with the sending, or with both."""
    allow(cast.consent, cast.anna)
    for _batch in range(2):
        note_filed_documents([FiledDocument(cast.janssens.pk, cast.bakery.pk, BANK, 1)])
    tell_filed_documents([cast.janssens.pk])
    file(cast, (cast.bakery, BANK), (cast.bakery, SALES))
    hear(endpoint)
    (notice,) = notices(receiver)
    assert notice["attributes"]["counts"] == {STATEMENTS: 3, "salesInvoice": 1}
    assert Delivery.objects.filter(event=None).count() == 1
    file(cast, (cast.bakery, BANK))
    deliver(endpoint.pk)
    assert notices(receiver)[-1]["attributes"]["counts"] == {STATEMENTS: 1}


def test_what_is_counted_in_while_a_worker_begins_is_told(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    """Right after the worker read the delivery; then while its receiver thinks."""
    allow(cast.consent, cast.anna)
    hear(endpoint)
    file(cast, (cast.bakery, BANK))
    delivery = endpoint.deliveries.select_related("notice").get(event=None)
    file(cast, (cast.bakery, BANK))
    assert delivery.begin()
    assert delivery.notice is not None
    assert delivery.notice.counts == {STATEMENTS: 2}
    file(cast, (cast.bakery, SALES))
    (later_one,) = endpoint.deliveries.filter(event=None, attempts=0).select_related("notice")
    assert later_one.notice is not None
    assert later_one.notice.counts == {"salesInvoice": 1}


def test_a_notice_whose_place_was_taken_is_not_sent(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    """A worker read it as due; before it sends, a newer notice takes its place."""
    allow(cast.consent, cast.anna)
    hear(endpoint)
    receiver.answers(503)
    file(cast, (cast.bakery, BANK))
    deliver(endpoint.pk)
    missed = endpoint.deliveries.get(event=None)
    file(cast, (cast.bakery, BANK))
    assert not missed.begin()


def test_the_statements_of_telling_do_not_grow_with_the_offices(
    cast: Cast, endpoint: WebhookEndpoint
) -> None:
    """Two batches of each office: the first makes its notice, the second is counted in."""
    allow(cast.consent, cast.anna)
    clients = [cast.bakery]
    for name in ("Peeters", "Maes", "Claes"):
        office = factories.make_office(name)
        factories.make_allowed(office, cast.ledgerly, factories.make_person(name, office))
        clients.append(factories.make_client(office))
    asked = []
    for batch in (clients[:1], clients[:1], clients, clients):
        note_filed_documents([FiledDocument(c.office_id, c.pk, BANK, 1) for c in batch])
        with CaptureQueriesContext(connection) as telling:
            tell_filed_documents([client.office_id for client in batch])
        asked.append(len(telling.captured_queries))
    # The third batch does both: it makes notices, and adds to the one that waits.
    assert max(asked[2:]) <= max(asked[:2]) + 1, asked
    told = Delivery.objects.filter(event=None).order_by("pk").values_list("notice__counts")
    assert [counts for (counts,) in told] == [{STATEMENTS: 4}, *[{STATEMENTS: 2}] * 3]


def test_an_event_is_told_before_the_notices_that_wait(
    people: Cast, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The receiver is slow, and the consent of another office is cancelled while it thinks."""
    monkeypatch.setattr("notifications.webhooks.endpoints.FRESH_FOR", 0.0)
    allow(people.consent, people.anna)
    factories.make_allowed(people.peeters, people.ledgerly, people.chloe)
    url = receiver.server.url_for("/hook")
    endpoint = WebhookEndpoint.objects.create(partner=people.ledgerly, url=url)
    file(people, (people.bakery, BANK), (factories.make_client(people.peeters), BANK))

    def cancel_meanwhile(_request: Request) -> Response:
        if len(receiver.got) == 1:
            people.fresh().cancel(acting(people.anna))
            fan_out(ConsentEvent.objects.latest("pk").pk)
            connection.close()  # this thread of the receiver has its own
        return Response(status=204)

    receiver.answer = cancel_meanwhile
    deliver(endpoint.pk)
    assert receiver.told == ["documentsAvailable", "cancelled", "documentsAvailable"]


def test_the_sweep_tells_what_no_worker_was_woken_for(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver, eager: None
) -> None:
    allow(cast.consent, cast.anna)
    note_filed_documents([FiledDocument(cast.janssens.pk, cast.bakery.pk, BANK, 1)])
    FiledDocuments.objects.update(at="2026-01-01T00:00:00Z")
    sweep()
    assert len(notices(receiver)) == 1


def test_ingest_pays_one_query_where_nobody_listens_and_two_where_somebody_does(
    cast: Cast, endpoint: WebhookEndpoint
) -> None:
    filed = [FiledDocument(cast.janssens.pk, cast.bakery.pk, BANK, 1)] * 500
    with CaptureQueriesContext(connection) as nobody:
        note_filed_documents(filed)
    allow(cast.consent, cast.anna)
    with CaptureQueriesContext(connection) as somebody:
        note_filed_documents(filed)
    selects = [each for each in somebody.captured_queries if "SAVEPOINT" not in each["sql"]]
    assert (len(nobody.captured_queries), len(selects)) == (1, 2)


def test_the_files_of_a_batch_lead_to_one_notice(people: Cast, receiver: Receiver) -> None:
    """All the way: files, rows, commit, notice."""
    allow(people.consent, people.anna)
    url = receiver.server.url_for("/hook")
    endpoint = WebhookEndpoint.objects.create(partner=people.ledgerly, url=url)
    take_files(a_month(company_of(people.bakery)))
    assert FiledDocuments.objects.filter(office=people.janssens).count() == 1
    tell_filed_documents([people.janssens.pk])
    notice = endpoint.deliveries.get(event=None).notice
    assert notice is not None
    assert notice.counts == {kind.type: 1 for kind in KINDS}


def test_whoever_files_tells_and_sends_at_once_each_document_is_counted_once(
    people: Cast, receiver: Receiver
) -> None:
    """Two ingests, two workers that tell, two that send: at the end every document was told."""
    allow(people.consent, people.anna)
    factories.make_application(people.ledgerly)
    factories.webhook_key()
    url = receiver.server.url_for("/hook")
    endpoint = WebhookEndpoint.objects.create(partner=people.ledgerly, url=url)
    hear(endpoint)
    office, batches = people.janssens.pk, 25

    def ingest() -> None:
        for _batch in range(batches):
            with transaction.atomic():
                note_filed_documents([FiledDocument(office, people.bakery.pk, BANK, 1)])

    def tell() -> None:
        for _turn in range(batches):
            tell_filed_documents([office])

    def send() -> None:
        for _turn in range(batches):
            deliver(endpoint.pk)

    answers = at_once([ingest, tell, send] * 2)
    assert [each for each in answers if isinstance(each, Exception)] == []
    tell_filed_documents([office])
    deliver(endpoint.pk)
    told = [notice["attributes"]["counts"][STATEMENTS] for notice in notices(receiver)]
    assert sum(told) == 2 * batches
    assert len({notice["id"] for notice in notices(receiver)}) == len(told)
