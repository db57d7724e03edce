"""The address in the evidence is the one that the trusted proxy saw."""

from typing import Any

import pytest
from django.http import HttpRequest

from core.client_ip import address_of

pytestmark = pytest.mark.requirement(46)


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "203.0.113.9", "10.0.0.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "6.6.6.6, 203.0.113.9", "203.0.113.9"),
        (2, "6.6.6.6, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        (1, "", "10.0.0.1"),
    ],
)
def test_a_forged_header_does_not_change_the_address(
    settings: Any, proxies: int, forwarded: str, address: str
) -> None:
    settings.PORTAL_TRUSTED_PROXIES = proxies
    request = HttpRequest()
    request.META = {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": forwarded}
    assert address_of(request) == address
