"""The servers of the partners, for every test of what runs in production."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_httpserver import HTTPServer

from partners.models import Partner, PartnerStatus
from tests.deployment.softwares import HANGS, Softwares


@pytest.fixture
def softwares() -> Iterator[Softwares]:
    HANGS.clear()
    with HTTPServer(threaded=True) as server:
        yield Softwares(server)
        HANGS.set()
        # The public directory, which other tests look at, would list all of these.
        crowd = Partner.objects.filter(webhook_endpoint__url__startswith=server.url_for("/"))
        crowd.update(status=PartnerStatus.RETIRED)
