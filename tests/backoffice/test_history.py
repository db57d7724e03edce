"""Changes of the configuration: who, when, from which value to which, and no secret."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry

from partners.models import Application, Partner, RedirectUri
from tests import factories
from tests.backoffice.test_operators import ENTRY, another_operator, proven
from tests.backoffice.test_terms_publication import answer, asked
from tests.conftest import Cast

PRINT = "ab" * 32


def entry_of(partner: Partner, **change: Any) -> dict[str, Any]:
    """The whole entry as the change page sends it."""
    uris = list(partner.redirect_uris.order_by("pk"))
    rows = {
        f"redirect_uris-{n}-{key}": value
        for n, uri in enumerate(uris)
        for key, value in (("id", uri.pk), ("partner", partner.pk), ("uri", uri.uri))
    }
    numbers = {"redirect_uris-TOTAL_FORMS": len(uris), "redirect_uris-INITIAL_FORMS": len(uris)}
    own = {"name": partner.name, "vendor": partner.vendor, "email": partner.email}
    return {**ENTRY, **own, "legal_number": partner.legal_number, **numbers, **rows, **change}


def history(cast: Cast, partner: Partner) -> str:
    page = proven(cast.dirk).get(f"/admin/partners/partner/{partner.pk}/history/")
    return unescape(page.content.decode()).replace("<br>", "\n")


def test_dirk_reads_who_changed_what_from_which_value_to_which(cast: Cast) -> None:
    nova = factories.make_partner("Nova", redirects=["https://nova.example/a"])
    added = RedirectUri.objects.create(partner=nova, uri="https://nova.example/b")
    more = {
        "vendor": "Nova Group",
        "calls_per_minute": 90,
        "redirect_uris-TOTAL_FORMS": 3,
        "redirect_uris-0-uri": "https://nova.example/moved",
        "redirect_uris-1-DELETE": "on",
        "redirect_uris-2-uri": "https://nova.example/c",
        "webhook_endpoint-0-url": "https://nova.example/hook",
        "certificates-TOTAL_FORMS": 1,
        "certificates-0-fingerprint": PRINT,
    }
    path = f"/admin/partners/partner/{nova.pk}/change/"
    answer = proven(cast.dirk).post(path, entry_of(nova, **more))
    assert answer.status_code == 302, answer.content.decode()
    told = LogEntry.objects.get(object_id=str(nova.pk)).change_message.splitlines()
    for line in (
        "vendor: Nova NV → Nova Group",
        "calls per minute: empty → 90",
        "redirect address https://nova.example/moved: address: https://nova.example/a → "
        "https://nova.example/moved",
        f"redirect address removed: {added.uri}",
        "redirect address added: https://nova.example/c",
        "webhook endpoint added: https://nova.example/hook",
        f"client certificate added: {PRINT}",
    ):
        assert line in told
    kinds = next(line for line in told if line.startswith("kinds: "))
    assert kinds.endswith(" → bankAccountStatement")
    page = history(cast, nova)
    assert "vendor: Nova NV → Nova Group" in page
    assert cast.dirk.email in page


def test_dirk_reads_where_webhooks_went_before(cast: Cast) -> None:
    dirk = proven(cast.dirk)
    first = {**ENTRY, "name": "Nova", "webhook_endpoint-0-url": "https://nova.example/hook"}
    dirk.post("/admin/partners/partner/add/", first)
    nova = Partner.objects.get(name="Nova")
    endpoint = {
        "webhook_endpoint-INITIAL_FORMS": 1,
        "webhook_endpoint-0-id": nova.webhook_endpoint.pk,
        "webhook_endpoint-0-partner": nova.pk,
        "webhook_endpoint-0-url": "https://evil.example/hook",
        "colour": "blue",
    }
    path = f"/admin/partners/partner/{nova.pk}/change/"
    answer = dirk.post(path, entry_of(nova, **endpoint))
    assert answer.status_code == 302, answer.content.decode()
    assert "https://nova.example/hook → https://evil.example/hook" in history(cast, nova)
    assert "name: Nova" in history(cast, nova)


@pytest.mark.requirement(45)
def test_no_secret_stands_in_a_history(cast: Cast) -> None:
    dirk = proven(cast.dirk)
    page = f"/admin/partners/partner/{cast.tally.pk}/secret/"
    secret = dirk.post(page, {"token": "", "button": "create"}).context["secret"]
    kept = Application.objects.get(partner=cast.tally).client_secret
    for entry in LogEntry.objects.all():
        assert secret not in entry.change_message + entry.object_repr
        assert kept not in entry.change_message + entry.object_repr
    assert "New secret." in history(cast, cast.tally)


def test_dirk_reads_which_version_of_the_terms_came_after_which(cast: Cast) -> None:
    before = factories.terms_in_force()
    dirk, eva = proven(cast.dirk), proven(another_operator(cast))
    answer(eva, asked(dirk, material="on"))
    new = factories.terms_in_force()
    page = unescape(dirk.get(f"/admin/consents/terms/{new.pk}/history/").content.decode())
    assert f"version: {before.version} → {before.version + 1}" in page
    assert "material: no → yes" in page
    assert "Published by Dirk & Eva" in page
    assert (
        cast.dirk.email in dirk.get(f"/admin/consents/terms/{before.pk}/history/").content.decode()
    )


def test_dirk_reads_when_an_office_was_suspended(cast: Cast) -> None:
    dirk, page = proven(cast.dirk), f"/admin/accounts/office/{cast.janssens.pk}"
    dirk.post(f"{page}/state/", {"reason": "Unpaid", "state": "suspended"})
    dirk.post(f"{page}/state/", {"reason": "Paid", "state": "active"})
    told = dirk.get(f"{page}/history/").content.decode()
    assert "state: active → suspended" in told
    assert "state: suspended → active" in told
