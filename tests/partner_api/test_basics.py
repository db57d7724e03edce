"""connect-api sections 1 and 2: headers and the root document, over real HTTP."""

from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest

from documents.models import Document
from tests.conftest import Cast, Software
from tests.factories import CODA
from tests.partner_api.answers import SOME_ID, errors

PATHS = [
    "",
    "/",
    "/oauth2/token",
    "/oauth2/token/",
    "/oauth2/revoke",
    "/accounting-office-consents",
    "/accounting-office-consents/",
    f"/accounting-office-consents/{SOME_ID}",
    f"/accounting-office-consents/{SOME_ID}/",
    f"/accounting-offices/{SOME_ID}/document-searches",
    f"/accounting-offices/{SOME_ID}/clients/0762460580/bank-account-statements/{SOME_ID}",
    "/nowhere",
]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_has_a_request_id_is_json_and_never_redirects(portal: str, path: str) -> None:
    for method in METHODS:
        answer = httpx.request(method, f"{portal}/codabox-connect{path}", follow_redirects=False)
        assert len(answer.headers.get_list("ibanity-request-id")) == 1
        uuid.UUID(answer.headers["ibanity-request-id"])
        assert "Location" not in answer.headers
        assert not 300 <= answer.status_code < 400
        assert "Set-Cookie" not in answer.headers
        assert "json" in answer.headers["Content-Type"]
        assert answer.headers["Cache-Control"] == "no-store"
        if answer.status_code == 405:
            assert answer.headers["Allow"]


def test_each_request_has_an_id_of_its_own(portal: str) -> None:
    ids = {httpx.get(f"{portal}/codabox-connect").headers["ibanity-request-id"] for _ in range(20)}
    assert len(ids) == 20


@pytest.mark.parametrize("accept", ["application/vnd.api+json", "application/json", "*/*", None, "application/pdf"])  # fmt: skip
def test_accept_and_user_agent_are_never_required(
    people: Cast, ledgerly: Software, accept: str | None
) -> None:
    request = ledgerly.http.build_request(
        "GET",
        f"/codabox-connect/accounting-office-consents/{people.consent.uuid}",
        headers={"Authorization": f"bearer {ledgerly.token}"},
    )
    for header in ("User-Agent", "Accept", "Accept-Encoding"):
        request.headers.pop(header, None)
    if accept:
        request.headers["Accept"] = accept
    answer = ledgerly.http.send(request)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/vnd.api+json"
    assert "Content-Encoding" not in answer.headers


@pytest.mark.parametrize(
    "content_type",
    ["application/vnd.api+json", "application/json", "application/json; charset=utf-8",
     "application/vnd.api+json;charset=UTF-8", 'application/json; charset="utf-8"'],
)  # fmt: skip
def test_bodies_come_with_and_without_charset(
    people: Cast, ledgerly: Software, content_type: str
) -> None:
    number = people.janssens.company_number
    body = f'{{"data": {{"attributes": {{"accountingOfficeCompanyNumber": "{number}"}}}}}}'
    answer = ledgerly.call(
        "POST",
        "/accounting-office-consents",
        content=body,
        headers={"Content-Type": content_type},
    )
    assert answer.status_code == 200


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "application/json; charset=utf-16", "multipart/form-data"])  # fmt: skip
def test_other_media_types_are_415(ledgerly: Software, content_type: str) -> None:
    answer = ledgerly.call(
        "POST", "/accounting-office-consents", content="{}", headers={"Content-Type": content_type}
    )
    assert answer.status_code == 415
    assert answer.json()["errors"][0]["code"] == "unsupportedMediaType"


def test_a_body_with_get_is_ignored(people: Cast, ledgerly: Software) -> None:
    path = f"/accounting-office-consents/{people.consent.uuid}"
    answer = ledgerly.call("GET", path, content="not json", headers={"Content-Type": "text/x"})
    assert answer.status_code == 200


def test_null_is_absent_and_unknown_members_are_ignored(people: Cast, ledgerly: Software) -> None:
    answer = ledgerly.create(
        state=None,
        redirectUri=None,
        accountingOfficeCompanyNumber=people.janssens.company_number,
        somethingNew={"deep": [1, 2]},
    )
    assert answer.status_code == 200


def test_http_signatures_are_no_reason_to_refuse(people: Cast, ledgerly: Software) -> None:
    answer = ledgerly.call(
        "GET",
        f"/accounting-office-consents/{people.consent.uuid}",
        headers={"Digest": "SHA-512=wrong", "Signature": "keyId=x,signature=y"},
    )
    assert answer.status_code == 200


def test_the_root_names_every_resource_on_the_host_of_the_caller(portal: str) -> None:
    base = f"{portal}/codabox-connect"
    office = f"{base}/accounting-offices/{{accountingOfficeId}}"
    client = f"{office}/clients/{{clientId}}"
    assert httpx.get(base).headers["Content-Type"] == "application/json"
    assert httpx.get(base).json() == {
        "links": {
            "self": base,
            "oauth2": {"token": f"{base}/oauth2/token"},
            "accountingOfficeConsents": f"{base}/accounting-office-consents/{{accountingOfficeConsentId}}",
            "accountingOffices": {
                "documentSearches": f"{office}/document-searches",
                "bankAccountStatements": f"{client}/bank-account-statements/{{bankAccountStatementId}}",
                "payrollStatements": f"{client}/payroll-statements/{{payrollStatementId}}",
                "creditCardStatements": f"{client}/credit-card-statements/{{creditCardStatementId}}",
                "salesInvoices": f"{client}/sales-invoices/{{salesInvoiceId}}",
                "purchaseInvoices": f"{client}/purchase-invoices/{{purchaseInvoiceId}}",
            },
        }
    }  # fmt: skip


@pytest.mark.parametrize("path", [path for path in PATHS if "oauth2" not in path])
def test_a_caller_with_a_token_is_never_redirected_either(ledgerly: Software, path: str) -> None:
    for method in METHODS:
        for ending in ("", "/"):
            answer = ledgerly.call(method, path.rstrip("/") + ending, json={})
            assert not 300 <= answer.status_code < 400
            assert answer.status_code != 500
            assert len(answer.headers.get_list("ibanity-request-id")) == 1


@pytest.mark.parametrize("path", ["/%ff", "/%00", "/accounting-office-consents/%00", "/é", "//", "/..%2f", "/accounting-offices/%00/document-searches", "/?x=%00", "/oauth2", "/%0d%0aX-Evil: 1"])  # fmt: skip
def test_a_strange_path_is_an_error_in_json(portal: str, path: str) -> None:
    address = httpx.URL(f"{portal}/codabox-connect{path}")
    answer = httpx.get(address)
    assert answer.status_code in (400, 401, 404), answer.text
    assert answer.headers["ibanity-request-id"]
    assert "X-Evil" not in answer.headers
    assert answer.content.startswith(b'{"errors"')


@pytest.mark.parametrize(
    ("path", "allowed"),
    [("", {"GET", "HEAD"}), ("/oauth2/token", {"POST"}), ("/oauth2/revoke", {"POST"}),
     ("/accounting-office-consents", {"POST"}),
     ("/accounting-office-consents/{consent}", {"GET", "HEAD", "DELETE"}),
     ("/accounting-offices/{office}/document-searches", {"POST"}),
     ("/accounting-offices/{office}/clients/{client}/bank-account-statements/{document}",
      {"GET", "HEAD"})],
)  # fmt: skip
def test_a_wrong_method_is_405_and_told_the_right_ones(
    people: Cast, reader: Software, statement: Document, path: str, allowed: set[str]
) -> None:
    path = path.format(
        consent=people.consent.uuid,
        office=people.janssens.uuid,
        client=people.bakery.company_number,
        document=statement.uuid,
    )
    for method in {*METHODS, "TRACE", "BREW"} - allowed:
        answer = reader.call(method, path)
        assert answer.status_code == 405, method
        assert set(answer.headers["Allow"].split(", ")) == allowed
        if method != "HEAD":
            assert errors(answer) == [("methodNotAllowed", None)]


def test_nobody_gets_compressed_answers(
    people: Cast, reader: Software, statement: Document
) -> None:
    everything = {"Accept-Encoding": "gzip, deflate, br, zstd"}
    number = people.bakery.company_number
    for answer in (
        reader.document(people.janssens, number, statement.uuid, headers=everything),
        reader.document(people.janssens, number, statement.uuid, accept=CODA, headers=everything),
        reader.call("GET", "", headers=everything),
    ):
        assert answer.status_code == 200
        assert "Content-Encoding" not in answer.headers


@pytest.mark.parametrize("accept", ["application/vnd.api+json; charset=utf-8", "application/json;q=0.1", "text/html", "application/pdf", "nonsense", "a/b/c", ";", ""])  # fmt: skip
def test_a_search_is_json_whatever_accept_says(people: Cast, reader: Software, accept: str) -> None:
    reader.http.headers["Accept"] = accept
    answer = reader.search(people.janssens, [people.bakery.company_number])
    assert answer.status_code == 201
    assert answer.headers["Content-Type"] == "application/vnd.api+json"


def test_a_body_with_get_of_a_document_or_of_the_root_is_ignored(
    people: Cast, reader: Software, statement: Document
) -> None:
    body = {"content": b"{", "headers": {"Content-Type": "application/json"}}
    number = people.bakery.company_number
    assert reader.document(people.janssens, number, statement.uuid, **body).status_code == 200
    assert reader.call("GET", "", content=b"{").status_code == 200


def test_a_wrong_signature_on_a_post_is_no_reason_to_refuse(people: Cast, reader: Software) -> None:
    reader.http.headers.update({"Digest": "SHA-512=wrong", "Signature": 'keyId="x",signature="y"'})
    assert reader.search(people.janssens, [people.bakery.company_number]).status_code == 201


def test_the_root_speaks_of_the_host_the_caller_used(portal: str) -> None:
    port = httpx.URL(portal).port
    answer = httpx.get(f"http://127.0.0.1:{port}/codabox-connect")
    assert answer.json()["links"]["self"] == f"http://127.0.0.1:{port}/codabox-connect"


def test_a_foreign_host_name_is_refused_in_json(portal: str) -> None:
    answer = httpx.get(f"{portal}/codabox-connect", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert errors(answer) == [("invalidParameter", None)]
    assert answer.headers["ibanity-request-id"]


def test_a_cookie_opens_nothing(people: Cast, portal: str, client: Any) -> None:
    client.force_login(people.an)
    cookies = {name: morsel.value for name, morsel in client.cookies.items()}
    assert cookies
    path = f"{portal}/codabox-connect/accounting-office-consents/{people.consent.uuid}"
    assert httpx.get(path, cookies=cookies).status_code == 401
