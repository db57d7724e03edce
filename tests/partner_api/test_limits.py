"""Limits per partner, in Redis; without Redis the API goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from partners.models import Partner
from tests.conftest import Cast, Software, free_port, running_portal


@pytest.fixture
def tally(portal: str, people: Cast) -> Software:
    return Software(portal, people.tally)


def test_a_partner_over_its_limit_is_told_when_to_come_back(
    ledgerly: Software, tally: Software, people: Cast
) -> None:
    Partner.objects.filter(pk=people.ledgerly.pk).update(calls_per_minute=3)
    path = f"/accounting-office-consents/{people.consent.uuid}"
    answers = [ledgerly.call("GET", path) for _ in range(12)]
    refused = [answer for answer in answers if answer.status_code == 429]
    # The minute may turn over once while this runs.
    assert len(refused) >= 5
    assert 1 <= int(refused[-1].headers["Retry-After"]) <= 60
    assert refused[-1].json()["errors"][0]["code"] == "tooManyRequests"
    assert {answer.status_code for answer in answers} == {200, 429}
    # Per partner, never per address: another software from the same machine goes on.
    number = people.janssens.company_number
    assert tally.create(accountingOfficeCompanyNumber=number).status_code == 201


def test_without_redis_the_api_goes_on(people: Cast, tmp_path: Path) -> None:
    nobody = f"redis://127.0.0.1:{free_port()}/0"
    Partner.objects.filter(pk=people.ledgerly.pk).update(calls_per_minute=1)
    with running_portal(tmp_path, REDIS_URL=nobody) as url:
        software = Software(url, people.ledgerly)
        path = f"/accounting-office-consents/{people.consent.uuid}"
        assert [software.call("GET", path).status_code for _ in range(4)] == [200] * 4
    assert "limits_off" in (tmp_path / "web.log").read_text()


@pytest.mark.parametrize("path", ["", "/oauth2/token", "/nowhere"])
def test_what_needs_no_token_is_not_counted(portal: str, path: str) -> None:
    seen: Any = {httpx.get(f"{portal}/codabox-connect{path}").status_code for _ in range(20)}
    assert 429 not in seen
