"""A refusal says what is wrong: which member, which token, which limit, who can help."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import pairwise
from typing import Any

import httpx
import pytest
from django.db.models.functions import Now
from oauth2_provider.models import AccessToken

from consents.models import Consent
from partners.models import Partner
from tests import factories
from tests.conftest import Cast, Software
from tests.factories import CODA, allow

CLIENTS = "/data/relationships/clients/data"


def faults(answer: httpx.Response) -> list[tuple[str, str | None, str]]:
    return [
        (error["code"], error.get("source", {}).get("pointer"), error["detail"])
        for error in answer.json()["errors"]
    ]


def test_every_detail_names_its_member(people: Cast, ledgerly: Software) -> None:
    allow(people.consent, people.anna)
    search = {
        "data": {
            "type": "client",
            "attributes": {"documentType": "x", "from": "x", "to": 5},
            "relationships": {"clients": {"data": []}},
        },
        "meta": {"paging": {"limit": 0, "after": "x"}},
    }
    office = f"/accounting-offices/{people.janssens.uuid}/document-searches"
    consent = {"data": {"type": "x", "attributes": {"redirectUri": "x", "state": 5}}}
    answers = [
        ledgerly.call("POST", office, json=search),
        ledgerly.call("POST", "/accounting-office-consents", json=consent),
        ledgerly.call("POST", "/accounting-office-consents", json={}),
    ]
    seen = set()
    for answer in answers:
        assert answer.status_code == 400
        for _code, pointer, detail in faults(answer):
            name = str(pointer).rsplit("/", 1)[-1] if pointer != CLIENTS else "clients"
            assert detail.startswith(f"{name} "), detail
            seen.add(name)
    assert seen == {
        *("type", "documentType", "from", "to", "clients", "limit", "after"),
        *("accountingOfficeCompanyNumber", "redirectUri", "state", "data"),
    }
    query = ledgerly.call("GET", "/events", params={"limit": "0", "after": "x"})
    assert [detail.split()[0] for _, _, detail in faults(query)] == ["after", "limit"]


@pytest.mark.parametrize(
    "identifier", ["BE0010000007", "0010.000.007", "10000007", "", "٠٠١٠٠٠٠٠٠٧"]
)
def test_a_malformed_client_id_is_400_with_a_pointer(
    people: Cast, ledgerly: Software, identifier: str
) -> None:
    allow(people.consent, people.anna)
    good = people.bakery.company_number
    answer = ledgerly.search(people.janssens, [good, identifier, "0999999922"])
    assert answer.status_code == 400
    ((code, pointer, detail),) = faults(answer)
    assert (code, pointer) == ("validationError", f"{CLIENTS}/1/id")
    assert detail == "id must be an enterprise number: 10 digits, without BE or dots."
    # A well-formed number that nobody has is unknown, as ever.
    unknown = ledgerly.search(people.janssens, [good, "0999999922"])
    assert unknown.status_code == 201
    assert unknown.json()["meta"]["unknownClients"] == ["0999999922"]


@pytest.mark.parametrize(
    ("header", "says", "challenge"),
    [
        (None, "is missing", "Bearer"),
        ("Bearer", "is missing", "Bearer"),
        ("Basic eDp5", "not Basic", "Bearer"),
        ("Bearer nobody", "is unknown or was revoked", 'Bearer error="invalid_token"'),
        ("Bearer Bearer {token}", "twice", 'Bearer error="invalid_token"'),
        ("Bearer {token}, Bearer {token}", "twice", 'Bearer error="invalid_token"'),
        ("{token}", "must begin with Bearer", "Bearer"),
    ],
)
def test_a_401_says_what_is_wrong_with_the_token(
    people: Cast, ledgerly: Software, header: str | None, says: str, challenge: str
) -> None:
    headers = {} if header is None else {"Authorization": header.format(token=ledgerly.token)}
    path = f"/codabox-connect/accounting-office-consents/{people.consent.uuid}"
    answer = ledgerly.http.get(path, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == challenge
    ((code, _pointer, detail),) = faults(answer)
    assert code == "unauthorized"
    assert says in detail


def test_an_expired_token_is_not_called_unknown(people: Cast, ledgerly: Software) -> None:
    mine = AccessToken.objects.filter(application__client_id=ledgerly.client_id)
    mine.update(expires=Now() - timedelta(seconds=1))
    answer = ledgerly.call("GET", f"/accounting-office-consents/{people.consent.uuid}")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    assert "has expired" in answer.json()["errors"][0]["detail"]


def test_a_kind_that_the_office_leaves_out_has_a_code_of_its_own(
    people: Cast, ledgerly: Software
) -> None:
    """Who can help is another one: the office here, the portal where it is not registered."""
    allow(people.consent, people.anna)
    document = factories.make_document(people.bakery, contents={CODA: b"0"})
    number = people.bakery.company_number
    Consent.objects.filter(pk=people.consent.pk).update(excluded_kinds=["bankAccountStatement"])
    Partner.objects.filter(pk=people.ledgerly.pk).update(
        document_kinds=["bankAccountStatement", "payrollStatement"]
    )

    def codes(kind: str) -> set[tuple[int, str]]:
        answers: list[Any] = [ledgerly.search(people.janssens, [number], documentType=kind)]
        if kind == "bankAccountStatement":
            answers.append(ledgerly.document(people.janssens, number, document.uuid))
        return {(a.status_code, a.json()["errors"][0]["code"]) for a in answers if a.is_error}

    assert codes("bankAccountStatement") == {(403, "documentTypeNotShared")}
    assert codes("salesInvoice") == {(403, "documentTypeNotAllowed")}
    assert codes("payrollStatement") == set()
    detail = ledgerly.search(people.janssens, [number]).json()["errors"][0]["detail"]
    assert "office does not share" in detail


def test_a_token_too_many_is_refused_in_the_shape_of_oauth(
    people: Cast, ledgerly: Software
) -> None:
    Partner.objects.filter(pk=people.ledgerly.pk).update(calls_per_minute=1)
    for _call in range(6):
        answer = ledgerly.http.post(
            "/codabox-connect/oauth2/token",
            data={"grant_type": "client_credentials"},
            auth=(ledgerly.client_id, ledgerly.secret),
        )
    assert answer.status_code == 429
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json()["error"] == "too_many_requests"
    assert "wait" in answer.json()["error_description"]
    assert 1 <= int(answer.headers["Retry-After"]) <= 60


POLICY = re.compile(r'"(calls|tokens)";q=(\d+);w=60')
STATE = re.compile(r'"(calls|tokens)";r=(\d+);t=(\d+)')


def limits(answer: httpx.Response) -> tuple[str, int, int]:
    policy = POLICY.fullmatch(answer.headers["RateLimit-Policy"])
    state = STATE.fullmatch(answer.headers["RateLimit"])
    assert policy is not None
    assert state is not None
    assert policy[1] == state[1]
    assert 1 <= int(state[3]) <= 60
    return policy[1], int(policy[2]), int(state[2])


def test_every_answer_says_how_many_calls_are_left(people: Cast, ledgerly: Software) -> None:
    Partner.objects.filter(pk=people.ledgerly.pk).update(calls_per_minute=5)
    path = f"/accounting-office-consents/{people.consent.uuid}"
    answers = [ledgerly.call("GET", path) for _call in range(12)]
    seen = [limits(answer) for answer in answers]
    assert {(name, limit) for name, limit, _left in seen} == {("calls", 5)}
    # The minute may turn over once while this runs.
    lefts = [left for _name, _limit, left in seen]
    assert 0 in lefts
    for before, after in pairwise(lefts):
        assert after in (max(before - 1, 0), 4)
    for answer in answers:
        assert (limits(answer)[2] == 0) or answer.status_code == 200
    asked = ledgerly.http.post(
        "/codabox-connect/oauth2/token",
        data={"grant_type": "client_credentials"},
        auth=(ledgerly.client_id, ledgerly.secret),
    )
    assert limits(asked)[:2] == ("tokens", 5)
    for method, url in (("GET", ""), ("GET", "/nowhere"), ("GET", "/events"), ("PUT", "/events")):
        limits(httpx.request(method, f"{ledgerly.http.base_url}/codabox-connect{url}"))
