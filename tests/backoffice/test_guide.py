"""The guide of a partner: what is left, the preview, checks while typing, a test webhook."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from pytest_httpserver import HTTPServer

from notifications.models import WebhookEndpoint
from partners.models import Partner, PartnerStatus
from tests import factories
from tests.backoffice.test_operators import ENTRY, new_secret, proven
from tests.backoffice.test_roles import with_role
from tests.conftest import Cast

CHECK = "/admin/partners/partner/check/"


def guide(partner: Partner) -> str:
    return f"/admin/partners/partner/{partner.pk}/guide/"


def to_do(browser: Any, partner: Partner) -> list[str]:
    """The steps that software needs and that are not done."""
    page = browser.get(guide(partner))
    assert page.status_code == 200
    return [step.what for step in page.context["steps"] if not (step.done or step.optional)]


def test_finn_is_led_from_the_entry_to_active_software(cast: Cast) -> None:
    finn = proven(with_role("onboarding"))
    entry = {**ENTRY, "name": "Nova", "redirect_uris-0-uri": ""}
    added = finn.post("/admin/partners/partner/add/", entry)
    nova = Partner.objects.get(name="Nova")
    assert added["Location"] == guide(nova)
    left = ["Redirect addresses", "Client id and secret", "Activate"]
    assert to_do(finn, nova) == left
    assert finn.get(guide(nova)).context["next_step"].what == left[0]
    nova.redirect_uris.create(uri="https://nova.example/back")
    assert to_do(finn, nova) == left[1:]
    page = new_secret(finn, f"/admin/partners/partner/{nova.pk}/secret/")
    assert to_do(finn, nova) == left[2:]
    shown = finn.get(guide(nova)).content.decode()
    assert page.context["application"].client_id in shown
    assert page.context["secret"] not in shown
    given = page.content.decode()
    assert given.count("data-identifier") == 2, "client id and secret are copied by a button"
    assert guide(nova) in given, "from there the next step is one click away"
    state = f"/admin/partners/partner/{nova.pk}/state/"
    assert "all calls are refused" not in finn.get(state).content.decode(), "nobody calls yet"
    active = finn.post(state, {"status": PartnerStatus.ACTIVE, "reason": "Checked"}, follow=True)
    assert active.redirect_chain == [(guide(nova), 302)]
    assert "The state of Nova is now: Active." in active.content.decode()
    assert to_do(finn, nova) == []
    assert "everything that is needed is done" in finn.get(guide(nova)).content.decode()


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "asks to read the documents of"),
        ("nl", "Toestemming"),
        ("fr", "consentement"),
        ("de", "Einwilligung"),
    ],
)
def test_the_preview_is_the_screen_of_the_office_in_its_language(
    cast: Cast, language: str, words: str
) -> None:
    finn = proven(with_role("onboarding"))
    path = f"/admin/partners/partner/{cast.tally.pk}/preview"
    page = finn.get(f"{path}/{language}/")
    shown = page.content.decode()
    assert words in shown
    assert cast.tally.name in shown
    assert cast.tally.vendor in shown
    assert factories.terms_in_force(language).body.split()[0] in shown
    assert 'name="choice"' not in shown, "nothing can be decided there"
    assert finn.get(f"{path}/xx/").status_code == 404


@pytest.mark.parametrize(
    ("field", "good", "wrong"),
    [
        ("legal_number", "BE 0403.170.701", "0403170702"),
        ("uri", "https://nova.example/back", "http://nova.example/back"),
        ("uri", "http://localhost:5000/", "https://a:b@nova.example/"),
        ("url", "https://nova.example/hook", "https://10.0.0.1/hook"),
        ("fingerprint", "SHA256 Fingerprint=" + "AB:" * 31 + "CD", "AB:CD"),
        ("fingerprint", hashlib.sha1(b"x").hexdigest(), "x"),  # as nginx gives it
        ("email", "hello@nova.example", "hello"),
        ("connect_url", "nova.example/start", "nova example"),
        ("name", "A new name", "{taken}"),
    ],
)
def test_a_field_is_checked_while_finn_types(cast: Cast, field: str, good: str, wrong: str) -> None:
    finn, wrong = proven(with_role("onboarding")), wrong.format(taken=cast.tally.name)
    assert finn.get(CHECK, {"field": field, "value": good}).json() == {"problem": ""}
    assert finn.get(CHECK, {"field": field, "value": wrong}).json()["problem"]
    assert finn.get(CHECK, {"field": field, "value": " "}).json() == {"problem": ""}
    assert finn.get(CHECK, {"field": "status", "value": wrong}).json() == {"problem": ""}


def test_a_test_webhook_says_what_the_receiver_answered(
    cast: Cast, httpserver: HTTPServer, settings: Any
) -> None:
    settings.PORTAL_WEBHOOKS_ALLOW_LOOPBACK = True
    factories.make_application(cast.tally)
    factories.webhook_key()
    finn = proven(with_role("onboarding"))
    assert "Send a test webhook" not in finn.get(guide(cast.tally)).content.decode()
    url = httpserver.url_for("/hook")
    endpoint = WebhookEndpoint.objects.create(partner=cast.tally, url=url)
    httpserver.expect_oneshot_request("/hook").respond_with_data("", status=204)
    page = finn.post(guide(cast.tally), follow=True)
    (said,) = [str(message) for message in page.context["messages"]]
    assert said.startswith(f"{url} answered 204 after"), said
    httpserver.expect_oneshot_request("/hook").respond_with_data("", status=500)
    assert "answered 500" in finn.post(guide(cast.tally), follow=True).content.decode()
    told = LogEntry.objects.filter(change_message__startswith="Sent a test webhook.")
    assert told.count() == 2
    endpoint.begin_test()
    again = finn.post(guide(cast.tally), follow=True).content.decode()
    assert "A test is running." in again
    ada = proven(with_role("auditor", "Ada"))
    assert "Send a test webhook" not in ada.get(guide(cast.tally)).content.decode()
    assert ada.post(guide(cast.tally)).status_code == 403
