"""The software directory, and software that an office does not want to be asked by."""

from __future__ import annotations

import pytest
from django.test import Client as Browser

from consents.models import Block, Consent, NotAnAdmin, block
from consents.models.block import BlockedByOffice
from tests import factories
from tests.conftest import Cast, Software
from tests.factories import PASSWORD, acting, allow


@pytest.fixture
def anna(cast: Cast) -> Browser:
    """Anna, logged in a moment ago with her password."""
    browser = Browser()
    browser.post("/accounts/login/", {"login": cast.anna.email, "password": PASSWORD})
    return browser


def test_anybody_sees_which_software_can_connect(cast: Cast) -> None:
    hidden = factories.make_partner("Hidden", status="draft")
    page = Browser().get("/software").content.decode()
    assert cast.ledgerly.name in page
    assert "CODA" in page
    assert hidden.name not in page
    assert cast.janssens.name not in page


def test_anna_sees_the_state_of_each_software_and_how_to_begin(cast: Cast, anna: Browser) -> None:
    allow(cast.consent, cast.anna)
    cast.tally.connect_url = "https://tally.example/connect"
    cast.tally.save()
    page = anna.get(f"/offices/{cast.janssens.slug}/software").content.decode()
    ledgerly, tally = (
        page.split(f'id="s-{partner.uuid}"')[1].split('id="s-')[0]
        for partner in (cast.ledgerly, cast.tally)
    )
    assert "Allowed" in ledgerly
    assert "No request yet" in tally
    assert 'href="https://tally.example/connect"' in tally


def test_a_request_that_waits_is_opened_from_the_directory(cast: Cast, anna: Browser) -> None:
    path, link = f"/offices/{cast.janssens.slug}/software", f"/consent/{cast.consent.uuid}"
    assert f'href="{link}?via=overview"' in anna.get(path).content.decode()
    cast.consent.deny(acting(cast.anna))
    assert link not in anna.get(path).content.decode()


def test_anna_blocks_and_unblocks_with_an_event_each(cast: Cast, anna: Browser) -> None:
    cast.consent.deny(acting(cast.anna))
    path = f"/offices/{cast.janssens.slug}/consents/{cast.consent.uuid}/block"
    assert "can no longer ask" in anna.get(path).content.decode()
    for _double_click in range(2):
        assert anna.post(path, {"wish": "block"}).status_code == 303
    with pytest.raises(BlockedByOffice):
        Consent.objects.request(office=cast.janssens, partner=cast.ledgerly)
    assert "Blocked" in anna.get(f"/offices/{cast.janssens.slug}/software").content.decode()
    # Another office may be asked as before.
    Consent.objects.request(office=cast.peeters, partner=cast.ledgerly)
    anna.post(path, {"wish": "unblock"})
    kinds = list(cast.consent.events.order_by("number").values_list("kind", flat=True))
    assert kinds == ["requested", "denied", "blocked", "unblocked"]
    assert not Block.objects.filter(office=cast.janssens).exists()


def test_neither_bram_nor_chloe_blocks(cast: Cast) -> None:
    for person in (cast.bram, cast.chloe):
        with pytest.raises(NotAnAdmin):
            block.block(cast.consent, acting(person))
    assert not Block.objects.exists()


def test_ledgerly_is_told_that_it_is_blocked(people: Cast, ledgerly: Software) -> None:
    people.consent.deny(acting(people.anna))
    block.block(people.consent, acting(people.anna))
    answer = ledgerly.create(accountingOfficeCompanyNumber=people.janssens.company_number)
    assert answer.status_code == 403
    assert answer.json()["errors"][0]["code"] == "blockedByAccountingOffice"
