"""The access rule has one answer: every gate, asked at every place that answers.

A place is a page, a file or the API. Each is asked for the reason why Ledgerly can read nothing of
Janssens, and all of them must name the first reason that the API names.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from itertools import combinations
from typing import Any, NamedTuple

import pytest
from django.db.models.functions import Now
from django.test import Client as Browser

from accounts.models import Office
from clients.models import Client
from consents.access import AccessContext
from consents.models import Consent
from consents.scope import ScopeChange, change_scope
from partners.models import Partner
from tests import factories
from tests.accounts.people import logged_in
from tests.conftest import Cast
from tests.factories import acting, allow
from tests.monitoring.test_metrics import scrape

pytestmark = pytest.mark.requirement(120)

# What the screens say for each reason of the API.
WORDS = {
    "partnerSuspended": "Software suspended",
    "accountingOfficeSuspended": "Office suspended",
    "consentPaused": "Paused",
    "termsToBeReaccepted": "The terms have changed",
}


def suspend_partner(cast: Cast) -> None:
    Partner.objects.filter(pk=cast.ledgerly.pk).update(status="suspended")


def suspend_office(cast: Cast) -> None:
    Office.objects.filter(pk=cast.janssens.pk).update(is_active=False)


def cancel(cast: Cast) -> None:
    cast.fresh().cancel(acting(cast.anna))


def pause(cast: Cast) -> None:
    Consent.objects.filter(pk=cast.consent.pk).update(paused_at=Now())


def let_the_terms_expire(cast: Cast) -> None:
    Consent.objects.filter(pk=cast.consent.pk).update(accept_terms_by=Now())


# In the order in which the question is asked.
GATES: dict[str, Callable[[Cast], None]] = {
    "partnerSuspended": suspend_partner,
    "accountingOfficeSuspended": suspend_office,
    "consentNotConfirmed": cancel,
    "consentPaused": pause,
    "termsToBeReaccepted": let_the_terms_expire,
}


class Scene(NamedTuple):
    """Ledgerly may read one document of the bakery; Anna looks at the pages of her office."""

    cast: Cast
    anna: Browser
    token: str
    document: Any
    before: dict[str, float]

    def page(self, path: str) -> str:
        answer = self.anna.get(f"/offices/{self.cast.janssens.slug}{path}")
        assert answer.status_code == 200, path
        return answer.content.decode("utf-8-sig")

    def call(self, method: str, path: str, body: Any = None) -> Any:
        return Browser().generic(
            method,
            f"/codabox-connect/accounting-offices/{self.cast.janssens.uuid}/{path}",
            json.dumps(body) if body else b"",
            "application/json",
            headers={"authorization": f"Bearer {self.token}"},
        )


@pytest.fixture
def scene(cast: Cast, client: Browser) -> Scene:
    identifier, secret = factories.make_application(cast.ledgerly)
    before = scrape(client)
    allow(cast.consent, cast.anna)
    answer = Browser().post(
        "/codabox-connect/oauth2/token",
        {"grant_type": "client_credentials", "client_id": identifier, "client_secret": secret},
    )
    assert answer.status_code == 200, answer.content
    document = factories.make_document(cast.bakery)
    return Scene(cast, logged_in(cast.anna), answer.json()["access_token"], document, before)


def code_of(answer: Any) -> str | None:
    if answer.status_code in (200, 201):
        return None
    assert answer.status_code == 403, answer.content
    return str(answer.json()["errors"][0]["code"])


def said(text: str) -> str | None:
    """The reason in a part of a page."""
    named = [code for code, words in WORDS.items() if words in text]
    assert len(named) <= 1, text
    return named[0] if named else None


def listed(scene: Scene, page: str, start: str, end: str) -> str | None:
    """The reason in the part of a page where Ledgerly stands; not listed: it is not allowed."""
    part = page.split(start, 1)[1].split(end, 1)[0]
    return said(part) if scene.cast.ledgerly.name in part else "consentNotConfirmed"


def search(scene: Scene) -> str | None:
    number = scene.cast.bakery.company_number
    clients = {"data": [{"type": "client", "id": number}]}
    data = {
        "type": "documentSearch",
        "attributes": {"documentType": "bankAccountStatement"},
        "relationships": {"clients": clients},
    }
    return code_of(scene.call("POST", "document-searches", {"data": data}))


def document(scene: Scene) -> str | None:
    number = scene.cast.bakery.company_number
    path = f"clients/{number}/bank-account-statements/{scene.document.uuid}"
    return code_of(scene.call("GET", path))


def who_can_see_the_company(scene: Scene) -> str | None:
    page = scene.page(f"/companies/{scene.cast.bakery.company_number}/who")
    return listed(scene, page, 'id="who"', "</section>")


def who_can_see_the_document(scene: Scene) -> str | None:
    number, uuid = scene.cast.bakery.company_number, scene.document.uuid
    page = scene.page(f"/companies/{number}/documents/{uuid}/who")
    return listed(scene, page, 'id="who"', "</section>")


def overview(scene: Scene) -> str | None:
    page = scene.page("/consents")
    health = re.findall(r'class="d-block health health-(\w+)">([^<]*)<', page)
    if not health:
        return "consentNotConfirmed"
    ((_level, words),) = health
    return said(words)


def dashboard(scene: Scene) -> str | None:
    """A connection with a problem is named with its reason; the others are counted."""
    page = scene.page("")
    if 'id="sick"' in page:
        reason = listed(scene, page, 'id="sick"', "</section>")
        if reason != "consentNotConfirmed":
            return reason
    part = page.split('id="connected"', 1)[1].split("</section>", 1)[0]
    if "No software can read the documents" in part:
        return "consentNotConfirmed"
    if ">Paused</dt><dd>1<" in part:
        return "consentPaused"
    assert "<dd>1 / 1</dd>" in part
    return None


def detail(scene: Scene) -> str | None:
    page = scene.page(f"/consents/{scene.cast.consent.uuid}")
    part = page.split('id="now"', 1)[1].split("<dl", 1)[0]
    if "Nothing is shared right now." not in part:
        return None
    return said(part) or "consentNotConfirmed"


def result(scene: Scene) -> str | None:
    page = scene.anna.get(f"/consent/{scene.cast.consent.uuid}/result").content.decode()
    part = page.split('class="sentence"', 1)[1].split("</p>", 1)[0]
    if "can read the documents" in part:
        return None
    return said(part) or "consentNotConfirmed"


def export(scene: Scene) -> str | None:
    _head, line = csv.reader(io.StringIO(scene.page("/consents.csv")))
    if line[-1] == "Allowed":
        return None
    return said(line[-1]) or {"Not allowed": "consentNotConfirmed"}[line[-1]]


def metrics(scene: Scene) -> str | None:
    """Of this one consent: what the figures grew by since it was no more than a request."""
    now = scrape(Browser())
    grew = {name: now[name] - scene.before.get(name, 0) for name in now}
    if grew["portal_consents_readable"]:
        return None
    denied = [code for code in WORDS if grew[f"portal_consents_denied {code}"]]
    return denied[0] if denied else "consentNotConfirmed"


PLACES = [
    search, document, who_can_see_the_company, who_can_see_the_document, overview, dashboard,
    detail, result, export, metrics,
]  # fmt: skip
# These speak of allowed consents only: of a cancelled one they say nothing, whoever is suspended.
OF_ALLOWED_ONLY = {
    who_can_see_the_company, who_can_see_the_document, overview, dashboard, detail, result, metrics
}  # fmt: skip


def answers(scene: Scene) -> dict[str, str | None]:
    return {place.__name__: place(scene) for place in PLACES}


def expected(first: str | None, closed: tuple[str, ...]) -> dict[str, str | None]:
    cancelled = "consentNotConfirmed" in closed
    return {
        place.__name__: "consentNotConfirmed" if cancelled and place in OF_ALLOWED_ONLY else first
        for place in PLACES
    }


def test_where_every_gate_is_open_every_place_says_that_ledgerly_reads(scene: Scene) -> None:
    assert answers(scene) == expected(None, ())


@pytest.mark.parametrize("gate", GATES)
def test_every_place_names_the_gate_that_is_closed(scene: Scene, gate: str) -> None:
    GATES[gate](scene.cast)
    assert answers(scene) == expected(gate, (gate,))


@pytest.mark.parametrize(("first", "second"), list(combinations(GATES, 2)))
def test_where_two_gates_are_closed_every_place_names_the_first(
    scene: Scene, first: str, second: str
) -> None:
    # A cancelled consent is neither paused nor asked for its terms any more, so cancel comes last.
    for gate in sorted((first, second), key=lambda gate: gate == "consentNotConfirmed"):
        GATES[gate](scene.cast)
    assert answers(scene) == expected(first, (first, second))


def leave_the_company_out(cast: Cast) -> None:
    change_scope(cast.fresh(), acting(cast.anna), ScopeChange(clients_out=(cast.bakery.pk,)))


def archive(cast: Cast) -> None:
    Client.objects.filter(pk=cast.bakery.pk).update(archived_at=Now())


def is_unknown_to_the_software(scene: Scene) -> bool:
    number = scene.cast.bakery.company_number
    path = f"clients/{number}/bank-account-statements/{scene.document.uuid}"
    return bool(scene.call("GET", path).status_code == 404)


def test_a_company_that_is_left_out_is_unknown_everywhere(scene: Scene) -> None:
    leave_the_company_out(scene.cast)
    assert is_unknown_to_the_software(scene)
    assert who_can_see_the_company(scene) == "consentNotConfirmed"
    assert who_can_see_the_document(scene) == "consentNotConfirmed"


def test_an_archived_company_is_unknown_everywhere(scene: Scene) -> None:
    archive(scene.cast)
    assert is_unknown_to_the_software(scene)
    assert AccessContext.of_client(scene.cast.bakery.pk) == {}
    path = f"/offices/{scene.cast.janssens.slug}/companies/{scene.cast.bakery.company_number}/who"
    assert scene.anna.get(path).status_code == 404


def test_a_kind_that_is_not_shared_is_closed_for_the_document_only(scene: Scene) -> None:
    kinds = ("bankAccountStatement",)
    change_scope(scene.cast.fresh(), acting(scene.cast.anna), ScopeChange(kinds_out=kinds))
    assert search(scene) == document(scene) == "documentTypeNotShared"
    assert who_can_see_the_document(scene) == "consentNotConfirmed"
    assert who_can_see_the_company(scene) is None
