"""A browser reads each address that we accept as we do: Chromium's own parser is the witness."""

from __future__ import annotations

import pytest

from partners.redirects import lies_on_origin
from tests.browser.conftest import Visit
from tests.partners.test_redirects import BENT, ORIGIN

pytestmark = pytest.mark.requirement(23)


ORIGINS = """addresses => addresses.map(address => {
    const link = document.createElement("a");
    link.href = address;
    return [link.protocol + "//" + link.host, link.username + link.password + link.hash];
})"""


def test_chromium_goes_to_the_origin_that_was_registered(visit: Visit) -> None:
    visitor = visit()
    visitor.open("/accounts/login/")
    accepted = [uri for uri in BENT if lies_on_origin(uri, ORIGIN)]
    assert accepted
    for uri, (origin, extra) in zip(
        accepted, visitor.page.evaluate(ORIGINS, accepted), strict=True
    ):
        assert (origin, extra) == (ORIGIN, ""), uri
