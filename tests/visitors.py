"""Who knocks at the doors in the access tests, and what stands in the tables afterwards."""

from __future__ import annotations

import base64
import time
from typing import Any

from django.apps import apps
from django.db import connection
from django.test import Client as Browser

from accounts.models import User
from accounts.tenancy import every_office
from partners.models import Partner
from tests import factories

# Written by a visit as such: who is logged in, and what was read.
NOT_PRODUCT = {"django_session", "documents_documentread", "consents_consentactivity"}


def as_person(person: User | None, **options: Any) -> Browser:
    """A browser of this person, who has just given her password; None: nobody is logged in."""
    browser = Browser(raise_request_exception=False, **options)
    if person is not None:
        browser.force_login(person)
        session = browser.session
        session["account_authentication_methods"] = [{"method": "password", "at": time.time()}]
        session.save()
    return browser


def as_software(partner: Partner | None) -> Browser:
    """The HTTP client of a software with an access token; None: without one."""
    browser = Browser(raise_request_exception=False)
    if partner is not None:
        pair = ":".join(factories.make_application(partner))
        answer = browser.post(
            "/codabox-connect/oauth2/token",
            {"grant_type": "client_credentials"},
            headers={"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"},
        )
        browser.defaults["HTTP_AUTHORIZATION"] = f"Bearer {answer.json()['access_token']}"
    return browser


def tables() -> dict[str, tuple[int, str]]:
    """Number of rows and fingerprint of every table of the product."""
    names = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    found = {}
    with every_office(), connection.cursor() as cursor:
        for name in sorted(names - NOT_PRODUCT):
            cursor.execute(
                f'select count(*), md5(string_agg(t::text, chr(10) order by t::text)) from "{name}" t'
            )
            found[name] = cursor.fetchone()
    return found
