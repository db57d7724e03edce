"""What software is told is signed, so that it can tell who said it, and to whom."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

import jwt
import pytest
import time_machine
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.models.functions import Now
from joserfc import jwt as other_jwt
from joserfc.jwk import KeySet
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from consents.models import EventKind
from notifications.models import WebhookEndpoint, WebhookKey
from notifications.webhooks import signing_keys
from notifications.webhooks.sign import event_body, signature
from notifications.webhooks.standard_webhooks import headers, secret_of
from tests.conftest import Cast
from tests.factories import acting, allow
from tests.notifications.receiver import Receiver, hear

# What a typed client is configured with, and compares `iss` with.
HOST_ROOT = "https://connect.example"


@pytest.fixture(autouse=True)
def portal_at_the_host_root(settings: Any) -> None:
    settings.PORTAL_URL = HOST_ROOT


@pytest.mark.requirement(66)
def test_two_libraries_verify_the_signature_through_a_rotation(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    allow(cast.consent, cast.anna)
    hear(endpoint)
    WebhookKey.objects.update(created_at=Now() - timedelta(hours=2))
    call_command("rotate_webhook_signing_key", stdout=open(os.devnull, "w"))  # noqa: SIM115
    cast.fresh().pause(acting(cast.anna))
    hear(endpoint)
    WebhookKey.objects.update(created_at=Now() - timedelta(hours=2))
    cast.fresh().resume(acting(cast.anna))
    hear(endpoint)
    kids = [jwt.get_unverified_header(token)["kid"] for token in receiver.signatures]
    # Published first, and signing only an hour later.
    assert kids[0] == kids[1] != kids[2]
    published = {"keys": [key.as_jwk() for key in signing_keys.published()]}
    client = cast.ledgerly.applications.get().client_id
    for token, body in zip(receiver.signatures, receiver.bodies, strict=True):
        for claims in (verified(token, published, client), verified_too(token, published)):
            assert claims["digest"] == base64.b64encode(hashlib.sha512(body).digest()).decode()
            assert claims["aud"] == client
            assert claims["iss"] == HOST_ROOT
            assert 0 < claims["exp"] - claims["iat"] <= 300
    assert len({verified_too(t, published)["jti"] for t in receiver.signatures}) == 3


def verified(
    token: str, published: dict[str, Any], client: str, issuer: str = HOST_ROOT
) -> dict[str, Any]:
    """The claims, by PyJWT."""
    keys = jwt.PyJWKSet.from_dict(published)
    key = keys[jwt.get_unverified_header(token)["kid"]]
    told: dict[str, Any] = jwt.decode(
        token, key, algorithms=["RS512"], audience=client, issuer=issuer
    )
    return told


def verified_too(token: str, published: dict[str, Any]) -> dict[str, Any]:
    """The claims, by joserfc."""
    keys = KeySet.import_key_set(published)  # type: ignore[arg-type]
    claims = other_jwt.decode(token, keys, algorithms=["RS512"]).claims
    rules = other_jwt.JWTClaimsRegistry(iss={"essential": True, "value": HOST_ROOT})
    rules.validate(claims)
    return dict(claims)


@pytest.mark.requirement(66)
def test_a_changed_byte_an_old_token_and_another_audience_are_noticed(
    cast: Cast, endpoint: WebhookEndpoint
) -> None:
    allow(cast.consent, cast.anna)
    body = event_body(cast.consent.events.get(kind=EventKind.ALLOWED))
    token = signature(body, cast.ledgerly)
    published = {"keys": [key.as_jwk() for key in signing_keys.published()]}
    client = cast.ledgerly.applications.get().client_id
    digest = base64.b64encode(hashlib.sha512(body[:-1] + b"x").digest()).decode()
    assert verified(token, published, client)["digest"] != digest
    with pytest.raises(jwt.InvalidAudienceError):
        verified(token, published, "somebody else")
    with pytest.raises(jwt.InvalidIssuerError):
        verified(token, published, client, f"{HOST_ROOT}/codabox-connect")
    head, claims, seal = token.split(".")
    with pytest.raises(jwt.InvalidSignatureError):
        verified(f"{head}.{claims[:-2]}AA.{seal}", published, client)
    after = datetime.now(tz=UTC) + timedelta(seconds=301)
    with time_machine.travel(after), pytest.raises(jwt.ExpiredSignatureError):
        verified(token, published, client)


def test_the_keys_have_3072_bits_and_lie_encrypted(cast: Cast) -> None:
    key = signing_keys.current()
    public = key.as_jwk()
    size = len(base64.urlsafe_b64decode(public["n"] + "==")) * 8
    assert size == 3072
    assert (public["use"], public["alg"], public["status"]) == ("sig", "RS512", "ACTIVE")
    private = json.loads(signing_keys.private_half(key).export_private())
    with connection.cursor() as cursor:
        cursor.execute("select to_jsonb(k)::text from notifications_webhookkey k")
        stored = cursor.fetchone()[0]
    assert private["d"] not in stored
    for _again in range(3):
        signing_keys.rotate()
    assert WebhookKey.objects.count() == 2


def test_a_key_is_published_before_the_first_endpoint_exists(cast: Cast) -> None:
    WebhookKey.objects.all().delete()
    assert not WebhookEndpoint.objects.exists()
    migration = import_module("notifications.migrations.0002_publish_first_signing_key")
    for _again in range(2):
        migration.publish(apps, connection.schema_editor())
    (published,) = signing_keys.published()
    assert signing_keys.current() == published
    assert signing_keys.create_first() == published
    assert WebhookKey.objects.count() == 1


@pytest.mark.requirement(66)
def test_the_public_library_verifies_every_delivery(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    allow(cast.consent, cast.anna)
    cast.fresh().pause(acting(cast.anna))
    hear(endpoint)
    secret = secret_of(endpoint)
    for body, sent in zip(receiver.bodies, receiver.headers, strict=True):
        assert Webhook(secret).verify(body, sent)["data"]["id"] == sent["webhook-id"]
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, sent | {"webhook-id": "another"})
    assert len(receiver.bodies) == 2
    old = (datetime.now(tz=UTC) + timedelta(minutes=6)).replace(tzinfo=UTC)
    with time_machine.travel(old), pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(receiver.bodies[0], receiver.headers[0])


def test_the_secret_of_an_endpoint_survives_a_new_secret_key_and_ends_with_its_version(
    cast: Cast, endpoint: WebhookEndpoint, settings: Any
) -> None:
    before = secret_of(endpoint)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another secret key of the portal"
    after = secret_of(endpoint)
    assert after != before
    body = b'{"data": {}}'
    sent = dict(headers(endpoint, "message", body))
    for secret in (before, after):
        Webhook(secret).verify(body, sent)
    assert endpoint.renew_secret(endpoint.secret_version)
    assert not endpoint.renew_secret(1)
    sent = dict(headers(endpoint, "message", body))
    Webhook(secret_of(endpoint)).verify(body, sent)
    for secret in (before, after):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, sent)


def test_no_row_holds_the_secret_of_an_endpoint(cast: Cast, endpoint: WebhookEndpoint) -> None:
    with connection.cursor() as cursor:
        cursor.execute("select to_jsonb(e)::text from notifications_webhookendpoint e")
        assert secret_of(endpoint).removeprefix("whsec_") not in cursor.fetchone()[0]
