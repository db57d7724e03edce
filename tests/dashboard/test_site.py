"""Footers, error pages, and what browsers ask for beside the pages."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.test import Client as Browser

from tests.accounts.people import logged_in
from tests.conftest import Cast


@pytest.mark.parametrize("path", ["/accounts/login/", "/help", "/privacy", "/software"])
def test_every_footer_has_help_privacy_and_contact(cast: Cast, path: str) -> None:
    page = Browser().get(path).content.decode()
    footer = page.split("<footer")[1]
    assert 'href="/help"' in footer
    assert 'href="/privacy"' in footer
    assert f'href="mailto:{settings.PORTAL_SUPPORT_EMAIL}"' in footer


def test_the_page_of_a_request_names_the_contact_of_its_software(cast: Cast) -> None:
    page = logged_in(cast.anna).get(f"/consent/{cast.consent.uuid}").content.decode()
    assert f'href="mailto:{cast.ledgerly.email}"' in page.split("<footer")[1]


def test_an_error_page_says_the_number_of_the_request(cast: Cast) -> None:
    missing = Browser().get("/nowhere")
    assert missing.status_code == 404
    number = re.search(r"mention this number: ([0-9a-f-]{36})", missing.content.decode())
    assert number
    again = Browser().get("/nowhere").content.decode()
    assert number[1] not in again
    assert settings.PORTAL_SUPPORT_EMAIL in again


def test_a_phone_gets_a_manifest_and_icons_that_exist(client: Browser) -> None:
    manifest = client.get("/manifest.webmanifest").json()
    assert manifest["name"] == settings.PORTAL_NAME
    icons = [icon["src"] for icon in manifest["icons"]]
    for path in (*icons, client.get("/favicon.ico")["Location"], "/static/portal/touch-icon.png"):
        assert client.get(path).status_code == 200, path
