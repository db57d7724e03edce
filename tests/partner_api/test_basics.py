"""connect-api sections 1, 2 and 3: headers, root and token, over real HTTP."""

from __future__ import annotations

import base64
import json
import re
import shutil
import socket
import subprocess
import uuid
from datetime import timedelta
from hashlib import sha256
from typing import Any

import httpx
import pytest
from django.db.models.functions import Now
from oauth2_provider.models import AccessToken

from partners.models import Application, Partner
from tests import factories
from tests.conftest import Cast, Software

SOME_ID = "0f8fad5b-d9cb-469f-a165-70867728950e"
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
     "application/vnd.api+json;charset=UTF-8", 'application/json; charset="utf-8"',
     "application/json; charset=us-ascii", "application/vnd.api+json;version=2",
     "application/json; x*=nope''y"],
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


@pytest.mark.parametrize(
    ("charset", "encoding"),
    [("utf-8", "utf-8"), ("utf-8", "utf-8-sig"), ("", "utf-8-sig"), ("ISO-8859-1", "latin-1")],
)
def test_a_body_is_read_in_the_charset_it_names(
    people: Cast, ledgerly: Software, charset: str, encoding: str
) -> None:
    """Some programs begin a file with a byte order mark, older ones speak Latin-1."""
    number = people.janssens.company_number
    attributes = {"accountingOfficeCompanyNumber": number, "state": "café"}
    body = json.dumps({"data": {"attributes": attributes}}, ensure_ascii=False)
    answer = ledgerly.call(
        "POST",
        "/accounting-office-consents",
        content=body.encode(encoding),
        headers={"Content-Type": f"application/json; charset={charset}"},
    )
    assert answer.status_code == 200
    assert people.fresh().state == "café"


@pytest.mark.requirement(55)
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
                "acknowledgements": f"{office}/acknowledgements",
                "clients": f"{office}/clients",
                "documentChanges": f"{office}/document-changes",
                "documentDownloads": f"{office}/document-downloads",
                "documentSearches": f"{office}/document-searches",
                "bankAccountStatements": f"{client}/bank-account-statements/{{bankAccountStatementId}}",
                "payrollStatements": f"{client}/payroll-statements/{{payrollStatementId}}",
                "creditCardStatements": f"{client}/credit-card-statements/{{creditCardStatementId}}",
                "salesInvoices": f"{client}/sales-invoices/{{salesInvoiceId}}",
                "purchaseInvoices": f"{client}/purchase-invoices/{{purchaseInvoiceId}}",
            },
            "events": f"{base}/events",
            "webhooks": {
                "keys": f"{base}/webhooks/keys",
                "endpoint": f"{base}/webhooks/endpoint",
                "deliveries": f"{base}/webhooks/deliveries",
            },
        }
    }  # fmt: skip


def ask_token(software: Software, **options: Any) -> httpx.Response:
    options.setdefault("auth", (software.client_id, software.secret))
    query = options.pop("query", "")
    return software.http.post(f"/codabox-connect/oauth2/token{query}", **options)


def test_a_token_is_opaque_short_and_lasts_half_an_hour(ledgerly: Software) -> None:
    answer = ask_token(
        ledgerly, data={"grant_type": "client_credentials", "scope": "x", "extra": "1"}
    )
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    token = answer.json()
    assert set(token) == {"access_token", "expires_in", "token_type", "scope"}
    assert len(token["access_token"]) <= 100
    assert (token["expires_in"], token["token_type"], token["scope"]) == (1800, "bearer", "")


def test_the_grant_type_in_the_query_with_an_empty_body_is_accepted(ledgerly: Software) -> None:
    assert ask_token(ledgerly, query="?grant_type=client_credentials").status_code == 200


def test_a_form_may_come_in_chunks(ledgerly: Software) -> None:
    """Some HTTP libraries send every body without a length."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    asked = ask_token(ledgerly, content=iter([b"grant_type=", b"client_credentials"]), headers=form)
    assert asked.status_code == 200
    token = asked.json()["access_token"].encode()
    revoked = ledgerly.http.post(
        "/codabox-connect/oauth2/revoke",
        content=iter([b"token=", token]),
        headers=form,
        auth=(ledgerly.client_id, ledgerly.secret),
    )
    assert revoked.status_code == 200
    assert not AccessToken.objects.filter(token_checksum=sha256(token).hexdigest()).exists()
    huge = ask_token(ledgerly, content=iter([b"x" * 700_000] * 2), headers=form)
    assert (huge.status_code, huge.json()["errors"][0]["code"]) == (413, "payloadTooLarge")


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl (Debian: apt install curl)")
@pytest.mark.parametrize("version", ["--http1.1", "--http2-prior-knowledge"])
def test_a_body_needs_no_length_in_either_version_of_http(
    ledgerly: Software, portal: str, version: str
) -> None:
    url = f"{portal}/codabox-connect/oauth2/token"
    options = ["--user", f"{ledgerly.client_id}:{ledgerly.secret}", "--request", "POST"]
    options += ["--header", "Content-Type: application/x-www-form-urlencoded"]
    told = subprocess.run(
        ["curl", "-sS", version, *options, "--upload-file", "-", url],
        input=b"grant_type=client_credentials",
        capture_output=True,
        check=True,
    )
    assert json.loads(told.stdout)["token_type"] == "bearer"


def test_a_post_with_neither_body_nor_length_is_answered_at_once(
    ledgerly: Software, portal: str
) -> None:
    words = base64.b64encode(f"{ledgerly.client_id}:{ledgerly.secret}".encode()).decode()
    with socket.create_connection(("127.0.0.1", int(portal.rpartition(":")[2])), 10) as line:
        line.sendall(
            b"POST /codabox-connect/oauth2/token?grant_type=client_credentials HTTP/1.1\r\n"
            b"Host: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            + f"Authorization: Basic {words}\r\n\r\n".encode()
        )
        assert line.recv(100).startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
def test_the_name_of_the_scheme_is_in_any_case(ledgerly: Software, scheme: str) -> None:
    words = base64.b64encode(f"{ledgerly.client_id}:{ledgerly.secret}".encode()).decode()
    headers = {"Authorization": f"{scheme} {words}"}
    form = {"grant_type": "client_credentials"}
    assert ask_token(ledgerly, data=form, headers=headers, auth=None).status_code == 200


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", "iso-8859-1", "us-ascii", "utf-16", "nope"])
def test_the_charset_of_a_form_does_not_matter(ledgerly: Software, charset: str) -> None:
    """What counts in it is plain ASCII, and some end it with a line break."""
    kind = f"application/x-www-form-urlencoded; charset={charset}"
    for body in ("grant_type=client_credentials", "grant_type=client_credentials\r\n"):
        answer = ask_token(ledgerly, content=body, headers={"Content-Type": kind})
        assert answer.status_code == 200, answer.text


def test_several_tokens_live_side_by_side(people: Cast, ledgerly: Software) -> None:
    tokens = {ledgerly.login() for _ in range(3)} | {ledgerly.token}
    assert len(tokens) == 4
    for ledgerly.token in tokens:
        path = f"/accounting-office-consents/{people.consent.uuid}"
        assert ledgerly.call("GET", path).status_code == 200


def test_wrong_credentials_are_invalid_client(ledgerly: Software) -> None:
    form = {"grant_type": "client_credentials"}
    wrong_secret = ask_token(ledgerly, data=form, auth=(ledgerly.client_id, "wrong"))
    wrong_id = ask_token(ledgerly, data=form, auth=("nobody", ledgerly.secret))
    no_auth = ledgerly.http.post("/codabox-connect/oauth2/token", data=form)
    for answer in (wrong_secret, wrong_id, no_auth):
        assert answer.status_code == 401
        assert answer.json()["error"] == "invalid_client"
        assert answer.json()["error_description"]
    assert wrong_secret.content == wrong_id.content


@pytest.mark.parametrize(
    ("form", "error"),
    [({"grant_type": "password"}, "unsupported_grant_type"), ({}, "invalid_request"),
     ({"grant_type": ["client_credentials", "client_credentials"]}, "invalid_request")],
)  # fmt: skip
def test_other_grants_are_400(ledgerly: Software, form: Any, error: str) -> None:
    answer = ask_token(ledgerly, data=form)
    assert answer.status_code == 400
    assert answer.json()["error"] == error


@pytest.mark.requirement(110)
@pytest.mark.parametrize("status", ["draft", "retired"])
def test_a_partner_that_is_not_active_gets_no_token(
    people: Cast, ledgerly: Software, status: str
) -> None:
    # Nobody retires while a consent is open.
    ledgerly.call("DELETE", f"/accounting-office-consents/{people.consent.uuid}")
    Partner.objects.filter(pk=ledgerly.partner.pk).update(status=status)
    answer = ask_token(ledgerly, data={"grant_type": "client_credentials"})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.requirement(44, 45)
def test_tokens_and_secrets_are_kept_as_digests_only(ledgerly: Software) -> None:
    kept = AccessToken.objects.get(application__client_id=ledgerly.client_id)
    assert ledgerly.token not in (kept.token, kept.token_checksum)
    application = Application.objects.get(client_id=ledgerly.client_id)
    assert ledgerly.secret not in application.client_secret
    assert re.fullmatch(r"sha256-high-entropy\$[0-9a-f]{64}", application.client_secret)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", "Basic x", "Bearer é"])
def test_without_a_good_token_it_is_401(people: Cast, ledgerly: Software, header: str) -> None:
    answer = ledgerly.http.get(
        f"/codabox-connect/accounting-office-consents/{people.consent.uuid}",
        headers={b"Authorization": header.encode()} if header else {},
    )
    assert answer.status_code == 401
    # What the challenge says besides: test_precise_refusals.
    assert answer.headers["WWW-Authenticate"].partition(" ")[0] == "Bearer"
    assert answer.json()["errors"][0]["code"] == "unauthorized"


@pytest.mark.requirement(7)
def test_an_expired_and_a_revoked_token_are_401(people: Cast, ledgerly: Software) -> None:
    path = f"/accounting-office-consents/{people.consent.uuid}"
    AccessToken.objects.filter(application__client_id=ledgerly.client_id).update(
        expires=Now() - timedelta(seconds=1)
    )
    assert ledgerly.call("GET", path).status_code == 401
    ledgerly.token = ledgerly.login()
    assert ledgerly.call("GET", path).status_code == 200
    revoked = ledgerly.http.post(
        "/codabox-connect/oauth2/revoke",
        data={"token": ledgerly.token},
        auth=(ledgerly.client_id, ledgerly.secret),
    )
    assert revoked.status_code == 200
    assert ledgerly.call("GET", path).status_code == 401


def test_revoking_answers_200_whatever_the_token_and_spares_those_of_others(
    people: Cast, ledgerly: Software, portal: str
) -> None:
    tally = Software(portal, people.tally)
    for token in ("unknown", ledgerly.token):
        answer = tally.http.post(
            "/codabox-connect/oauth2/revoke",
            data={"token": token},
            auth=(tally.client_id, tally.secret),
        )
        assert answer.status_code == 200
    path = f"/accounting-office-consents/{people.consent.uuid}"
    assert ledgerly.call("GET", path).status_code == 200


@pytest.mark.requirement(43)
def test_tally_sees_nothing_that_ledgerly_asked_for(people: Cast, portal: str) -> None:
    factories.allow(people.consent, people.anna)
    tally = Software(portal, people.tally)
    foreign = tally.call("GET", f"/accounting-office-consents/{people.consent.uuid}")
    unknown = tally.call("GET", f"/accounting-office-consents/{uuid.uuid4()}")
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.content == unknown.content
    assert (
        tally.call("DELETE", f"/accounting-office-consents/{people.consent.uuid}").status_code
        == 404
    )
    assert people.fresh().status == "allowed"
    searched = tally.search(people.janssens, [people.bakery.company_number])
    assert (searched.status_code, searched.content) == (404, foreign.content)
