"""Every page of the admin asks for a permission: an operator without any gets 403 everywhere."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.models import Permission

from accounts.models import User
from tests import factories
from tests.backoffice.test_operators import proven
from tests.backoffice.test_writes import admin_urls, everything
from tests.conftest import Cast
from tests.test_access_matrix import filled, urls

pytestmark = pytest.mark.requirement(113)

# These show and change nothing but the own login of the operator, or are not there.
OPEN = {
    "admin:index": 200,
    "admin:login": 302,
    "admin:logout": 302,
    "admin:password_change": 302,
    "admin:password_change_done": 200,
    "admin:jsi18n": 200,
    "admin:app_list": 404,
    "admin:catch_all": 404,
}
# The permission that each page of our own asks for.
OWN_PAGES: dict[str, str | tuple[str, ...]] = {
    "admin:search": ("accounts.view_office", "partners.view_partner", "consents.view_consent"),
    "admin:consent_end": "backoffice.end_access",
    "admin:mfa_reset": "backoffice.reset_factor",
    "admin:office_state": ("backoffice.suspend_office", "backoffice.invite_first_admin"),
    "admin:office_close": "backoffice.close_office",
    "admin:office_number": "backoffice.close_office",
    "admin:partner_secret": "backoffice.rotate_secret",
    "admin:partner_webhook_secret": "backoffice.rotate_secret",
    "admin:partner_state": "backoffice.change_state",
    "admin:partner_retire": "backoffice.retire_partner",
    "admin:partner_monitor": "partners.view_partner",
    "admin:partner_guide": "partners.view_partner",
    "admin:partner_preview": "partners.view_partner",
    "admin:partner_check": ("partners.add_partner", "partners.change_partner"),
    "admin:upload": "documents.add_quarantinedfile",
    "admin:warnings": "documents.view_quarantinedfile",
    "admin:documents_quarantinedfile_first_lines": "backoffice.read_first_lines",
    "admin:account_claim_settle": "backoffice.change_accountclaim",
    "admin:company_claim_settle": "backoffice.change_companyclaim",
    "admin:operator_invite": "backoffice.manage_operators",
    "admin:operator_role": "backoffice.manage_operators",
    "admin:operator_factor": "backoffice.manage_operators",
    "admin:operator_end": "backoffice.manage_operators",
    "admin:operator_sessions": "backoffice.view_operator",
    "admin:operator_events": "backoffice.read_event_log",
    "admin:operator_events_csv": "backoffice.read_event_log",
    "admin:accounts_office_add": "accounts.add_office",
    "admin:consents_terms_add": "consents.add_terms",
    "admin:terms_publication": "consents.add_terms",
}


def new_operator(*permissions: str) -> User:
    """An operator with two-factor authentication and these permissions."""
    person = factories.make_person("Finn", is_staff=True)
    Authenticator.objects.create(user=person, type=Authenticator.Type.TOTP, data={})
    for each in permissions:
        app, codename = each.split(".")
        person.user_permissions.add(
            Permission.objects.get(content_type__app_label=app, codename=codename)
        )
    return person


@pytest.mark.parametrize("method", ["get", "post"])
def test_an_operator_without_a_permission_gets_403_at_every_url(cast: Cast, method: str) -> None:
    paths = admin_urls(cast)
    finn = proven(new_operator())
    before, answers = everything(), {}
    for name, path in paths.items():
        if name in OPEN or name.endswith("_redirect"):
            continue
        sent = {
            "reason": "x",
            "state": "suspended",
            "detail": "0403170701",
            "first_admin": "a@b.be",
        }
        answers[name] = getattr(finn, method)(path, sent).status_code
    if method == "post":
        # It has no form, so it says 405 to everybody.
        assert answers.pop("admin:autocomplete") in (403, 405)
    assert set(answers.values()) == {403}, answers
    assert everything() == before


def test_the_list_of_open_urls_names_no_page_of_a_model(cast: Cast) -> None:
    finn = new_operator()
    for name, status in OPEN.items():
        path = filled(name, dict(urls())[name], cast)
        answer = proven(finn).get(path) if name != "admin:logout" else proven(finn).post(path)
        assert answer.status_code == status, name
        assert cast.janssens.name not in answer.content.decode()


@pytest.mark.parametrize("name", OWN_PAGES)
def test_an_operator_with_the_permission_opens_the_page(cast: Cast, name: str) -> None:
    path, rights = admin_urls(cast)[name], OWN_PAGES[name]
    for right in [rights] if isinstance(rights, str) else rights:
        assert proven(new_operator(right)).get(path).status_code == 200


def test_no_action_of_a_list_runs_for_an_operator_who_may_only_view(cast: Cast) -> None:
    for model, page in admin.site._registry.items():
        label = f"{model._meta.app_label}.view_{model._meta.model_name}"
        finn = new_operator(label)
        request: Any = proven(finn).get(f"/admin/{label.replace('.view_', '/')}/").wsgi_request
        assert page.get_actions(request) == {}, model


def test_no_page_offers_view_on_site(cast: Cast) -> None:
    dirk = proven(cast.dirk)
    for path in (f"/admin/r/1/{cast.consent.pk}/", "/admin/r/1/x/", "/admin/r/x/y/"):
        assert dirk.get(path).status_code == 404
