"""An address that is nearly right leads to the page; an odd one is never an error of ours."""

import re

import pytest
from django.test import Client as Browser

from tests import factories
from tests.conftest import Cast
from tests.factories import allow
from tests.test_access_matrix import as_person, filled, urls

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna(cast: Cast) -> Browser:
    browser = Browser()
    browser.force_login(cast.anna)
    return browser


def test_a_slash_too_many_leads_to_the_page(cast: Cast, anna: Browser) -> None:
    path = f"/offices/{cast.janssens.slug}/consents"
    for wrong in (f"{path}/", f"{path}//", path.replace("/consents", "//consents")):
        answer = anna.get(f"{wrong}?status=allowed")
        assert (answer.status_code, answer["Location"]) == (302, f"{path}?status=allowed"), wrong


@pytest.mark.requirement(114)
def test_an_upper_case_identifier_leads_to_the_page(cast: Cast, anna: Browser) -> None:
    answer = anna.get(f"/consent/{str(cast.consent.uuid).upper()}")
    assert (answer.status_code, answer["Location"]) == (302, f"/consent/{cast.consent.uuid}")


def test_nobody_is_led_to_another_site(anna: Browser) -> None:
    for path in ("//evil.example/", "//evil.example/consents/", "/\\evil.example/"):
        assert anna.get("/", PATH_INFO=path).status_code == 404, path


def test_what_does_not_exist_stays_unknown(cast: Cast, anna: Browser) -> None:
    assert anna.get("/offices/nowhere/consents/").status_code in (302, 404)
    assert anna.get("/offices/nowhere/consents").status_code == 404
    assert anna.post(f"/offices/{cast.janssens.slug}/consents/").status_code == 404


@pytest.mark.requirement(114)
@pytest.mark.parametrize(
    "odd",
    ["%00", "%00%00", "%ff", "%C0%AF", pytest.param("x" * 4000, id="4 kB"), "%252e%252e", "%0d%0a"],
)
@pytest.mark.parametrize(
    "path",
    ["/{}", "/consent/{}", "/offices/{}/consents", "/offices/{}", "/invitation/{}", "/me/{}"],
)
def test_an_odd_address_is_no_error_of_ours(anna: Browser, path: str, odd: str) -> None:
    assert anna.get(path.format(odd)).status_code in (301, 302, 400, 404, 410)
    assert anna.post(path.format(odd)).status_code in (400, 403, 404, 405, 410)


@pytest.mark.requirement(114)
@pytest.mark.parametrize("odd", ["%00", "x" * 4000], ids=["NUL", "4 kB"])
def test_no_address_fails_for_an_odd_identifier(cast: Cast, odd: str) -> None:
    """Each identifier of each address in turn; the others are right, so that it is looked for."""
    allow(cast.consent, cast.anna)
    identifier, secret = factories.make_application(cast.ledgerly)
    form = {"grant_type": "client_credentials", "client_id": identifier, "client_secret": secret}
    token = Browser().post("/codabox-connect/oauth2/token", form).json()["access_token"]
    anna, dirk = as_person(cast.anna), as_person(cast.dirk)
    asked, wrong = 0, []
    for name, pattern in urls():
        for parameter in re.findall(r"<\w+:\w+>", pattern):
            path = filled(name, pattern.replace(parameter, odd), cast)
            if odd not in path:
                continue  # a page of the admin, whose keys are numbers
            browser = dirk if name.startswith("admin:") else anna
            headers = {"authorization": f"Bearer {token}"} if name.startswith("partner_") else {}
            answer = browser.get(path, headers=headers)
            asked += 1
            if answer.status_code >= 500:
                wrong.append((name, parameter, answer.status_code))
    assert wrong == []
    assert asked >= 60
