"""Every way to write from the admin: none writes a status, none deletes, nobody else comes in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import RequestFactory

from accounts.models import User
from consents.models import Consent, Status
from core.clock import database_time
from tests import factories
from tests.conftest import Cast
from tests.factories import allow
from tests.test_access_matrix import as_person, filled, urls

pytestmark = pytest.mark.requirement(81, 84)


# What an operator gets for an empty POST; every other answer would have done something.
NOT_FOR_WRITING, ASKS_AGAIN, SHOWN, MOVED, NOWHERE, NO_POST = 403, 302, 200, 302, 404, 405
EMPTY_POST: dict[str, int] = {
    "admin:index": SHOWN,
    "admin:login": MOVED,
    "admin:logout": SHOWN,
    "admin:password_change": MOVED,
    "admin:password_change_done": NO_POST,
    "admin:autocomplete": NO_POST,
    "admin:jsi18n": NO_POST,
    "admin:app_list": SHOWN,
    "admin:catch_all": NOWHERE,
    "admin:consent_end": ASKS_AGAIN,
    "admin:mfa_reset": ASKS_AGAIN,
    "admin:partner_retire": ASKS_AGAIN,
    "admin:office_close": ASKS_AGAIN,
    "admin:office_number": ASKS_AGAIN,
    "admin:operator_invite": ASKS_AGAIN,
    "admin:operator_role": ASKS_AGAIN,
    "admin:operator_factor": ASKS_AGAIN,
    "admin:operator_end": ASKS_AGAIN,
    "admin:operator_sessions": ASKS_AGAIN,
    "admin:operator_events": ASKS_AGAIN,
    "admin:operator_events_csv": ASKS_AGAIN,
    "admin:office_state": ASKS_AGAIN,
    "admin:partner_guide": ASKS_AGAIN,
    "admin:partner_preview": ASKS_AGAIN,
    "admin:partner_check": ASKS_AGAIN,
    "admin:partner_state": ASKS_AGAIN,
    "admin:partner_monitor": ASKS_AGAIN,
    "admin:partner_secret": ASKS_AGAIN,
    "admin:partner_webhook_secret": ASKS_AGAIN,
    # These have a form, which says what is missing.
    "admin:partners_partner_add": SHOWN,
    "admin:partners_partner_change": SHOWN,
    "admin:consents_terms_add": ASKS_AGAIN,
    "admin:terms_publication": ASKS_AGAIN,
    "admin:accounts_office_add": SHOWN,
    "admin:upload": SHOWN,
    "admin:warnings": ASKS_AGAIN,
    "admin:documents_quarantinedfile_first_lines": ASKS_AGAIN,
    "admin:search": SHOWN,
    "admin:account_claim_settle": ASKS_AGAIN,
    "admin:company_claim_settle": ASKS_AGAIN,
}
BY_ENDING = {
    "_changelist": SHOWN,
    "_csv": ASKS_AGAIN,
    "_history": SHOWN,
    "_add": NOT_FOR_WRITING,
    "_change": NOT_FOR_WRITING,
    "_delete": NOT_FOR_WRITING,
    "_redirect": MOVED,
}


def admin_urls(cast: Cast) -> dict[str, str]:
    """Every URL of the admin, by name, with the rows of Janssens in it."""
    return {n: filled(n, p, cast) for n, p in urls() if n.startswith("admin:")}


def expected(name: str) -> int:
    ending = next((end for end in BY_ENDING if name.endswith(end)), "")
    return EMPTY_POST[name] if name in EMPTY_POST else BY_ENDING[ending]


def actions() -> Iterator[tuple[str, str]]:
    """Every bulk action of every list, and those that Django or a plugin would bring."""
    request = RequestFactory().get("/")
    request.user = User(is_staff=True, is_superuser=True)
    for model, page in admin.site._registry.items():
        path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        names = {*page.get_actions(request), "delete_selected", "allow", "deny", "cancel", "import"}
        yield from ((path, name) for name in sorted(names))


# What the admin writes on its own account, and what only says that somebody looked.
ASIDE = {
    "django_session",
    "django_admin_log",
    "usersessions_usersession",
    "backoffice_supportaccess",
}


def everything() -> dict[str, list[Any]]:
    """Each table with its rows."""
    found = {}
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            table = model._meta.db_table
            if table not in ASIDE:
                cursor.execute(f'select t::text from "{table}" t order by 1')
                found[table] = cursor.fetchall()
    return found


def consents() -> list[dict[str, Any]]:
    columns = [field.attname for field in Consent._meta.concrete_fields]
    return list(Consent.objects.order_by("pk").values(*columns))


def written(status: str, consent: Consent, person: User) -> dict[str, Any]:
    """Every column of a consent as a field of a form, of a list and of inlines."""
    said: dict[str, Any] = {
        "status": status,
        "decided_at": "2026-01-01 08:00",
        "decided_at_0": "2026-01-01",
        "decided_at_1": "08:00",
        "decided_by": person.pk,
        "terms": factories.terms_in_force().pk,
        "cancelled_at": "",
        "closed_at": "2026-01-01 08:00",
        "closed_reason": "lapsed",
        "paused_at": "2026-01-01 08:00",
        "accept_terms_by": "",
        "allowlist_mode": "on",
        "office": consent.office_id,
        "partner": consent.partner_id,
        "uuid": consent.uuid,
        "redirect_uri": "https://evil.example/",
    }
    sent = dict(said)
    for prefix in ("form", "consents", "consent_set", "consents_consent"):
        sent |= {f"{prefix}-TOTAL_FORMS": 1, f"{prefix}-INITIAL_FORMS": 1}
        sent |= {f"{prefix}-0-{name}": value for name, value in said.items()}
        sent |= {f"{prefix}-0-id": consent.pk, f"{prefix}-0-DELETE": "on"}
    return {**sent, "_save": "Save", "_saveasnew": "1", "post": "yes", "_popup": "1"}


@pytest.mark.parametrize(("now", "wanted"), [("waiting", "allowed"), ("allowed", "cancelled")])
def test_dirk_writes_no_status_whatever_he_posts_wherever(
    cast: Cast, now: str, wanted: str, rounds: float
) -> None:
    """Form, added fields, list, inline, popup, at every URL; all four statuses by `--rounds 2`."""
    if now == "allowed":
        allow(cast.consent, cast.anna)
    dirk, before, paths = as_person(cast.dirk), consents(), admin_urls(cast)
    del paths["admin:logout"]
    for status in [wanted] if rounds < 2 else Status.values:
        sent = written(status, cast.consent, cast.dirk)
        for name, path in paths.items():
            assert dirk.post(path, sent).status_code < 500, name
            assert consents() == before, name


def test_dirk_writes_no_status_by_any_bulk_action(cast: Cast) -> None:
    dirk, before = as_person(cast.dirk), consents()
    rows: list[Any] = [cast.consent, cast.janssens, cast.ledgerly]
    chosen = {"_selected_action": [row.pk for row in rows], "index": 0, "post": "yes"}
    for path, action in actions():
        answer = dirk.post(path, {"action": action, "select_across": "1", **chosen})
        assert answer.status_code in (200, 302, 403), (path, action)
    assert consents() == before
    for row in rows:
        row.refresh_from_db()


def test_no_form_of_the_admin_has_a_consent_in_it() -> None:
    request = RequestFactory().get("/")
    request.user = User(is_staff=True, is_superuser=True)
    for model, page in admin.site._registry.items():
        assert not page.list_editable, model
        assert not page.has_delete_permission(request), model
        assert "delete_selected" not in page.get_actions(request), model
        models = {model, *(inline.model for inline in page.get_inline_instances(request))}
        writable = {m for m in models if m is not model or page.has_change_permission(request)}
        assert Consent not in writable
        for inline in page.get_inline_instances(request):
            assert "status" not in inline.get_formset(request).form.base_fields
        if page.has_change_permission(request):
            assert "status" not in page.get_form(request).base_fields


def test_an_empty_post_of_dirk_gets_what_the_table_says_and_writes_nothing(cast: Cast) -> None:
    dirk, paths = as_person(cast.dirk), admin_urls(cast)
    # These do their work without a word; test_operators tells what it is.
    works = {"admin:partner_secret", "admin:logout"}
    before = everything()
    got = {name: dirk.post(path).status_code for name, path in paths.items() if name not in works}
    assert got == {name: expected(name) for name in got}
    assert everything() == before
    assert {name for name in EMPTY_POST if name not in paths} == set()


@pytest.mark.parametrize("who", ["anonymous", "Anna", "Chloé", "without a factor"])
def test_nobody_else_comes_in_or_does_anything_by_get_post_or_action(cast: Cast, who: str) -> None:
    people = {"anonymous": None, "Anna": cast.anna, "Chloé": cast.chloe}
    allow(cast.consent, cast.anna)
    paths = admin_urls(cast)
    if who == "without a factor":
        Authenticator.objects.filter(user=cast.dirk).delete()
    browser = as_person(people.get(who, cast.dirk))
    before, told = everything(), LogEntry.objects.count()
    sent = written("cancelled", cast.consent, cast.dirk)
    for name, path in paths.items():
        for answer in (browser.get(path), browser.post(path, sent)):
            assert answer.status_code in (302, 404), (name, answer.status_code)
            assert answer.content == b"" or b"404" in answer.content or b"<title>" in answer.content
            assert cast.bakery.name not in answer.content.decode()
    for path, action in actions():
        fields = {"action": action, "_selected_action": cast.consent.pk}
        assert browser.post(path, fields).status_code == 302, (path, action)
    assert everything() == before
    assert LogEntry.objects.count() == told


@pytest.mark.requirement(82)
def test_an_operator_with_every_right_cannot_allow(cast: Cast) -> None:
    """Not even by the verb itself: only an Admin of the office gives access."""
    from consents.actors import Actor, ActorKind
    from consents.models import EvidenceSnapshot, NotAnAdmin

    snapshot = EvidenceSnapshot("x", [], 0)
    for by in (
        Actor(ActorKind.OPERATOR, name="Dirk", person=cast.dirk),
        Actor(ActorKind.PERSON, name="Dirk", person=cast.dirk),
        Actor.operators(cast.dirk, cast.dirk),
    ):
        with pytest.raises(NotAnAdmin):
            cast.consent.allow(by, factories.terms_in_force(), snapshot)
    assert cast.fresh().is_open(database_time())
