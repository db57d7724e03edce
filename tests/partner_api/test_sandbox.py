"""Software of the sandbox plays an office by itself, and never meets a real one."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import Membership, Office, Role, User
from backoffice.admin.home import figures
from clients.models import Account, Client
from consents.models import Consent, ConsentEvent
from core.document_kinds import KINDS, TYPES
from core.row_security import every_office
from core.sandbox import World
from documents.ingest.pipeline import ingest
from documents.ingest.sources import DeliveredFile
from documents.models import Document, QuarantinedFile
from documents.storage.blobs import name_of, storage
from mailer.models import OutgoingEmail
from monitoring.metrics import CONSENTS, Figures
from notifications.fan_out import fan_out
from partner_api.sandbox.example_files import example_of
from partner_api.sandbox.offices import make_office
from partners.models import Partner
from tests import factories
from tests.conftest import Cast, Software
from tests.factories import allow, terms_in_force

OFFICES = "/sandbox/accounting-offices"


def make_sandbox_partner(name: str = "Sandly") -> Partner:
    return factories.make_partner(name, kind=World.SANDBOX, listed=False)


@pytest.fixture
def sandly(portal: str, people: Cast) -> Iterator[Software]:
    """Software of the sandbox, at the running portal."""
    terms_in_force()
    software = Software(portal, make_sandbox_partner())
    yield software
    software.http.close()


def made(software: Software) -> dict[str, Any]:
    answer = software.call("POST", OFFICES, json={"data": {"type": "sandboxOffice"}})
    assert answer.status_code == 201, answer.text
    office: dict[str, Any] = answer.json()["data"]
    return office


def asked(software: Software, office: dict[str, Any]) -> str:
    number = office["attributes"]["accountingOfficeCompanyNumber"]
    answer = software.create(accountingOfficeCompanyNumber=number)
    assert answer.status_code == 201, answer.text
    attributes = answer.json()["data"]["attributes"]
    assert attributes["accountingOfficeId"] == office["id"]
    return str(answer.json()["data"]["id"])


def decided(software: Software, consent: str, decision: str) -> httpx.Response:
    body = {"data": {"type": "sandboxDecision", "attributes": {"decision": decision}}}
    path = f"/sandbox/accounting-office-consents/{consent}/decisions"
    return software.call("POST", path, json=body)


def delivered(software: Software, office: Any, **attributes: Any) -> httpx.Response:
    body = {"data": {"type": "sandboxFile", "attributes": attributes}}
    return software.call("POST", f"{OFFICES}/{office}/documents", json=body)


def companies(office: dict[str, Any]) -> list[str]:
    return [client["id"] for client in office["relationships"]["clients"]["data"]]


def changes(software: Software, office: Any) -> httpx.Response:
    return software.call("GET", f"/accounting-offices/{office}/document-changes")


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["code"]


def test_software_plays_an_office_from_the_request_to_the_end(sandly: Software) -> None:
    office = made(sandly)
    (listed,) = sandly.call("GET", OFFICES).json()["data"]
    assert listed == office
    consent = asked(sandly, office)
    assert code(changes(sandly, office["id"])) == (403, "consentNotConfirmed")
    assert code(decided(sandly, consent, "pause")) == (409, "decisionNotPossible")
    allowed = decided(sandly, consent, "allow")
    assert allowed.json()["data"]["attributes"]["status"] == "confirmed"
    assert decided(sandly, consent, "allow").status_code == 200, "twice is the same as once"
    company = companies(office)[0]
    for kind in KINDS:
        answer = delivered(sandly, office["id"], documentType=kind.type, client=company)
        assert answer.status_code == 201, answer.text
        assert answer.json()["data"]["attributes"]["filed"] == 1
    page = changes(sandly, office["id"]).json()
    found = {document["type"]: document for document in page["included"]["documents"]}
    assert list(found) == TYPES
    for kind in KINDS:
        path = f"/accounting-offices/{office['id']}/clients/{company}/{kind.path}"
        file = sandly.call("GET", f"{path}/{found[kind.type]['id']}/file")
        assert (file.status_code, company.encode() in file.content) == (200, True)
        pdf = sandly.call(
            "GET", f"{path}/{found[kind.type]['id']}", headers={"Accept": "application/pdf"}
        )
        assert pdf.content.startswith(b"%PDF-")
    for decision, refusal in (("pause", "consentPaused"), ("cancel", "consentNotConfirmed")):
        assert decided(sandly, consent, decision).status_code == 200
        assert code(changes(sandly, office["id"])) == (403, refusal)
    assert code(decided(sandly, consent, "allow")) == (409, "decisionNotPossible")


def test_software_denies_itself_and_resumes_itself(sandly: Software) -> None:
    office = made(sandly)
    consent = asked(sandly, office)
    for decision in ("allow", "pause", "resume"):
        told = decided(sandly, consent, decision).json()["data"]["attributes"]
    assert (told["portalStatus"], told["pausedAt"]) == ("allowed", None)
    second = made(sandly)
    denied = decided(sandly, asked(sandly, second), "deny").json()["data"]["attributes"]
    assert (denied["status"], denied["portalStatus"]) == ("denied", "denied")
    again = sandly.create(
        accountingOfficeCompanyNumber=second["attributes"]["accountingOfficeCompanyNumber"]
    )
    assert code(again) == (429, "tooManyRequests")


def test_a_month_that_comes_twice_is_a_new_version(sandly: Software) -> None:
    office = made(sandly)
    wanted = {"documentType": "payrollStatement", "client": companies(office)[1]}
    delivered(sandly, office["id"], **wanted)
    told = delivered(sandly, office["id"], **wanted).json()["data"]["attributes"]
    assert told == {"filed": 1, "newVersions": 1, "alreadyFiled": 0}


def test_software_delivers_a_file_of_its_own(sandly: Software) -> None:
    office = made(sandly)
    company = Client.objects.get(company_number=companies(office)[0])
    today = company.created_at.date()
    data = example_of(KINDS[0].kind, company.company_number, company.name, today)
    content = base64.b64encode(data).decode()
    first = delivered(sandly, office["id"], content=content).json()["data"]["attributes"]
    again = delivered(sandly, office["id"], content=content).json()["data"]["attributes"]
    assert first == {"filed": 1, "newVersions": 0, "alreadyFiled": 0}
    assert again == {"filed": 0, "newVersions": 0, "alreadyFiled": 1}


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"documentType": "bankAccountStatement"},
        {"content": "no base64!"},
        {"content": "QQ==", "client": "1999999907"},
        {"documentType": "letter", "client": "1999999907"},
    ],
)
def test_software_says_what_it_delivers(sandly: Software, attributes: dict[str, str]) -> None:
    office = make_office(sandly.partner)
    assert code(delivered(sandly, office.uuid, **attributes)) == (400, "validationError")


def test_a_file_about_a_real_company_is_refused_and_not_kept(
    people: Cast, sandly: Software
) -> None:
    office = made(sandly)
    bakery = people.bakery
    data = example_of(KINDS[0].kind, bakery.company_number, bakery.name, bakery.created_at.date())
    answer = delivered(sandly, office["id"], content=base64.b64encode(data).decode())
    (fault,) = answer.json()["errors"]
    assert fault["source"]["pointer"] == "/data/attributes/content"
    assert bakery.company_number in fault["detail"]
    digest = hashlib.sha256(data).hexdigest()
    assert not QuarantinedFile.objects.filter(sha256=digest).exists()
    assert not storage().exists(name_of(digest))
    with every_office():
        assert not Document.objects.filter(client=bakery).exists()
    stranger = delivered(
        sandly, office["id"], documentType="salesInvoice", client=bakery.company_number
    )
    assert stranger.json()["errors"][0]["source"]["pointer"] == "/data/attributes/client"


def test_a_real_file_never_comes_into_the_sandbox(people: Cast, sandly: Software) -> None:
    company = Client.objects.get(company_number=companies(made(sandly))[0])
    data = example_of(
        KINDS[0].kind, company.company_number, company.name, company.created_at.date()
    )
    (result,) = ingest([DeliveredFile("drop.cod", data)])
    assert (result.filed.total(), len(result.refused)) == (0, 1)
    with every_office():
        assert not Document.objects.filter(client=company).exists()


def test_a_sandbox_invoice_says_nothing_to_the_real_company_in_it(
    people: Cast, sandly: Software
) -> None:
    office = made(sandly)
    data = example_of(
        KINDS[4].kind, companies(office)[0], "Bakery", people.bakery.created_at.date()
    ).replace(b"1999999907", people.bakery.company_number.encode())
    answer = delivered(sandly, office["id"], content=base64.b64encode(data).decode())
    assert answer.json()["data"]["attributes"]["filed"] == 1
    with every_office():
        assert not Document.objects.filter(client=people.bakery).exists()


def test_a_sandbox_partner_cannot_ask_a_real_office(people: Cast, sandly: Software) -> None:
    known = sandly.create(accountingOfficeCompanyNumber=people.janssens.company_number)
    unknown = sandly.create(accountingOfficeCompanyNumber=factories.company_number())
    assert known.status_code == unknown.status_code == 404
    assert known.json() == unknown.json()
    assert known.json()["errors"][0]["code"] == "unknownAccountingOffice"
    assert code(changes(sandly, people.janssens.uuid)) == (404, "notFound")
    assert code(delivered(sandly, people.janssens.uuid, content="QQ==")) == (404, "notFound")
    assert code(decided(sandly, str(people.consent.uuid), "allow")) == (404, "notFound")
    people.fresh()
    assert people.fresh().status == "to_be_determined"


def test_a_real_partner_cannot_see_the_sandbox(
    people: Cast, ledgerly: Software, sandly: Software
) -> None:
    office = made(sandly)
    consent = asked(sandly, office)
    number = office["attributes"]["accountingOfficeCompanyNumber"]
    unknown = ledgerly.create(accountingOfficeCompanyNumber=factories.company_number())
    answer = ledgerly.create(accountingOfficeCompanyNumber=number)
    assert (answer.status_code, answer.json()) == (404, unknown.json())
    nowhere = ledgerly.call("GET", "/sandbox/nowhere").json()
    for answer in (
        ledgerly.call("GET", OFFICES),
        ledgerly.call("POST", OFFICES, json={}),
        decided(ledgerly, consent, "allow"),
        decided(ledgerly, str(people.consent.uuid), "allow"),
        delivered(ledgerly, office["id"], content="QQ=="),
        delivered(ledgerly, people.janssens.uuid, content="QQ=="),
        changes(ledgerly, office["id"]),
        ledgerly.call("GET", f"/accounting-office-consents/{consent}"),
    ):
        assert (answer.status_code, answer.json()) == (404, nowhere)
    assert people.fresh().status == "to_be_determined"


def test_a_sandbox_partner_cannot_see_the_sandbox_of_another(portal: str, sandly: Software) -> None:
    office = made(sandly)
    consent = asked(sandly, office)
    other = Software(portal, make_sandbox_partner("Boxly"))
    number = office["attributes"]["accountingOfficeCompanyNumber"]
    assert code(other.create(accountingOfficeCompanyNumber=number))[0] == 404
    assert code(decided(other, consent, "allow")) == (404, "notFound")
    assert code(delivered(other, office["id"], content="QQ==")) == (404, "notFound")
    assert other.call("GET", OFFICES).json() == {"data": []}


def test_the_database_keeps_the_worlds_apart(people: Cast) -> None:
    partner = make_sandbox_partner()
    office = make_office(partner)
    company = office.clients.order_by("pk")[0]
    decider = office.memberships.get().user
    stranger = make_sandbox_partner("Boxly")

    now = timezone.now()

    def moved(row: Client) -> None:
        Client.objects.filter(pk=row.pk).update(office=people.janssens)

    for mixes in (
        lambda: Consent.objects.create(office=office, partner=people.ledgerly, lapses_at=now),
        lambda: Consent.objects.create(office=people.peeters, partner=partner, lapses_at=now),
        lambda: Consent.objects.create(office=office, partner=stranger, lapses_at=now),
        lambda: Membership.objects.admit(office, people.anna, Role.USER),
        lambda: Membership.objects.admit(people.janssens, decider, Role.USER),
        lambda: factories.make_client(office),
        lambda: factories.make_client(people.janssens, company_number="1999999907"),
        lambda: moved(company),
        lambda: Account.objects.create(client=company, iban="BE68539007547034"),
        lambda: factories.make_office("Fake", company_number="1999999907"),
        lambda: factories.make_office("Fake", kind=World.SANDBOX, made_for=partner.uuid),
        lambda: factories.make_partner("Fake", kind=World.SANDBOX),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            mixes()
    for table, change in (
        ("partners_partner", f"kind = 'real' where id = {partner.pk}"),
        ("accounts_office", f"made_for = '{stranger.uuid}' where id = {office.pk}"),
    ):
        with (
            pytest.raises(DatabaseError, match="Cannot update"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(f"update {table} set {change}")


def test_the_sandbox_is_in_no_figure_and_in_no_directory(
    people: Cast, portal: str, sandly: Software
) -> None:
    def counted() -> tuple[Any, ...]:
        samples = [
            (sample.name, tuple(sample.labels.items()), sample.value)
            for metric in Figures().collect()
            for sample in metric.samples
            if sample.name.startswith(("portal_consents", "portal_document_calls"))
        ]
        return figures()[:6], samples

    before = counted()
    office = made(sandly)
    consent = asked(sandly, office)
    decided(sandly, consent, "allow")
    delivered(sandly, office["id"], documentType="salesInvoice", client=companies(office)[0])
    assert changes(sandly, office["id"]).status_code == 200
    decided(sandly, consent, "pause")
    decided(sandly, asked(sandly, made(sandly)), "allow")
    assert counted() == before
    assert CONSENTS
    assert sandly.partner not in Partner.objects.listed()
    directory = httpx.get(f"{portal}/software").text
    assert people.ledgerly.name in directory
    assert sandly.partner.name not in directory


def test_nobody_gets_an_email_about_the_sandbox(people: Cast, sandly: Software) -> None:
    office = made(sandly)
    decided(sandly, asked(sandly, office), "allow")
    row = Office.objects.get(uuid=office["id"])
    for event in ConsentEvent.objects.filter(office=row).order_by("pk"):
        fan_out(event.pk)
    assert not OutgoingEmail.objects.filter(recipient__endswith="@sandbox.invalid").exists()
    decider = row.memberships.get().user
    assert not decider.has_usable_password()
    allow(people.consent, people.anna)
    allowed = ConsentEvent.objects.get(consent=people.consent, kind="allowed")
    fan_out(allowed.pk)
    assert OutgoingEmail.objects.filter(recipient=people.anna.email).exists()


def test_software_makes_no_more_offices_than_a_day_allows(
    sandly: Software,
) -> None:
    key = {"Ibanity-Idempotency-Key": "one"}
    first = sandly.call("POST", OFFICES, json={}, headers=key)
    again = sandly.call("POST", OFFICES, json={}, headers=key)
    assert (first.json(), again.status_code) == (again.json(), 201)
    for _ in range(19):
        make_office(sandly.partner)
    answer = sandly.call("POST", OFFICES, json={})
    assert code(answer) == (429, "tooManyRequests")
    assert 0 < int(answer.headers["Retry-After"]) <= 86_400
    assert len(sandly.call("GET", OFFICES).json()["data"]) == 20
    assert User.objects.filter(memberships__office__made_for=sandly.partner.uuid).count() == 20
