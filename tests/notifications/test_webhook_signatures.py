"""What a software is told is signed, so that it can tell who said it, and to whom."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
import time_machine
from django.core.management import call_command
from django.db import connection
from django.db.models.functions import Now
from joserfc import jwt as other_jwt
from joserfc.jwk import KeySet

from consents.models import EventKind
from notifications.models import WebhookEndpoint, WebhookKey
from notifications.webhooks import body_of, signature_of
from tests.conftest import Cast
from tests.factories import acting, allow
from tests.notifications.receiver import Receiver, hear


def test_two_libraries_verify_the_signature_through_a_rotation(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver
) -> None:
    allow(cast.consent, cast.an)
    hear(endpoint)
    WebhookKey.objects.update(made_at=Now() - timedelta(hours=2))
    call_command("rotate_webhook_key", stdout=open(os.devnull, "w"))  # noqa: SIM115
    cast.fresh().pause(acting(cast.an))
    hear(endpoint)
    WebhookKey.objects.update(made_at=Now() - timedelta(hours=2))
    cast.fresh().resume(acting(cast.an))
    hear(endpoint)
    kids = [jwt.get_unverified_header(token)["kid"] for token in receiver.signatures]
    # Published first, and signing only an hour later.
    assert kids[0] == kids[1] != kids[2]
    published = {"keys": [key.as_jwk() for key in WebhookKey.objects.published()]}
    client = cast.ledgerly.applications.get().client_id
    for token, body in zip(receiver.signatures, receiver.bodies, strict=True):
        for claims in (verified(token, published, client), verified_too(token, published)):
            assert claims["digest"] == base64.b64encode(hashlib.sha512(body).digest()).decode()
            assert claims["aud"] == client
            assert claims["iss"].endswith("/codabox-connect")
            assert 0 < claims["exp"] - claims["iat"] <= 300
    assert len({verified_too(t, published)["jti"] for t in receiver.signatures}) == 3


def verified(token: str, published: dict[str, Any], client: str) -> dict[str, Any]:
    """The claims, by PyJWT."""
    keys = jwt.PyJWKSet.from_dict(published)
    key = keys[jwt.get_unverified_header(token)["kid"]]
    told: dict[str, Any] = jwt.decode(token, key, algorithms=["RS512"], audience=client)
    return told


def verified_too(token: str, published: dict[str, Any]) -> dict[str, Any]:
    """The claims, by joserfc."""
    keys = KeySet.import_key_set(published)  # type: ignore[arg-type]
    return dict(other_jwt.decode(token, keys, algorithms=["RS512"]).claims)


def test_a_changed_byte_an_old_token_and_another_audience_are_noticed(
    cast: Cast, endpoint: WebhookEndpoint
) -> None:
    allow(cast.consent, cast.an)
    body = body_of(cast.consent.events.get(kind=EventKind.ALLOWED))
    token = signature_of(body, cast.ledgerly)
    published = {"keys": [key.as_jwk() for key in WebhookKey.objects.published()]}
    client = cast.ledgerly.applications.get().client_id
    digest = base64.b64encode(hashlib.sha512(body[:-1] + b"x").digest()).decode()
    assert verified(token, published, client)["digest"] != digest
    with pytest.raises(jwt.InvalidAudienceError):
        verified(token, published, "somebody else")
    head, claims, seal = token.split(".")
    with pytest.raises(jwt.InvalidSignatureError):
        verified(f"{head}.{claims[:-2]}AA.{seal}", published, client)
    after = datetime.now(tz=UTC) + timedelta(seconds=301)
    with time_machine.travel(after), pytest.raises(jwt.ExpiredSignatureError):
        verified(token, published, client)


def test_the_keys_have_3072_bits_and_lie_encrypted(cast: Cast) -> None:
    key = WebhookKey.objects.signing()
    public = key.as_jwk()
    size = len(base64.urlsafe_b64decode(public["n"] + "==")) * 8
    assert size == 3072
    assert (public["use"], public["alg"], public["status"]) == ("sig", "RS512", "ACTIVE")
    private = json.loads(key.private().export_private())
    with connection.cursor() as cursor:
        cursor.execute("select to_jsonb(k)::text from notifications_webhookkey k")
        stored = cursor.fetchone()[0]
    assert private["d"] not in stored
    for _again in range(3):
        WebhookKey.objects.rotate()
    assert WebhookKey.objects.count() == 2
