"""Django admin: who comes in, and what nobody can write there."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib import admin

from consents.models import Consent, Status
from tests.conftest import Cast
from tests.test_access_matrix import as_person


def test_dirk_comes_in_with_a_second_factor_and_is_sent_to_get_one_without(cast: Cast) -> None:
    dirk = as_person(cast.dirk)
    assert dirk.get("/admin/").status_code == 200
    Authenticator.objects.filter(user=cast.dirk).delete()
    gate = dirk.get("/admin/consents/consent/")
    assert gate.status_code == 302
    enrol = dirk.get(gate["Location"])
    assert enrol.status_code == 302
    assert enrol["Location"] == "/accounts/app/add/?next=%2Fadmin%2Fconsents%2Fconsent%2F"


def test_recovery_codes_alone_do_not_let_dirk_in(cast: Cast) -> None:
    Authenticator.objects.filter(user=cast.dirk).update(type="recovery_codes")
    assert as_person(cast.dirk).get("/admin/").status_code == 302


def test_a_stranger_comes_in_by_our_login_and_never_leaves_the_portal(cast: Cast) -> None:
    nobody = as_person(None)
    gate = nobody.get("/admin/login/?next=https://evil.example/")
    assert gate["Location"] == "/accounts/login/?next=/admin/"
    assert nobody.post("/admin/login/", {"username": cast.dirk.email}).status_code == 302


def _row(key: int) -> dict[str, Any]:
    """Every column of a consent, as the database has it."""
    columns = [field.attname for field in Consent._meta.concrete_fields]
    return Consent.objects.values(*columns).get(pk=key)


@pytest.mark.parametrize("status", Status.values)
def test_dirk_cannot_write_a_status_by_form_list_or_action(cast: Cast, status: str) -> None:
    dirk = as_person(cast.dirk)
    key = cast.consent.pk
    before = _row(key)
    listed: dict[str, Any] = {
        "form-TOTAL_FORMS": 1,
        "form-INITIAL_FORMS": 1,
        "form-0-id": key,
        "form-0-status": status,
        "_save": "Save",
    }
    acted = {"action": "delete_selected", "_selected_action": key, "post": "yes"}
    for path, sent in {
        f"/admin/consents/consent/{key}/change/": {"status": status},
        f"/admin/consents/consent/{key}/delete/": {"post": "yes"},
        "/admin/consents/consent/add/": {"status": status},
    }.items():
        assert dirk.post(path, sent).status_code == 403, path
    dirk.post("/admin/consents/consent/", listed)
    dirk.post("/admin/consents/consent/", acted)
    assert _row(key) == before


def test_no_page_of_the_admin_has_consents_to_edit() -> None:
    for page in admin.site._registry.values():
        assert Consent not in [inline.model for inline in page.inlines]
        assert "status" not in getattr(page, "list_editable", ())
