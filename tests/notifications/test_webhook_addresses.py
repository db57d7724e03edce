"""No webhook ever reaches the inside, whatever its address says."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import httpcore
import pytest
from django.core.exceptions import ValidationError

from core.public_address import is_public
from notifications.models import Delivery, WebhookEndpoint
from notifications.models.webhook_endpoint import check_address
from tests.conftest import Cast
from tests.factories import allow
from tests.notifications.receiver import Receiver, hear

FORBIDDEN = [
    "127.0.0.1", "127.1", "localhost", "2130706433", "0x7f000001", "0177.0.0.1", "0", "0.0.0.0",
    "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "[fe80::1]", "[fc00::1]", "[fd00:ec2::254]", "224.0.0.1", "[ff02::1]", "240.0.0.1",
    "255.255.255.255", "198.18.0.1", "192.0.2.1", "[2001:db8::1]", "[::ffff:10.0.0.1]",
]  # fmt: skip


@pytest.mark.requirement(67)
@pytest.mark.parametrize("host", FORBIDDEN)
def test_no_connection_ever_ends_inside(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver, settings: Any, host: str
) -> None:
    settings.PORTAL_WEBHOOKS_ALLOW_LOOPBACK = False
    url = f"http://{host}:{receiver.server.port}/hook"
    WebhookEndpoint.objects.update(url=url)
    allow(cast.consent, cast.anna)
    hear(endpoint)
    assert receiver.got == []
    answer = Delivery.objects.get().answer
    assert "AddressRefused" in answer or "no such host" in answer, answer


@pytest.mark.requirement(67)
def test_a_name_that_turns_inside_after_the_check_is_not_looked_up_again(
    cast: Cast, endpoint: WebhookEndpoint, receiver: Receiver, settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Rebinding: the first look-up says a public address, every later one this machine."""
    settings.PORTAL_WEBHOOKS_ALLOW_LOOPBACK = False
    monkeypatch.setattr("notifications.webhooks.send.TIMEOUT", 1.0)
    asked: list[str] = []
    port = receiver.server.port
    look_up: Callable[..., list[Any]] = socket.getaddrinfo

    def answers(host: str, *args: Any, **more: Any) -> list[Any]:
        if host != "rebinding.example":
            return look_up(host, *args, **more)
        asked.append(host)
        address = "203.0.114.1" if len(asked) == 1 else "127.0.0.1"
        return [(2, 1, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", answers)
    reached: list[str] = []
    real = httpcore.SyncBackend.connect_tcp

    def connect(self: Any, host: str, *args: Any, **more: Any) -> Any:
        reached.append(host)
        return real(self, host, *args, **more)

    monkeypatch.setattr(httpcore.SyncBackend, "connect_tcp", connect)
    WebhookEndpoint.objects.update(url=f"http://rebinding.example:{port}/hook")
    allow(cast.consent, cast.anna)
    hear(endpoint)
    assert asked == ["rebinding.example"]
    assert reached == ["203.0.114.1"]
    assert receiver.got == []


# One address of each special range, of the registries of IANA as well as of older standards.
SPECIAL = [
    "0.1.2.3", "192.0.0.9", "192.88.99.1", "198.51.100.1", "203.0.113.1", "255.255.255.255",
    "fec0::1", "feff::1", "fe00::1", "3fff::1", "5f00::1", "100::1", "64:ff9b:1::1", "2001::1",
    "2001:1::1", "2001:20::1", "2001:db8::1", "2002:a00:1::", "4000::1", "::7f00:1",
]  # fmt: skip


@pytest.mark.parametrize("address", SPECIAL)
def test_no_special_range_counts_as_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_the_public_internet_is_open(address: str) -> None:
    assert is_public(address)


@pytest.mark.requirement(67)
@pytest.mark.parametrize(
    "url", ["", "ftp://x.example", "http://x.example", "https://", "https://a:b@x.example/",
            "https://x.example/#top", "x.example"]
)  # fmt: skip
def test_an_address_that_no_webhook_may_have(url: str, settings: Any) -> None:
    settings.PORTAL_WEBHOOKS_ALLOW_LOOPBACK = False
    with pytest.raises(ValidationError):
        check_address(url)


@pytest.mark.requirement(67)
@pytest.mark.parametrize(
    "host", ["10.0.0.1", "10.0.0.1.", "127.0.0.1", "2130706433", "0x7f.1", "0177.0.0.1", "[::1]",
             "[fe80::1%25eth0]", "169.254.169.254", "[::ffff:192.168.1.1]"]
)  # fmt: skip
def test_an_address_of_a_network_of_its_own_is_refused_when_it_is_saved(
    host: str, settings: Any
) -> None:
    settings.PORTAL_WEBHOOKS_ALLOW_LOOPBACK = False
    with pytest.raises(ValidationError) as refused:
        check_address(f"https://{host}/hook")
    assert refused.value.code == "not_public"
    check_address("https://8.8.8.8/hook")
    check_address("https://hooks.example/hook")
