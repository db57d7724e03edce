"""The lists of the admin in a real browser: filtered and taken out by keyboard, on any screen."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from notifications.models import Delivery, WebhookEndpoint
from tests.browser.conftest import Visit
from tests.browser.test_operator_pages import operator
from tests.browser.test_terms_pages import judged_everywhere
from tests.conftest import Cast
from tests.factories import allow

pytestmark = pytest.mark.requirement(86)


def test_dirk_filters_a_list_and_takes_it_out_by_keyboard(visit: Visit, people: Cast) -> None:
    allow(people.consent, people.anna)
    dirk = operator(visit, people)
    dirk.open("/admin/consents/consent/")
    field = dirk.page.get_by_label("By software")
    field.focus()
    dirk.page.keyboard.type(people.ledgerly.name)
    dirk.page.keyboard.press("Enter")
    dirk.page.wait_for_url("**software=*")
    dirk.page.get_by_role("link", name="Allowed", exact=True).focus()
    dirk.page.keyboard.press("Enter")
    dirk.page.wait_for_url("**status__exact=allowed**")
    assert field.input_value() == people.ledgerly.name
    link = dirk.page.get_by_role("link", name="Download as CSV")
    link.focus()
    with dirk.page.expect_download() as download:
        dirk.page.keyboard.press("Enter")
    assert download.value.suggested_filename == "consents.csv"
    lines = list(csv.reader(Path(download.value.path()).read_text("utf-8-sig").splitlines()))
    assert [line[0] for line in lines[1:]] == [str(people.consent.uuid)]


def test_the_lists_with_filters_have_no_violation_on_any_screen(visit: Visit, people: Cast) -> None:
    allow(people.consent, people.anna)
    endpoint = WebhookEndpoint.objects.create(partner=people.ledgerly, url="https://x.example/")
    for event in people.consent.events.all():
        Delivery.objects.create(endpoint=endpoint, event=event)
    dirk = operator(visit, people)
    for name, path in {
        "consents": f"consents/consent/?software={people.ledgerly.name}",
        "offices": "accounts/office/?state=active&q=Janssens",
        "deliveries": f"notifications/delivery/?software={people.ledgerly.name}&state=waiting",
        "endpoints": f"notifications/webhookendpoint/?software={people.ledgerly.name}",
        "operators": "backoffice/operator/?role=superuser",
    }.items():
        dirk.open(f"/admin/{path}")
        judged_everywhere(dirk, f"list of {name}")
