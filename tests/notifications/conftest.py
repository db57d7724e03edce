"""Software with an endpoint on this machine."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from notifications.models import WebhookEndpoint
from tests import factories
from tests.conftest import Cast
from tests.notifications.receiver import Receiver


@pytest.fixture
def receiver(httpserver: HTTPServer, settings: Any) -> Receiver:
    settings.PORTAL_WEBHOOKS_ALLOW_LOOPBACK = True
    return Receiver(httpserver)


@pytest.fixture
def endpoint(cast: Cast, receiver: Receiver) -> WebhookEndpoint:
    factories.make_application(cast.ledgerly)
    factories.webhook_key()
    url = receiver.server.url_for("/hook")
    return WebhookEndpoint.objects.create(partner=cast.ledgerly, url=url)
