"""connect-api section 3: tokens, over real HTTP."""

from __future__ import annotations

import base64
import re
import uuid
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.db import connection
from django.db.models.functions import Now
from oauth2_provider.models import AccessToken

from partners.models import Application, Partner
from tests import factories
from tests.conftest import Cast, Software


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


@pytest.mark.parametrize("status", ["draft", "retired"])
def test_a_partner_that_is_not_active_gets_no_token(ledgerly: Software, status: str) -> None:
    Partner.objects.filter(pk=ledgerly.partner.pk).update(status=status)
    answer = ask_token(ledgerly, data={"grant_type": "client_credentials"})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


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
        headers={"Authorization": header.encode()} if header else {},
    )
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json()["errors"][0]["code"] == "unauthorized"


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


def test_tally_sees_nothing_that_ledgerly_asked_for(people: Cast, portal: str) -> None:
    factories.allow(people.consent, people.an)
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


def test_the_form_may_name_its_charset(ledgerly: Software) -> None:
    answer = ask_token(
        ledgerly,
        content="grant_type=client_credentials",
        headers={"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"},
    )
    assert answer.status_code == 200


def test_every_answer_about_tokens_is_json_and_not_stored(ledgerly: Software) -> None:
    form = {"grant_type": "client_credentials"}
    for answer in (
        ask_token(ledgerly, data=form),
        ask_token(ledgerly, data={}),
        ask_token(ledgerly, data=form, auth=("nobody", "x")),
        ledgerly.http.post("/codabox-connect/oauth2/revoke", data={"token": "x"}),
    ):
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["ibanity-request-id"]
        assert isinstance(answer.json(), dict)


@pytest.mark.parametrize("credentials", [b":", b"x", b"a:b:c", b"\x00:\x00", b"\xff:\xff", b"a\x00b:c", b"x" * 5000 + b":y"], ids=range(7))  # fmt: skip
def test_broken_credentials_are_invalid_client(ledgerly: Software, credentials: bytes) -> None:
    answer = ledgerly.http.post(
        "/codabox-connect/oauth2/token",
        data={"grant_type": "client_credentials"},
        headers={"Authorization": f"Basic {base64.b64encode(credentials).decode()}"},
    )
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    "header", ["Basic", "Basic !!!", "Basic é", "Bearer x", "Digest x", "basic"]
)
def test_a_broken_authorization_is_invalid_client(ledgerly: Software, header: str) -> None:
    answer = ledgerly.http.post(
        "/codabox-connect/oauth2/token",
        data={"grant_type": "client_credentials"},
        headers={"Authorization": header.encode()},
    )
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    ("content", "media_type"),
    [(b"\xff\xfe", "application/x-www-form-urlencoded"), (b"{}", "application/json"),
     (b"grant_type=%00", "application/x-www-form-urlencoded"),
     (b"grant_type=%ff", "application/x-www-form-urlencoded"),
     (b"x", "multipart/form-data"), (b"x", "multipart/form-data; boundary=y"),
     (b"grant_type=client_credentials", "text/plain"),
     (b"a=1&" * 2000, "application/x-www-form-urlencoded")],
    ids=range(8),
)  # fmt: skip
def test_a_body_that_is_no_form_is_400(ledgerly: Software, content: bytes, media_type: str) -> None:
    answer = ask_token(ledgerly, content=content, headers={"Content-Type": media_type})
    assert answer.status_code == 400
    assert answer.json()["error"] in ("invalid_request", "unsupported_grant_type")


def test_a_form_that_is_too_large_is_refused_in_json(ledgerly: Software) -> None:
    answer = ask_token(ledgerly, data={"grant_type": "client_credentials", "x": "x" * 2_000_000})
    assert answer.status_code == 413
    assert answer.json()


def test_revoking_without_good_credentials_is_401_and_revokes_nothing(
    people: Cast, ledgerly: Software
) -> None:
    for auth in (None, (ledgerly.client_id, "wrong")):
        answer = ledgerly.http.post(
            "/codabox-connect/oauth2/revoke", data={"token": ledgerly.token}, auth=auth
        )
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    path = f"/accounting-office-consents/{people.consent.uuid}"
    assert ledgerly.call("GET", path).status_code == 200


@pytest.mark.parametrize("form", [{}, {"token": ""}, {"token": "\0"}, {"token": "x" * 5000}, {"token": "x", "token_type_hint": "nonsense"}, {"token": "x", "extra": "1"}], ids=range(6))  # fmt: skip
def test_revoking_answers_200_for_any_token(ledgerly: Software, form: dict[str, str]) -> None:
    answer = ledgerly.http.post(
        "/codabox-connect/oauth2/revoke", data=form, auth=(ledgerly.client_id, ledgerly.secret)
    )
    assert answer.status_code == 200


def test_revoking_one_token_spares_the_others(people: Cast, ledgerly: Software) -> None:
    other = ledgerly.login()
    ledgerly.http.post(
        "/codabox-connect/oauth2/revoke",
        data={"token": other},
        auth=(ledgerly.client_id, ledgerly.secret),
    )
    path = f"/accounting-office-consents/{people.consent.uuid}"
    assert ledgerly.call("GET", path).status_code == 200
    ledgerly.token = other
    assert ledgerly.call("GET", path).status_code == 401


def test_no_table_holds_a_token_or_a_secret_in_clear(ledgerly: Software) -> None:
    with connection.cursor() as cursor:
        for table in ("oauth2_provider_accesstoken", "partners_application"):
            cursor.execute(f"select string_agg(t::text, ' ') from {table} t")
            (text,) = cursor.fetchone()
            assert ledgerly.client_id in text or table != "partners_application"
            assert ledgerly.token not in text
            assert ledgerly.secret not in text


@pytest.mark.parametrize("header", [b"Bearer \xff\xfe", b"Bearer " + b"x" * 7000, b"bearer", b"Bearer,x"], ids=range(4))  # fmt: skip
def test_a_broken_bearer_is_401(people: Cast, ledgerly: Software, header: bytes) -> None:
    answer = ledgerly.http.get(
        f"/codabox-connect/accounting-office-consents/{people.consent.uuid}",
        headers={"Authorization": header},
    )
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_a_token_of_a_retired_partner_is_dead_at_once(people: Cast, ledgerly: Software) -> None:
    path = f"/accounting-office-consents/{people.consent.uuid}"
    assert ledgerly.call("GET", path).status_code == 200
    Partner.objects.filter(pk=ledgerly.partner.pk).update(status="retired")
    assert ledgerly.call("GET", path).status_code == 401


def test_two_credentials_of_one_partner_see_the_same_consents(
    people: Cast, ledgerly: Software, portal: str
) -> None:
    second = Software(portal, people.ledgerly)
    path = f"/accounting-office-consents/{people.consent.uuid}"
    assert second.client_id != ledgerly.client_id
    assert second.call("GET", path).content == ledgerly.call("GET", path).content
